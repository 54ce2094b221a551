package raftplay

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// Bounds of a timeline's width in terminal columns.
const (
	narrowest = 60
	widest    = 200
)

// Timeline writes the run as text for a terminal of width columns, from 60 to 200: first all of it in a few lines, a line a node,
// then what happened, a column a node, with stretches folded in which nothing did. Colour is never all that tells two things apart.
func Timeline(w io.Writer, rec *trace.Recording, width int, colour bool) error {
	out := bufio.NewWriter(w)
	p := &pencil{w: out, width: min(max(width, narrowest), widest), colour: colour}
	p.strip(rec)
	p.line("")
	p.story(rec)
	p.line("")
	if rec.Omitted > 0 {
		p.wrapped(fmt.Sprintf("The recording ends here: it was full, and %d more events are not in it.", rec.Omitted))
	}
	p.wrapped(rec.Sentence)
	return out.Flush()
}

// paint is a colour of a terminal, by the number that selects it.
type paint string

const (
	plain  paint = ""
	dim    paint = "2"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	violet paint = "35"
)

// pencil writes lines. Errors of its writer are kept by it until the flush.
type pencil struct {
	w      *bufio.Writer
	width  int
	colour bool
}

func (p *pencil) line(s string) { _, _ = p.w.WriteString(strings.TrimRight(s, " ") + "\n") }

func (p *pencil) paint(with paint, s string) string {
	if !p.colour || with == plain || strings.TrimSpace(s) == "" {
		return s
	}
	return "\x1b[" + string(with) + "m" + s + "\x1b[0m"
}

// wrapped writes foreign text in lines.
func (p *pencil) wrapped(s string) {
	if s == "" {
		return
	}
	for _, part := range wrap(inert.String(s), p.width) {
		p.line(part)
	}
}

// measure counts terminal columns the same way wherever it runs.
var measure = runewidth.Condition{StrictEmojiNeutral: true}

// wrap breaks text at spaces, and words that are longer than a line anywhere.
func wrap(s string, width int) (lines []string) {
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		for measure.StringWidth(word) > width {
			head := measure.Truncate(word, width, "")
			if head == "" {
				break
			}
			if line != "" {
				lines = append(lines, line)
			}
			lines, line, used = append(lines, head), "", 0
			word = word[len(head):]
		}
		long := measure.StringWidth(word)
		switch {
		case used == 0:
			line, used = word, long
		case used+1+long <= width:
			line, used = line+" "+word, used+1+long
		default:
			lines = append(lines, line)
			line, used = word, long
		}
	}
	return append(lines, line)
}

// pad cuts or fills text to a width.
func pad(s string, width int) string {
	s = measure.Truncate(s, width, "")
	return s + strings.Repeat(" ", max(width-measure.StringWidth(s), 0))
}

// lasting is a time as people say it.
func lasting(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
