package scrape

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// remark stands behind a line that [Add] had to write for a list to be there; [Remove] takes that line away with the last
// item of the list.
const remark = "  # added by opsctl"

// marked says whether a line carries the remark.
func (f *file) marked(line int) bool {
	return line >= 0 && line < len(f.lines) && strings.HasSuffix(strings.TrimRight(string(f.text(line)), " \t"), strings.TrimLeft(remark, " "))
}

// appendItems are the ways to put new items behind the last one of a list that is there.
func (f *file) appendItems(p place, s style, mark bool, items ...*yaml.Node) ([]change, error) {
	mean := func(n *yaml.Node) { n.Content = append(n.Content, items...) }
	if p.isFlow() {
		return f.appendFlow(p, mean, f.inline(items)...)
	}
	last := len(p.node.Content) - 1
	d, err := f.dash(p.node.Content[last])
	if err != nil {
		return nil, err
	}
	apart := false
	if last > 0 {
		apart = f.blankAbove(f.above(d.line, d.col))
	}
	lines := s.items(seq(0, items...), d.col)
	if mark {
		lines[0] += remark
	}
	var changes []change
	for _, at := range []int{f.bodyEnd(d.line, p.limit, d.col), p.limit} {
		for _, blank := range []bool{apart, !apart} {
			changes = append(changes, change{[]splice{f.insertLines(at, withBlank(blank, lines))}, p.path, mean})
		}
	}
	return changes, nil
}

// above is the first line of the comments that stand directly above line i, no deeper than col.
func (f *file) above(i, col int) int {
	for i > 0 && f.isComment(i-1) && f.indent(i-1) <= col {
		i--
	}
	return i
}

func withBlank(blank bool, lines []string) []string {
	if blank {
		return append([]string{""}, lines...)
	}
	return lines
}

// fill are the ways to write value where a key has none. It is for block style.
func (f *file) fill(p place, s style, value *yaml.Node, mark bool) ([]change, error) {
	mean := func(n *yaml.Node) { *n = *value }
	if p.key == nil || p.key.Line != p.node.Line && p.node.Line != 0 && p.node.Line-1 >= p.limit {
		return nil, f.fault(p.node, "there is nothing here to add to")
	}
	col := p.key.Column - 1
	lines := s.items(value, col+s.list)
	if value.Kind == yaml.MappingNode {
		lines = s.pairs(value, col+s.step)
	}
	if mark {
		lines[0] += remark
	}
	var changes []change
	for _, at := range []int{f.bodyEnd(p.key.Line-1, p.limit, col), p.key.Line} {
		changes = append(changes, change{[]splice{f.insertLines(at, lines)}, p.path, mean})
	}
	return changes, nil
}

// appendKey are the ways to put a key behind the last one of a mapping. An empty document is a mapping without keys.
func (f *file) appendKey(p place, s style, name string, value *yaml.Node) ([]change, error) {
	key := str(name, 0)
	mean := func(n *yaml.Node) { n.Content = append(n.Content, key, value) }
	if p.node != nil && p.isFlow() {
		texts := f.inline([]*yaml.Node{key, value})
		return f.appendFlow(p, mean, texts[0]+": "+apart(texts[1]))
	}
	if p.node == nil {
		lines := s.pair(key, value, 0, remark)
		return []change{
			{[]splice{f.insertLines(p.limit, withBlank(p.limit > 0, lines))}, nil, mean},
			{[]splice{f.insertLines(p.limit, lines)}, nil, mean},
		}, nil
	}
	if len(p.node.Content) == 0 {
		return nil, f.fault(p.node, "there is nothing here to add %s to", name)
	}
	first, last := p.node.Content[0], p.node.Content[len(p.node.Content)-2]
	col := first.Column - 1
	lines := s.pair(key, value, col, remark)
	places, blanks := []int{f.bodyEnd(last.Line-1, p.limit, col), p.limit}, []bool{false, true}
	if len(p.path) == 0 {
		places, blanks = []int{places[1], places[0]}, []bool{true, false}
	}
	var changes []change
	for _, at := range places {
		for _, blank := range blanks {
			changes = append(changes, change{[]splice{f.insertLines(at, withBlank(blank, lines))}, p.path, mean})
		}
	}
	return changes, nil
}

// appendFlow is the way to put elements behind the last one in brackets.
func (f *file) appendFlow(p place, mean func(*yaml.Node), texts ...string) ([]change, error) {
	found, err := f.flow(p.node)
	if err != nil {
		return nil, err
	}
	return []change{{f.flowSplices(found, texts), p.path, mean}}, nil
}

// inline writes parts for brackets, as JSON in a file that is JSON.
func (f *file) inline(parts []*yaml.Node) []string {
	var texts []string
	for _, part := range parts {
		if f.isJSON() {
			part = asJSON(part)
		}
		texts = append(texts, inline(part))
	}
	return texts
}

// apart puts blanks inside the brackets of a value that had to be made, which tells it from one that was there empty.
func apart(text string) string {
	last := len(text) - 1
	return text[:1] + " " + text[1:last] + " " + text[last:]
}

// flowSplices put texts behind the last element, each on a line of its own where that has one.
func (f *file) flowSplices(found flow, texts []string) []splice {
	if len(found.elements) == 0 {
		return []splice{{at: found.open + 1, text: strings.Join(texts, ", ")}}
	}
	last := found.elements[len(found.elements)-1]
	indent, own := f.ownLine(last.start)
	if !own {
		return []splice{{at: last.end, text: ", " + strings.Join(texts, ", ")}}
	}
	end, number := last.end, f.lineOf(last.end-1)
	if found.trailing {
		end, number = last.comma+1, f.lineOf(last.comma)
	}
	lead := f.newline(number+1) + indent
	lines := lead + strings.Join(texts, ","+lead)
	switch at := f.lines[number].end; {
	case !f.restIsComment(end):
		return []splice{{at: last.end, text: "," + lines}}
	case found.trailing:
		return []splice{{at: at, text: lines + ","}}
	default:
		return []splice{{at: end, text: ","}, {at: at, text: lines}}
	}
}

// ownLine says whether data[at] is the first sign of its line, and what stands before it.
func (f *file) ownLine(at int) (indent string, own bool) {
	before := string(f.data[f.lines[f.lineOf(at)].start:at])
	return before, strings.Trim(before, " \t") == ""
}

// restIsComment says whether nothing but a comment follows in the line from at on.
func (f *file) restIsComment(at int) bool {
	rest := strings.TrimLeft(string(f.data[at:f.lines[f.lineOf(at-1)].end]), " \t")
	return rest == "" || rest[0] == '#'
}

// lineOf is the index of the line that holds data[at].
func (f *file) lineOf(at int) int {
	for i, l := range f.lines {
		if at < l.next {
			return i
		}
	}
	return len(f.lines) - 1
}

// isJSON says whether the file is JSON at heart: all in brackets, its first key in double quotes.
func (f *file) isJSON() bool {
	return f.root != nil && f.root.Style&yaml.FlowStyle != 0 && len(f.root.Content) > 0 && f.root.Content[0].Style&yaml.DoubleQuotedStyle != 0
}
