// Package render writes the result of a command to stdout in the format that
// the user chose: table and wide for people, json, yaml, csv and name for
// programs. Text from outside is made inert before it reaches a table; JSON and
// YAML keep the truth and escape what a terminal would act on.
package render

import (
	"bytes"
	"io"
	"time"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/inert"
)

// Safe replaces control characters (tab and newline too), bidirectional
// controls and other invisible format characters, and bytes that are no UTF-8
// by U+FFFD.
func Safe(s string) string { return inert.String(s) }

// Time is t as tables show it, in the local zone with its name or in UTC; "-"
// for the zero time.
func Time(env *cli.Env, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(env.Zone()).Format("2006-01-02 15:04:05 MST")
}

// Bytes is n in IEC units, such as "3.0 GiB".
func Bytes(n int64) string { return bytesize.Format(n) }

// Column is one column of a list.
type Column[T any] struct {
	// Head is the heading in upper case; in lower case it heads the CSV column.
	Head string
	// Wide columns are shown with -o wide and in CSV only.
	Wide bool
	// Right aligns numbers.
	Right bool
	Value func(T) string
	// Raw is the value for CSV where it differs: base units, RFC 3339.
	Raw func(T) string
}

// List writes items. In JSON and YAML they are marshalled whole under "items",
// which is [] when there are none; in tables and CSV as cols say; with -o name
// one name a line.
func List[T any](env *cli.Env, kind string, cols []Column[T], name func(T) string, items []T) error {
	switch env.Format {
	case cli.JSON, cli.YAML:
		if items == nil {
			items = []T{}
		}
		return writeDocument(env, kind, "", struct {
			Items []T `json:"items"`
		}{items})
	case cli.CSV:
		heads, rows := csvCells(cols, items)
		return writeCSV(env.Out, heads, rows)
	case cli.Name:
		names := make([]string, 0, len(items))
		for _, item := range items {
			names = append(names, name(item))
		}
		return writeNames(env.Out, names)
	default:
		return writeList(env, cols, items)
	}
}

func writeList[T any](env *cli.Env, cols []Column[T], items []T) error {
	var t table
	for _, col := range cols {
		if !col.Wide || env.Format == cli.Wide {
			t.heads = append(t.heads, col.Head)
			t.right = append(t.right, col.Right)
		}
	}
	for _, item := range items {
		row := make([]cell, 0, len(t.heads))
		for _, col := range cols {
			if !col.Wide || env.Format == cli.Wide {
				row = append(row, cell{text: Safe(col.Value(item))})
			}
		}
		t.rows = append(t.rows, row)
	}
	var buf bytes.Buffer
	t.write(&buf)
	_, err := buf.WriteTo(env.Out)
	return err
}

func csvCells[T any](cols []Column[T], items []T) (heads []string, rows [][]string) {
	for _, col := range cols {
		heads = append(heads, csvHead(col.Head))
	}
	for _, item := range items {
		row := make([]string, 0, len(cols))
		for _, col := range cols {
			value := col.Value
			if col.Raw != nil {
				value = col.Raw
			}
			row = append(row, value(item))
		}
		rows = append(rows, row)
	}
	return heads, rows
}

// View is a result that is more than one list.
type View struct {
	Kind string
	// Host is whose data this is; "" stands for the host opsctl runs on.
	Host string
	// Body is a struct or map that marshals to a JSON object; the envelope's
	// fields are put in front of its own.
	Body any
	// Page writes the report for people.
	Page func(p *Page)
	// CSV returns the table that matters most; nil refuses -o csv.
	CSV func() (head []string, rows [][]string)
	// Names returns what -o name prints, one a line; nil refuses -o name.
	Names func() []string
	// Others write the formats that the command has besides (cli.WithFormats).
	Others map[cli.Format]func(io.Writer) error
}

// Document writes v in the chosen format. A format that v has no form for is a
// usage error.
func Document(env *cli.Env, v View) error {
	switch env.Format {
	case cli.JSON, cli.YAML:
		return writeDocument(env, v.Kind, v.Host, v.Body)
	case cli.CSV:
		if v.CSV == nil {
			return cli.Usagef("%s has no CSV form; use -o json", v.Kind)
		}
		heads, rows := v.CSV()
		return writeCSV(env.Out, heads, rows)
	case cli.Name:
		if v.Names == nil {
			return cli.Usagef("%s has no names to list; use -o json", v.Kind)
		}
		return writeNames(env.Out, v.Names())
	case cli.Prom, cli.HTML, cli.SVG:
		return v.other(env)
	default:
		p := newPage(env)
		v.Page(p)
		_, err := p.buf.WriteTo(env.Out)
		return err
	}
}

// other writes one of the formats that single commands have: whole or, after an error, not at all.
func (v *View) other(env *cli.Env) error {
	write := v.Others[env.Format]
	if write == nil {
		return cli.Usagef("%s has no form %s; use -o json", v.Kind, env.Format)
	}
	var buf bytes.Buffer
	if err := write(&buf); err != nil {
		return err
	}
	_, err := buf.WriteTo(env.Out)
	return err
}
