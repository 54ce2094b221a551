package plan

import (
	"bytes"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff is what changes between two texts of a file, in unified form; nil is a file that is not there.
func Diff(name string, before, after []byte) string {
	from, to := name, name
	if before == nil {
		from = "/dev/null"
	}
	if after == nil {
		to = "/dev/null"
	}
	text := diff.Diff(from, before, to, after)
	_, text, _ = bytes.Cut(text, []byte("\n")) // "diff FROM TO" says nothing that the next lines do not
	return string(text)
}
