package render

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Wrap breaks the last column's cells at spaces, into rows in which nothing else stands, so that a table of heads and rows is as wide
// as the terminal at most. Where there is none, rows stay whole, for other programs. The column keeps at least the room of its head.
func (p *Page) Wrap(heads []string, rows [][]string) (wrapped [][]string) {
	if !p.env.OutTerm || p.env.Width < narrowest {
		return rows
	}
	measure, last := newMeasure(), len(heads)-1
	room := p.env.Width - len(gap)*last
	for i, head := range heads[:last] {
		width := measure.StringWidth(Safe(head))
		for _, row := range rows {
			width = max(width, measure.StringWidth(Safe(row[i])))
		}
		room -= width
	}
	room = max(room, measure.StringWidth(heads[last]))
	for _, row := range rows {
		lines := wrap(measure, row[last], room)
		wrapped = append(wrapped, append(row[:last:last], lines[0]))
		for _, line := range lines[1:] {
			wrapped = append(wrapped, append(make([]string, last), line))
		}
	}
	return wrapped
}

// wrap is text in lines of at most width columns, or of a word that is longer.
func wrap(measure *runewidth.Condition, text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(Safe(text)) {
		switch {
		case line == "":
			line = word
		case measure.StringWidth(line)+1+measure.StringWidth(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
