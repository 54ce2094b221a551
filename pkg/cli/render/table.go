package render

import (
	"bytes"
	"strings"

	"github.com/mattn/go-runewidth"
)

// gap is what stands between two columns.
const gap = "  "

// cell is inert text and what to print for it: the text itself, or the text
// with colour around it.
type cell struct {
	text   string
	styled string
}

// table lays out cells in columns measured in terminal cells, not bytes or
// runes: 库 takes two.
type table struct {
	heads []string
	right []bool
	rows  [][]cell
}

// write prints the heading, unless all heads are empty, and the rows. The last
// column is not padded, so that no line ends in spaces.
func (t *table) write(buf *bytes.Buffer) {
	measure := newMeasure()
	widths := make([]int, len(t.heads))
	rows := t.rows
	if strings.Join(t.heads, "") != "" {
		heads := make([]cell, len(t.heads))
		for i, head := range t.heads {
			heads[i] = cell{text: Safe(head)}
		}
		rows = append([][]cell{heads}, rows...)
	}
	for _, row := range rows {
		for i := range widths {
			if i < len(row) {
				widths[i] = max(widths[i], measure.StringWidth(row[i].text))
			}
		}
	}
	for _, row := range rows {
		t.writeRow(buf, measure, widths, row)
	}
}

func (t *table) writeRow(buf *bytes.Buffer, measure *runewidth.Condition, widths []int, row []cell) {
	var line strings.Builder
	for i, width := range widths {
		var c cell
		if i < len(row) {
			c = row[i]
		}
		if i > 0 {
			line.WriteString(gap)
		}
		pad := strings.Repeat(" ", width-measure.StringWidth(c.text))
		if i < len(t.right) && t.right[i] {
			line.WriteString(pad)
			pad = ""
		}
		if c.styled != "" {
			line.WriteString(c.styled)
		} else {
			line.WriteString(c.text)
		}
		line.WriteString(pad)
	}
	buf.WriteString(strings.TrimRight(line.String(), " "))
	buf.WriteByte('\n')
}

// newMeasure measures text as today's terminals draw it. The package's own
// default widens Greek and box characters under East Asian locales, which only
// some terminals do, and depends on the process environment.
func newMeasure() *runewidth.Condition {
	return &runewidth.Condition{StrictEmojiNeutral: true}
}
