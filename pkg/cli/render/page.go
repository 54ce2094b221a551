package render

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/cli"
)

// Page writes a report for people: headings, paragraphs and tables. All text
// passes Safe, except what Severity has coloured.
type Page struct {
	env    *cli.Env
	buf    bytes.Buffer
	styled map[string]string // coloured text -> the word inside
}

func newPage(env *cli.Env) *Page {
	return &Page{env: env, styled: map[string]string{}}
}

// Wide reports whether -o wide asked for everything there is.
func (p *Page) Wide() bool { return p.env.Format == cli.Wide }

// Time is t as reports show it; see the function Time.
func (p *Page) Time(t time.Time) string { return Time(p.env, t) }

// Bytes is n in IEC units.
func (p *Page) Bytes(n int64) string { return Bytes(n) }

// Heading starts a section, with an empty line before it unless it is the
// first.
func (p *Page) Heading(s string) {
	p.blank()
	text := Safe(s)
	if p.env.Color {
		text = bold + text + reset
	}
	p.buf.WriteString(text + "\n")
}

// Para writes a paragraph of its own line or lines. On a terminal it is wrapped
// at the terminal's width. Values in a are made inert; newlines in format stay.
func (p *Page) Para(format string, a ...any) {
	safe := make([]any, len(a))
	for i, v := range a {
		safe[i] = inertArg{v, p}
	}
	for line := range strings.Lines(fmt.Sprintf(format, safe...)) {
		p.writeWrapped(strings.TrimSuffix(line, "\n"))
	}
}

// Text writes lines as they are, but inert: a diff, a file.
func (p *Page) Text(s string) {
	for line := range strings.Lines(s) {
		p.buf.WriteString(Safe(strings.TrimSuffix(line, "\n")) + "\n")
	}
}

// Drawn writes lines as they are: what was made inert where it was drawn, and may be coloured.
func (p *Page) Drawn(s string) { p.buf.WriteString(s) }

// Table writes a table. right says which columns align right and may be shorter
// than heads; without any head there is no heading line. A cell that came from
// Severity keeps its colour if it is nothing but that.
func (p *Page) Table(heads []string, right []bool, rows [][]string) {
	t := table{heads: heads, right: right}
	for _, row := range rows {
		cells := make([]cell, len(row))
		for i, text := range row {
			if word, ok := p.styled[text]; ok {
				cells[i] = cell{text: word, styled: text}
			} else {
				cells[i] = cell{text: Safe(text)}
			}
		}
		t.rows = append(t.rows, cells)
	}
	t.write(&p.buf)
}

// Severity colours a word such as critical, high, FAIL, warn or ok, when
// colours are on. The word itself always says the same as the colour.
func (p *Page) Severity(word string) string {
	word = Safe(word)
	style := severityStyle(word)
	if !p.env.Color || style == "" {
		return word
	}
	text := style + word + reset
	p.styled[text] = word
	return text
}

// ECMA-48 select graphic rendition; the eight basic colours follow the
// terminal's own theme.
const (
	reset  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	redB   = "\x1b[1;31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
)

func severityStyle(word string) string {
	switch strings.ToLower(word) {
	case "critical":
		return redB
	case "high", "fail", "failed", "error", "dead", "refused", "no":
		return red
	case "medium", "warn", "warning", "unknown", "unused":
		return yellow
	case "low", "info":
		return cyan
	case "ok", "pass", "used", "accepted", "yes":
		return green
	default:
		return ""
	}
}

func (p *Page) blank() {
	if p.buf.Len() > 0 {
		p.buf.WriteByte('\n')
	}
}

// maxLine bounds paragraphs on very wide terminals; a terminal that says to have
// fewer columns than narrowest knows nothing of its width.
const (
	maxLine   = 100
	narrowest = 20
)

func (p *Page) writeWrapped(line string) {
	width := min(p.env.Width, maxLine)
	if !p.env.OutTerm || width < narrowest {
		p.buf.WriteString(line + "\n")
		return
	}
	measure := newMeasure()
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	used := 0
	for i, word := range strings.Fields(line) {
		w := measure.StringWidth(p.unstyled(word))
		switch {
		case i == 0:
			p.buf.WriteString(indent)
			used = len(indent)
		case used+1+w > width:
			p.buf.WriteString("\n" + indent)
			used = len(indent)
		default:
			p.buf.WriteByte(' ')
			used++
		}
		p.buf.WriteString(word)
		used += w
	}
	p.buf.WriteByte('\n')
}

// unstyled strips the colours that Severity put around words.
func (p *Page) unstyled(word string) string {
	for styled, plain := range p.styled {
		word = strings.ReplaceAll(word, styled, plain)
	}
	return word
}

// inertArg formats a value as fmt would and makes the outcome inert.
type inertArg struct {
	v any
	p *Page
}

// Format implements fmt.Formatter.
func (a inertArg) Format(f fmt.State, verb rune) {
	text := fmt.Sprintf(fmt.FormatString(f, verb), a.v)
	if _, ok := a.p.styled[text]; !ok {
		text = Safe(text)
	}
	_, _ = f.Write([]byte(text))
}
