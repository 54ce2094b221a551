package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/opsctl/opsctl/pkg/inert"
)

type jsonError struct {
	Error jsonErrorBody `json:"error"`
}

type jsonErrorBody struct {
	ID      string `json:"id"`
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// report writes an error to stderr: one line of JSON with -o json, else a line
// for each message and one for the hint. A check that found something has said
// so on stdout already.
func report(env *Env, failure *Error) {
	if failure.Code == CodeFound && failure.Err == nil {
		return
	}
	var buf bytes.Buffer
	if env.Format == JSON {
		encoder := json.NewEncoder(&buf)
		encoder.SetEscapeHTML(false)
		body := jsonErrorBody{ID: failure.ID, Code: failure.Code, Message: failure.Error(), Hint: failure.Hint}
		if err := encoder.Encode(jsonError{body}); err != nil {
			env.Log.Error("encoding the error", "err", err)
		}
	} else {
		for line := range strings.Lines(failure.Error()) {
			buf.WriteString("opsctl: " + inert.String(strings.TrimSuffix(line, "\n")) + "\n")
		}
		if failure.Hint != "" {
			buf.WriteString("hint: " + inert.String(failure.Hint) + "\n")
		}
	}
	// A failing stderr leaves nobody to tell.
	_, _ = io.Copy(env.Err, &buf)
}
