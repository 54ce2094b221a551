package raftsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// parseTrace reads the one value of a file.
func parseTrace(r io.Reader) (*traceFile, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxTrace+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxTrace {
		return nil, fmt.Errorf("it is longer than %d bytes, which no trace is", maxTrace)
	}
	var f traceFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, jsonInWords(err, text)
	}
	end := dec.InputOffset()
	if more := bytes.TrimLeft(text[end:], " \t\r\n"); len(more) > 0 {
		return nil, fmt.Errorf("line %d: there is more behind its end: a file holds one trace", lineOf(text, int64(len(text)-len(more))))
	}
	return &f, nil
}

// jsonInWords is an error of the JSON library in the words of a trace: it has the types of a program in it, and bytes instead of lines.
func jsonInWords(err error, text []byte) error {
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %w", lineOf(text, wrong.Offset-1), wrong)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		value, _, _ := strings.Cut(wrong.Value, " ")
		name := map[string]string{"array": "a list", "object": "a map", "bool": "true or false", "string": "a text"}[value]
		if name == "" {
			name = wrong.Value // "number", with its digits where they matter
		}
		field := ""
		if wrong.Field != "" {
			field = wrong.Field + ": "
		}
		return fmt.Errorf("line %d: %s%s is not what is meant here: write %s", lineOf(text, wrong.Offset-1), field, name, meant(wrong.Type))
	}
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("line %d: it ends in the middle", lineOf(text, int64(len(text))))
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("there is no field %s in one", field)
	}
	return err
}

// meant is what a type of [traceFile] is written as.
func meant(t reflect.Type) string {
	if t == reflect.TypeFor[duration]() {
		return `a time such as "100ms"`
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Uint64, reflect.Int:
		return "a whole number, within its limits"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "a map"
}

// lineOf is the line of a byte, from 1 on.
func lineOf(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:max(0, min(offset, int64(len(text))))], []byte("\n"))
}
