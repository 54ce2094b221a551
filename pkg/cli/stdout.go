package cli

import (
	"errors"
	"fmt"
	"io"
)

// errStdout marks errors of writing the result, so that a closed pipe on
// stdout is told apart from one in the middle of the work.
var errStdout = errors.New("writing the result")

// stdout remembers the first failed write. A result that did not arrive whole
// must not end with code 0, also when the command ignored the error.
type stdout struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (s *stdout) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	if err != nil {
		s.err = fmt.Errorf("%w: %w", errStdout, err)
	}
	return n, s.err
}
