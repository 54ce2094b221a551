package sshdconfig

import (
	"fmt"
	"regexp"
	"strconv"
)

// Version is an OpenSSH release. What sshd accepts depends on it in places.
type Version struct {
	Major, Minor int
	// Debian says that the distribution's patches are in: files may be writable for a group that
	// holds their owner alone, and more.
	Debian bool
}

// Newest is the newest release whose source these packages follow; it is assumed where none is known.
func Newest() Version { return Version{Major: 10, Minor: 0} }

// AtLeast says whether the release is the given one or a later one.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// String is the form in which programs show it: OpenSSH_9.2.
func (v Version) String() string { return fmt.Sprintf("OpenSSH_%d.%d", v.Major, v.Minor) }

// ParseVersion finds the release in a greeting such as OpenSSH_9.2p1 Debian-2+deb12u10, in the output of
// sshd -V, or in sshd's program: the highest that text names, for the program also names those of which
// it knows bugs.
func ParseVersion(text []byte) (Version, bool) {
	form := regexp.MustCompile(`OpenSSH_(\d{1,2})\.(\d{1,2})(?:p\d+)?( (?:Debian|Ubuntu|Raspbian)-)?`)
	var best Version
	for _, m := range form.FindAllSubmatch(text, -1) {
		major, _ := strconv.Atoi(string(m[1])) // two digits at most
		minor, _ := strconv.Atoi(string(m[2]))
		v := Version{Major: major, Minor: minor, Debian: len(m[3]) > 0}
		if v.Newer(best) {
			best = v
		}
	}
	return best, best != Version{}
}

// Newer says whether v is a later release than other, or the same with a distribution's patches.
func (v Version) Newer(other Version) bool {
	if v.Major != other.Major || v.Minor != other.Minor {
		return v.AtLeast(other.Major, other.Minor)
	}
	return v.Debian && !other.Debian
}
