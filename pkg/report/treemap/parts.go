package treemap

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/report/onepage"
)

func tiles(all []Tile) string {
	var b strings.Builder
	for _, t := range all {
		b.WriteString("<div><dt>" + onepage.Text(t.Label) + "</dt><dd>" + onepage.Text(t.Value))
		if t.Note != "" {
			b.WriteString("<small>" + onepage.Text(t.Note) + "</small>")
		}
		b.WriteString("</dd></div>\n")
	}
	return b.String()
}

func sections(all []Section) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString("<section>\n<h2>" + onepage.Text(s.Heading) + "</h2>\n")
		for _, note := range s.Notes {
			b.WriteString(`<p class="note">` + onepage.Text(note) + "</p>\n")
		}
		if len(s.Heads) > 0 {
			s.table(&b)
		}
		b.WriteString("</section>\n")
	}
	return b.String()
}

func (s *Section) table(b *strings.Builder) {
	b.WriteString(`<div class="scroll"><table>` + "\n<thead><tr>")
	for i, head := range s.Heads {
		b.WriteString(`<th scope="col"` + s.class(i) + ">" + onepage.Text(head) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range s.Rows {
		b.WriteString("<tr>")
		for i, cell := range row {
			b.WriteString("<td" + s.class(i) + ">")
			if cell.Share != nil {
				b.WriteString(`<meter min="0" max="1" high="0.85" optimum="0.5" value="` + strconv.FormatFloat(*cell.Share, 'f', 4, 64) + `"></meter> `)
			}
			b.WriteString(onepage.Text(cell.Text) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table></div>\n")
}

// class marks the columns of numbers.
func (s *Section) class(column int) string {
	if column < len(s.Right) && s.Right[column] {
		return ` class="n"`
	}
	return ""
}

// jsonGroup and jsonLeaf are what the script reads.
type jsonGroup struct {
	Name   string     `json:"name"`
	Leaves []jsonLeaf `json:"leaves"`
}

type jsonLeaf struct {
	Name  string      `json:"n"`
	Data  int64       `json:"d,omitempty"`
	Index int64       `json:"i,omitempty"`
	Free  int64       `json:"f,omitempty"`
	Other int64       `json:"o,omitempty"`
	Range []int64     `json:"r,omitempty"` // low, likely, high
	Facts [][2]string `json:"t,omitempty"`
}

// data is the map as JSON in which <, > and & are escapes, so that no name can end the element that holds it (encoding/json
// does that by default, and for U+2028 and U+2029 as well).
func (p *Page) data() ([]byte, error) {
	groups, place := []jsonGroup{}, map[string]int{}
	for _, leaf := range p.Leaves {
		name := inert.String(leaf.Group)
		at, known := place[name]
		if !known {
			at = len(groups)
			place[name] = at
			groups = append(groups, jsonGroup{Name: name})
		}
		entry := jsonLeaf{
			Name: inert.String(leaf.Name), Facts: inertFacts(leaf.Facts),
			Data: max(leaf.Data, 0), Index: max(leaf.Index, 0), Free: max(leaf.Free, 0), Other: max(leaf.Other, 0),
		}
		if r := leaf.Reclaimable; r != nil {
			entry.Range = []int64{r.Low, r.Bytes, r.High}
		}
		groups[at].Leaves = append(groups[at].Leaves, entry)
	}
	return json.Marshal(struct {
		Groups []jsonGroup `json:"groups"`
	}{groups})
}
