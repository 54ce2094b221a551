package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/opsctl/opsctl/pkg/inert"
)

// AskSecret reads a line from the terminal without showing it. Where nobody can be asked the error has CodeDeclined; when
// ctx ends the terminal is left as it was.
func (e *Env) AskSecret(ctx context.Context, prompt string) (string, error) {
	in, isFile := e.In.(*os.File)
	if e.NoInput || !e.InTerm || !e.ErrTerm || !isFile {
		return "", &Error{Code: CodeDeclined, ID: "declined", Err: errors.New("a password is needed and there is nobody to ask"), Hint: "--password-file or --password-stdin gives it"}
	}
	if _, err := io.WriteString(e.Err, inert.String(prompt)); err != nil {
		return "", err
	}
	state, err := term.GetState(int(in.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(int(in.Fd()))
		read <- answer{text, err}
	}()
	defer func() { _, _ = fmt.Fprintln(e.Err) }()
	select {
	case got := <-read:
		return string(got.text), got.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(int(in.Fd()), state))
	}
}
