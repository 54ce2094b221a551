package testpeers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Recipe says which packages of which Debian suite make a tree. Its hash names the folder in the cache, so that a changed
// recipe is built anew beside the old one.
type Recipe struct {
	Suite    string   // Debian code name
	Packages []string // their dependencies come along, recommendations do not
	Omit     []string // packages of the closure that no peer needs, by prefix

	// Libc, where it is not "", is a newer suite whose C library takes the place of the suite's own, so that what the newer
	// suite's packages hold runs too. A C library runs what was built against an older one.
	Libc string
}

// layoutVersion changes when build.go lays a tree out differently.
const layoutVersion = 1

func sshdRecipe(suite string) Recipe {
	return Recipe{
		Suite: suite,
		Packages: []string{
			"openssh-server", "openssh-client", "libpam-modules", "dash", "busybox", "iproute2",
			"rsyslog", "libfaketime", "systemd",
		},
		Omit: []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare"},
	}
}

// Bookworm holds sshd 9.2, one program for all stages of a connection.
func Bookworm() Recipe { return sshdRecipe("bookworm") }

// Trixie holds sshd 10.0, split into sshd, sshd-session and sshd-auth.
func Trixie() Recipe { return sshdRecipe("trixie") }

// Hash identifies the recipe: 16 hexadecimal digits.
func (r Recipe) Hash() string {
	text := fmt.Sprintf("%d\n%s\n%s\n%s\n", layoutVersion, r.Suite, strings.Join(r.Packages, " "), strings.Join(r.Omit, " "))
	if r.Libc != "" {
		text += r.Libc + "\n"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
