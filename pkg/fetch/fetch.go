// Package fetch gets the archives of software releases, from a mirror, a file or an
// offline bundle, and unpacks them. Nothing is trusted before its SHA-256 is the
// expected one, and nothing that an archive says leads out of the folder that it is
// unpacked into. What a server can do wrong is either mended (a broken connection,
// an overload) or refused with nothing left on disk.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// What callers decide on. The errors that wrap them name the URL, without
// credentials and query, or the file, and what was expected.
var (
	// ErrSum is of content that is not what its SHA-256 says.
	ErrSum = errors.New("the content does not have the expected sha256")
	// ErrNoSum is of content whose SHA-256 nobody says, or two say differently.
	ErrNoSum = errors.New("no sha256 is known")
	// ErrUnsafe is of an archive that holds what no release holds.
	ErrUnsafe = errors.New("unsafe archive")
	// ErrTooLarge is of what goes on past its limit.
	ErrTooLarge = errors.New("too large")
	// ErrRedirect is of a server that sends elsewhere than may be followed.
	ErrRedirect = errors.New("refused redirect")
	// ErrNotFound is of a release, or one of its files, that is not there.
	ErrNotFound = errors.New("not found")
)

// Asset names an archive of a release.
type Asset struct {
	// Owner and Repo are the project's, as in "prometheus" and "node_exporter".
	Owner, Repo string
	// Name is the component's, Version has no "v": "1.12.1".
	Name, Version string
	// OS and Arch are Go's names: "linux", "amd64".
	OS, Arch string
	// Tag is the release's tag, "" for "v" and the version.
	Tag string
	// File is the archive's name: "node_exporter-1.12.1.linux-amd64.tar.gz".
	File string
	// Sums is the name of the release's file of sums, "" for "sha256sums.txt".
	Sums string
	// SHA256 is the pinned sum in hexadecimal digits. When it is "", the release's
	// own sums decide.
	SHA256 string
}

// File is an archive whose content was verified.
type File struct {
	// Path is in the folder that Get was given.
	Path string `json:"path"`
	// SHA256 is in lower case.
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	// Origin is where it came from: a URL without credentials, or a file.
	Origin string `json:"origin"`
}

// Source gives archives. Get puts an asset into the folder dir under the name
// Asset.File, which it gets only when it is whole, verified and on disk; a file that
// is there already and has the right sum is taken. dir must exist, and only the
// caller may be able to write to it. After an error nothing is left there, but for
// an interrupted download: File and ".partial", with which the next Get goes on.
type Source interface {
	Get(ctx context.Context, a Asset, dir string) (File, error)
}

func (a Asset) tag() string {
	if a.Tag != "" {
		return a.Tag
	}
	return "v" + a.Version
}

func (a Asset) sums() string {
	if a.Sums != "" {
		return a.Sums
	}
	return "sha256sums.txt"
}

// check refuses an asset whose parts could lead to other paths than their own.
func (a Asset) check() error {
	for _, part := range []struct{ what, text string }{
		{"owner", a.Owner},
		{"repository", a.Repo},
		{"tag", a.tag()},
		{"file", a.File},
		{"file of sums", a.sums()},
	} {
		if !element(part.text) {
			return fmt.Errorf("release of %s: %q cannot be the name of a %s", a.Name, part.text, part.what)
		}
	}
	if a.SHA256 != "" && !isSum(a.SHA256) {
		return fmt.Errorf("release of %s: %q is not a sha256", a.Name, a.SHA256)
	}
	return nil
}

// element says whether a text can stand between two slashes and means itself there.
func element(s string) bool {
	if s == "" || len(s) > 200 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune("._-+~", rune(c)) {
			return false
		}
	}
	return true
}
