package scrape

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// deleteItem are the ways to take item i out of a list. A block list that loses its last item leaves its key without a
// value.
func (f *file) deleteItem(p place, i int) ([]change, error) {
	mean := func(n *yaml.Node) {
		n.Content = slices.Delete(n.Content, i, i+1)
		if len(n.Content) == 0 && n.Style&yaml.FlowStyle == 0 {
			*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Anchor: n.Anchor}
		}
	}
	if err := f.usedElsewhere(p.node.Content[i]); err != nil {
		return nil, err
	}
	if p.isFlow() {
		return f.deleteFlow(p, i, mean)
	}
	item, err := f.item(p, i)
	if err != nil {
		return nil, err
	}
	d, err := f.dash(item.node)
	if err != nil {
		return nil, err
	}
	end := f.bodyEnd(max(d.line, item.node.Line-1), item.limit, d.col)
	return f.withoutLines(d.line, end, i > 0, p.path, mean), nil
}

// deleteKey are the ways to take a key with its value out of the mapping p.
func (f *file) deleteKey(p, value place) ([]change, error) {
	at := value.path[len(value.path)-1] - 1
	mean := func(n *yaml.Node) { n.Content = slices.Delete(n.Content, at, at+2) }
	if err := f.usedElsewhere(value.node); err != nil {
		return nil, err
	}
	if p.isFlow() {
		return f.deleteFlow(p, at/2, mean)
	}
	if _, own := f.ownLine(f.offset(value.key)); !own {
		return nil, f.fault(value.key, "%s shares its line with something else", value.key.Value)
	}
	first := value.key.Line - 1
	return f.withoutLines(first, f.bodyEnd(first, value.limit, value.key.Column-1), true, p.path, mean), nil
}

// withoutLines are the ways to take lines away: with the empty line above, if there may be one, and without.
func (f *file) withoutLines(from, to int, blank bool, path []int, mean func(*yaml.Node)) []change {
	var changes []change
	if blank && f.blankAbove(from) {
		changes = append(changes, change{[]splice{f.deleteLines(from-1, to)}, path, mean})
	}
	return append(changes, change{[]splice{f.deleteLines(from, to)}, path, mean})
}

// deleteFlow is the way to take element i out of brackets.
func (f *file) deleteFlow(p place, i int, mean func(*yaml.Node)) ([]change, error) {
	found, err := f.flow(p.node)
	if err != nil {
		return nil, err
	}
	e, last := found.elements[i], i == len(found.elements)-1
	var splices []splice
	switch indent, own := f.ownLine(e.start); {
	case len(found.elements) == 1:
		end := e.end
		if found.trailing {
			end = e.comma + 1
		}
		splices = []splice{{at: e.start, del: end - e.start}}
	case !last && !own:
		splices = []splice{{at: e.start, del: found.elements[i+1].start - e.start}}
	case own:
		splices = f.deleteFlowLine(found, i, e.start-len(indent))
	default:
		before := found.elements[i-1].end
		splices = []splice{{at: before, del: e.end - before}}
	}
	return []change{{splices, p.path, mean}}, nil
}

// deleteFlowLine takes away an element that begins in a line of its own, at start with its indentation.
func (f *file) deleteFlowLine(found flow, i, start int) []splice {
	e, last := found.elements[i], i == len(found.elements)-1
	end := e.end
	if e.comma > 0 {
		end = e.comma + 1
	}
	if f.restIsComment(end) {
		// With the comment behind it, up to the end of the line.
		end = f.lines[f.lineOf(end-1)].end
	}
	if number := f.lineOf(start); number > 0 {
		start = f.lines[number-1].end
	}
	if !last || e.comma > 0 {
		return []splice{{at: start, del: end - start}}
	}
	comma := found.elements[i-1].comma
	if comma >= start {
		start = comma + 1
	}
	return []splice{{at: comma, del: 1}, {at: start, del: end - start}}
}

// usedElsewhere refuses to take away an anchor that an alias further on refers to.
func (f *file) usedElsewhere(gone *yaml.Node) error {
	anchors := map[*yaml.Node]bool{}
	inside := map[*yaml.Node]bool{}
	walk(gone, func(n *yaml.Node) {
		inside[n] = true
		if n.Anchor != "" {
			anchors[n] = true
		}
	})
	if len(anchors) == 0 {
		return nil
	}
	var fault error
	walk(f.root, func(n *yaml.Node) {
		if fault == nil && n.Kind == yaml.AliasNode && anchors[n.Alias] && !inside[n] {
			fault = f.fault(n.Alias, "the anchor &%s, which line %d refers to, would go with it", n.Alias.Anchor, n.Line)
		}
	})
	return fault
}

func walk(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, c := range n.Content {
		walk(c, visit)
	}
}
