// Package treemap writes a page that shows what uses space: one self-contained HTML file with a squarified treemap that a
// script of its own draws, and the same figures as tables, for printing and where scripts are off. The page loads nothing:
// its Content-Security-Policy permits the one style and the one script that it holds, by their hashes. Names are foreign
// text: they reach the page as escaped text or as JSON that cannot end its element, with control and direction characters
// replaced.
package treemap

import (
	"fmt"
	"io"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/report/onepage"
	"github.com/opsctl/opsctl/templates"
)

// Page is what a page shows. All its texts may be foreign.
type Page struct {
	Title string
	Lead  string // a line below the title: of what, and of when
	Tiles []Tile
	// Leaves are the map; their order does not matter.
	Leaves   []Leaf
	Sections []Section
	Foot     string
}

// Tile is one figure in large type.
type Tile struct {
	Label, Value, Note string
}

// Leaf is one area of the map, within that of its group. Its size is the sum of its parts, in bytes; what is not positive
// is not drawn.
type Leaf struct {
	Group, Name string
	// Other is what is not broken down into data, indexes and free pages.
	Data, Index, Free, Other int64
	Reclaimable              *Range
	// Facts are lines of the tooltip, behind the sizes: a label and a value.
	Facts [][2]string
}

// Range is an estimate in bytes with its bounds.
type Range struct {
	Low, Bytes, High int64
}

// Section is a table below the map.
type Section struct {
	Heading string
	Notes   []string
	// Heads and Right describe the columns as those of render.Page's tables; without heads there is no table.
	Heads []string
	Right []bool
	Rows  [][]Cell
}

// Cell is a text, and a share of a whole, 0 to 1, that is drawn as a bar before it.
type Cell struct {
	Text  string
	Share *float64
}

// Cells are texts without bars.
func Cells(texts ...string) []Cell {
	cells := make([]Cell, 0, len(texts))
	for _, text := range texts {
		cells = append(cells, Cell{Text: text})
	}
	return cells
}

// Write writes the page.
func Write(w io.Writer, p *Page) error {
	s, err := onepage.Load(templates.Treemap, "treemap")
	if err != nil {
		return err
	}
	data, err := p.data()
	if err != nil {
		return fmt.Errorf("encoding the map: %w", err)
	}
	return s.Write(w, map[string]string{
		"title":    onepage.Text(p.Title),
		"heading":  onepage.Text(p.Title),
		"lead":     onepage.Text(p.Lead),
		"tiles":    tiles(p.Tiles),
		"sections": sections(p.Sections),
		"foot":     onepage.Text(p.Foot),
		"data":     string(data),
	})
}

// inertFacts makes the lines of a tooltip harmless.
func inertFacts(facts [][2]string) [][2]string {
	safe := make([][2]string, 0, len(facts))
	for _, fact := range facts {
		safe = append(safe, [2]string{inert.String(fact[0]), inert.String(fact[1])})
	}
	return safe
}
