package plan

import "github.com/rogpeppe/go-internal/diff"

// Diff is what changes between two texts of a file, in unified form; nil is a file that is not there.
func Diff(name string, before, after []byte) string {
	old, new := name, name
	if before == nil {
		old = "/dev/null"
	}
	if after == nil {
		new = "/dev/null"
	}
	return string(diff.Diff(old, before, new, after))
}
