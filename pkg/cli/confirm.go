package cli

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/opsctl/opsctl/pkg/inert"
)

// errDeclined is the error of a question that was not answered with yes.
var errDeclined = errors.New("declined: nothing was changed")

// Confirm asks a question on stderr and reads the answer: nil for yes, an error with CodeDeclined for anything else, and
// where nobody can be asked.
func (e *Env) Confirm(question string) error {
	if e.NoInput || !e.InTerm || !e.ErrTerm {
		return &Error{Code: CodeDeclined, ID: "declined", Err: errors.New("there is nobody to ask"), Hint: "--yes applies the plan without a question, --dry-run only shows it"}
	}
	if _, err := io.WriteString(e.Err, inert.String(question)+" [y/N] "); err != nil {
		return err
	}
	answer, err := bufio.NewReader(io.LimitReader(e.In, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return &Error{Code: CodeDeclined, ID: "declined", Err: errDeclined}
}
