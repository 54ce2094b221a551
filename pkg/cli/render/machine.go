package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/inert"
)

// apiVersion names the contract of the documents: within v1 fields are only
// added.
const apiVersion = "opsctl/v1"

type envelope struct {
	APIVersion  string  `json:"apiVersion"`
	Kind        string  `json:"kind"`
	Host        *string `json:"host,omitempty"`
	CollectedAt string  `json:"collectedAt,omitempty"`
	Opsctl      string  `json:"opsctl"`
}

func writeDocument(env *cli.Env, kind, host string, body any) error {
	data, err := document(env, kind, host, body)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", kind, err)
	}
	if env.Format == cli.YAML {
		return writeYAML(env.Out, data)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, data, "", "  "); err != nil {
		return fmt.Errorf("encoding %s: %w", kind, err)
	}
	_, err = env.Out.Write(escapeInvisible(indented.Bytes()))
	return err
}

// stamp is the envelope of now and of a host: "" for this one.
func stamp(env *cli.Env, kind, host string) envelope {
	e := envelope{APIVersion: apiVersion, Kind: kind, Opsctl: env.Version}
	if env.Now != nil {
		e.CollectedAt = env.Now().UTC().Format(time.RFC3339)
	}
	if host == "" && env.Hostname != nil {
		// A host without a name is "" in the document rather than an error.
		host, _ = env.Hostname()
		e.Host = &host
	} else if host != "" {
		e.Host = &host
	}
	return e
}

// Unstamped is env for a result that was computed, and is of no host and no time: equal ones have equal bytes.
func Unstamped(env *cli.Env) *cli.Env {
	plain := *env
	plain.Now, plain.Hostname = nil, nil
	return &plain
}

// document is the envelope and the fields of body in one JSON object.
func document(env *cli.Env, kind, host string, body any) ([]byte, error) {
	head, err := marshal(stamp(env, kind, host))
	if err != nil {
		return nil, err
	}
	fields, err := marshal(body)
	if err != nil {
		return nil, err
	}
	if len(fields) < 2 || fields[0] != '{' {
		return nil, errors.New("the body is not an object")
	}
	if string(fields) == "{}" {
		return append(head, '\n'), nil
	}
	merged := append(bytes.TrimSuffix(head, []byte("}")), ',')
	return append(append(merged, fields[1:]...), '\n'), nil
}

func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// escapeInvisible writes what a terminal could act on as \u escapes. JSON
// strings mean the same either way, and outside of strings JSON is ASCII.
func escapeInvisible(data []byte) []byte {
	return escape(data, func(out *bytes.Buffer, r rune) {
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
			return
		}
		fmt.Fprintf(out, `\u%04x`, r)
	})
}

// escape copies data, with all that a terminal could act on, but for line feeds,
// as write writes it.
func escape(data []byte, write func(*bytes.Buffer, rune)) []byte {
	var out bytes.Buffer
	out.Grow(len(data))
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == '\n' || inert.Rune(r) {
			out.Write(data[:size])
		} else {
			write(&out, r)
		}
		data = data[size:]
	}
	return out.Bytes()
}

// csvHead makes a heading a name that a program can use: LAST SEEN becomes
// last_seen.
func csvHead(head string) string {
	return strings.ReplaceAll(strings.ToLower(head), " ", "_")
}

func writeCSV(w io.Writer, heads []string, rows [][]string) error {
	var buf bytes.Buffer
	writer := csv.NewWriter(&buf)
	// Errors of a bytes.Buffer do not exist; Flush keeps the others.
	_ = writer.Write(heads)
	for _, row := range rows {
		inertRow := make([]string, len(row))
		for i, value := range row {
			inertRow[i] = Safe(value)
		}
		_ = writer.Write(inertRow)
	}
	writer.Flush()
	if err := writer.Error(); err != nil {
		return fmt.Errorf("encoding CSV: %w", err)
	}
	_, err := buf.WriteTo(w)
	return err
}

func writeNames(w io.Writer, names []string) error {
	var buf bytes.Buffer
	for _, name := range names {
		buf.WriteString(Safe(name))
		buf.WriteByte('\n')
	}
	_, err := buf.WriteTo(w)
	return err
}
