package render

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// usualWidth is how many columns a table may have where nothing wider is known: a terminal's of old, and a mail's.
const usualWidth = 80

// shortest is down to what a cell is cut.
const shortest = 9

// Shorten cuts cells of the columns that are named by their numbers, those of the widest column first, until a table of heads and
// rows has no more columns than the terminal, or 80 where there is none or a narrower one. Ends stay: names differ in them. A cell
// is never cut below 9 columns, so that a table may still be wider.
func (p *Page) Shorten(heads []string, rows [][]string, columns ...int) {
	measure := newMeasure()
	limit := usualWidth
	if p.env.OutTerm {
		limit = max(limit, p.env.Width)
	}
	widths := make([]int, len(heads))
	total := len(gap) * (len(heads) - 1)
	for i, head := range heads {
		widths[i] = measure.StringWidth(Safe(head))
		for _, row := range rows {
			widths[i] = max(widths[i], measure.StringWidth(Safe(row[i])))
		}
		total += widths[i]
	}
	for over := total - limit; over > 0; over-- {
		widest := -1
		for _, c := range columns {
			if widths[c] > max(shortest, measure.StringWidth(heads[c])) && (widest < 0 || widths[c] > widths[widest]) {
				widest = c
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	for _, row := range rows {
		for _, c := range columns {
			row[c] = shortened(measure, row[c], widths[c])
		}
	}
}

// shortened is text with dots instead of what is too much, before its last five columns.
func shortened(measure *runewidth.Condition, text string, width int) string {
	text = Safe(text)
	if measure.StringWidth(text) <= width {
		return text
	}
	const dots, tail = "...", 5
	runes := []rune(text)
	from, used := len(runes), 0
	for from > 0 && used+measure.RuneWidth(runes[from-1]) <= tail {
		from--
		used += measure.RuneWidth(runes[from])
	}
	var head strings.Builder
	for _, r := range runes {
		if used += measure.RuneWidth(r); used > width-len(dots) {
			break
		}
		head.WriteRune(r)
	}
	return head.String() + dots + string(runes[from:])
}
