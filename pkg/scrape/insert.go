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

// appendItem are the ways to put a new item behind the last one of a list that is there.
func (f *file) appendItem(p place, s style, item *yaml.Node, mark bool) ([]change, error) {
	mean := func(n *yaml.Node) { n.Content = append(n.Content, item) }
	if p.isFlow() {
		return f.appendFlow(p, []*yaml.Node{item}, mean, false)
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
	lines := s.item(item, d.col)
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
		return f.appendFlow(p, []*yaml.Node{key, value}, mean, true)
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

// appendFlow is the way to put an element behind the last one in brackets: parts is an item, or a key and its value. A
// list that had to be made stands apart from its brackets, which tells it from one that was there empty.
func (f *file) appendFlow(p place, parts []*yaml.Node, mean func(*yaml.Node), made bool) ([]change, error) {
	found, err := f.flow(p.node)
	if err != nil {
		return nil, err
	}
	if f.isJSON() {
		for i, part := range parts {
			parts[i] = asJSON(part)
		}
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = inline(part)
	}
	if last := texts[len(texts)-1]; made && parts[len(parts)-1].Kind != yaml.ScalarNode {
		texts[len(texts)-1] = last[:1] + " " + last[1:len(last)-1] + " " + last[len(last)-1:]
	}
	return []change{{f.flowSplices(found, strings.Join(texts, ": ")), p.path, mean}}, nil
}

// flowSplices put text behind the last element, on a line of its own where that has one.
func (f *file) flowSplices(found flow, text string) []splice {
	if len(found.elements) == 0 {
		return []splice{{at: found.open + 1, text: text}}
	}
	last := found.elements[len(found.elements)-1]
	number := f.lineOf(last.start)
	indent, own := f.ownLine(last.start)
	if !own {
		return []splice{{at: last.end, text: ", " + text}}
	}
	number = max(number, f.lineOf(last.end-1))
	end := last.end
	if found.trailing {
		end = last.comma + 1
		number = f.lineOf(last.comma)
	}
	line := f.newline(number+1) + indent + text
	if f.restIsComment(end) {
		at := f.lines[number].end
		if found.trailing {
			return []splice{{at: at, text: line + ","}}
		}
		return []splice{{at: end, text: ","}, {at: at, text: line}}
	}
	return []splice{{at: last.end, text: "," + line}}
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
