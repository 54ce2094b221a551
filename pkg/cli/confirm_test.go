package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestConfirm(t *testing.T) {
	for answer, want := range map[string]Code{"y\n": 0, "YES \n": 0, "n\n": CodeDeclined, "\n": CodeDeclined, "": CodeDeclined, "yess\n": CodeDeclined} {
		var stderr bytes.Buffer
		env := &Env{In: strings.NewReader(answer), Err: &stderr, InTerm: true, ErrTerm: true}
		if got := codeOf(env.Confirm("Apply?")); got != want || stderr.String() != "Apply? [y/N] " {
			t.Errorf("%q: code %d, %d wanted; %q", answer, got, want, stderr.String())
		}
	}
	for name, env := range map[string]*Env{
		"no terminal to read from": {ErrTerm: true}, "no terminal to ask on": {InTerm: true}, "told not to ask": {InTerm: true, ErrTerm: true, NoInput: true},
	} {
		env.In, env.Err = strings.NewReader("y\n"), &bytes.Buffer{}
		if got := codeOf(env.Confirm("Apply?")); got != CodeDeclined {
			t.Errorf("%s: code %d", name, got)
		}
	}
}

func codeOf(err error) Code {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Code
	}
	return 0
}
