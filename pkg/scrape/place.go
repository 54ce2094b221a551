package scrape

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"
)

// place is where a value stands.
type place struct {
	node *yaml.Node
	// key is the key of a mapping's value, else nil.
	key *yaml.Node
	// path leads from the root to node through the Contents.
	path []int
	// limit is the index of the line that the value ends before at the latest. It is for block style.
	limit int
}

func (f *file) rootPlace() place { return place{node: f.root, limit: f.limit} }

// isFlow says whether the value is a collection in brackets.
func (p place) isFlow() bool { return p.node.Style&yaml.FlowStyle != 0 }

// isEmpty says whether nothing is written where a value could be.
func (p place) isEmpty() bool {
	n := p.node
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Value == "" && n.Style == 0 && n.Tag == "!!null"
}

// child finds the value of a key that is written in the mapping itself. A key that stands twice is an error: Prometheus
// refuses it.
func (f *file) child(p place, name string) (_ place, found bool, _ error) {
	n := p.node
	index := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode && key.Value == name && key.ShortTag() != "!!merge" {
			if index >= 0 {
				return place{}, false, f.fault(key, "%s stands twice, first in line %d", name, n.Content[index].Line)
			}
			index = i
		}
	}
	if index < 0 {
		return place{}, false, nil
	}
	limit := p.limit
	if index+2 < len(n.Content) {
		limit = n.Content[index+2].Line - 1
	}
	return place{n.Content[index+1], n.Content[index], append(slices.Clone(p.path), index+1), limit}, true, nil
}

// item is the place of a sequence's item.
func (f *file) item(p place, i int) (place, error) {
	limit := p.limit
	if i+1 < len(p.node.Content) && !p.isFlow() {
		next, err := f.dash(p.node.Content[i+1])
		if err != nil {
			return place{}, err
		}
		limit = next.line
	}
	return place{node: p.node.Content[i], path: append(slices.Clone(p.path), i), limit: limit}, nil
}

// dash is where the "-" of an item of a block sequence stands: index of the line, and column counted from 0.
type dash struct{ line, col int }

// dash finds the "-" before an item. Between them there may be blanks and comments.
func (f *file) dash(item *yaml.Node) (dash, error) {
	number := item.Line - 1
	if number < 0 || number >= len(f.lines) {
		return dash{}, f.fault(item, "no item of a list stands here")
	}
	before := f.data[f.lines[number].start:f.offset(item)]
	for ; ; number-- {
		head := bytes.TrimRight(before, " \t")
		indent := bytes.TrimLeft(head, " ")
		switch {
		case string(indent) == "-":
			return dash{number, len(head) - 1}, nil
		case len(indent) > 0 && !bytes.HasPrefix(bytes.TrimLeft(indent, "\t"), []byte("#")):
			return dash{}, f.fault(item, "the list shares its line with something else")
		case number == 0:
			return dash{}, f.fault(item, "no item of a list stands here")
		}
		before = f.text(number - 1)
		if rest, ok := bytes.CutPrefix(bytes.TrimLeft(before, " "), []byte("-")); ok {
			// "- # comment": the item itself comes later.
			if rest = bytes.TrimLeft(rest, " \t"); len(rest) == 0 || rest[0] == '#' {
				before = before[:len(before)-len(bytes.TrimLeft(before, " "))+1]
			}
		}
	}
}

// get looks a key up as Prometheus sees it: in the mapping itself, else by way of merge keys. Aliases are followed.
func get(n *yaml.Node, name string) *yaml.Node {
	return getMerged(n, name, visited{})
}

// visited are the mappings that a search has been through: aliases of aliases lead to the same ones over and over.
type visited map[*yaml.Node]bool

// again notes a node and says whether it was there.
func (v visited) again(n *yaml.Node) bool {
	was := v[n]
	v[n] = true
	return was
}

func getMerged(n *yaml.Node, name string, seen visited) *yaml.Node {
	n = follow(n)
	if n == nil || n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode || seen.again(n) {
		return nil
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if v := getMerged(item, name, seen); v != nil {
				return v
			}
		}
		return nil
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := follow(n.Content[i]); {
		case key == nil || key.Kind != yaml.ScalarNode:
		case key.ShortTag() == "!!merge":
			merged = append(merged, n.Content[i+1])
		case key.Value == name:
			return follow(n.Content[i+1])
		}
	}
	for _, m := range merged {
		if v := getMerged(m, name, seen); v != nil {
			return v
		}
	}
	return nil
}

// follow is what an alias stands for. An alias to its own parent gives nil.
func follow(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}

// list are the items of a sequence, behind aliases; none for anything else.
func list(n *yaml.Node) []*yaml.Node {
	if n = follow(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// text is a scalar's text, behind aliases; "" for anything else.
func text(n *yaml.Node) string {
	if n = follow(n); n == nil || n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return ""
	}
	return n.Value
}

// shared refuses to change a value on whose way an anchor stands that an alias elsewhere refers to: the change would
// happen there too.
func (f *file) shared(path []int) error {
	n := f.root
	for _, i := range path {
		n = n.Content[i]
		if n.Anchor == "" {
			continue
		}
		if alias := findAlias(f.root, n); alias != nil {
			return f.fault(n, "this is shared by its anchor &%s with line %d, which would change too", n.Anchor, alias.Line)
		}
	}
	return nil
}

// findAlias finds an alias of target below n.
func findAlias(n, target *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias == target {
		return n
	}
	for _, c := range n.Content {
		if alias := findAlias(c, target); alias != nil {
			return alias
		}
	}
	return nil
}
