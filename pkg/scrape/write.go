package scrape

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// inline writes a part in one line, collections in brackets.
func inline(n *yaml.Node) string {
	var b strings.Builder
	writeInline(&b, n)
	return b.String()
}

func writeInline(b *strings.Builder, n *yaml.Node) {
	switch n.Kind {
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteString(", ")
			}
			writeInline(b, item)
		}
		b.WriteByte(']')
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteString(", ")
			}
			writeInline(b, n.Content[i])
			b.WriteString(": ")
			writeInline(b, n.Content[i+1])
		}
		b.WriteByte('}')
	default:
		b.WriteString(scalar(n))
	}
}

// pair writes a key and its value as lines whose first key stands in column col. remark is put behind the key.
func (s style) pair(key, value *yaml.Node, col int, remark string) []string {
	head := strings.Repeat(" ", col) + scalar(key) + ":"
	switch {
	case value.Kind == yaml.ScalarNode, value.Style&yaml.FlowStyle != 0, len(value.Content) == 0:
		return []string{head + " " + inline(value) + remark}
	case value.Kind == yaml.SequenceNode:
		return append([]string{head + remark}, s.items(value, col+s.list)...)
	default:
		return append([]string{head + remark}, s.pairs(value, col+s.step)...)
	}
}

// pairs writes a mapping as lines.
func (s style) pairs(n *yaml.Node, col int) []string {
	var lines []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		lines = append(lines, s.pair(n.Content[i], n.Content[i+1], col, "")...)
	}
	return lines
}

// items writes the items of a list, their "-" in column col.
func (s style) items(n *yaml.Node, col int) []string {
	var lines []string
	for _, item := range n.Content {
		lines = append(lines, s.item(item, col)...)
	}
	return lines
}

// item writes one item.
func (s style) item(n *yaml.Node, col int) []string {
	lead := strings.Repeat(" ", col) + "-"
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0 {
		return []string{lead + strings.Repeat(" ", s.gap-1) + inline(n)}
	}
	lines := s.pairs(n, col+s.gap)
	lines[0] = lead + lines[0][len(lead):]
	return lines
}

// asJSON turns a part into what stands in brackets with all its strings in double quotes.
func asJSON(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, child := range n.Content {
		c.Content = append(c.Content, asJSON(child))
	}
	if c.Kind == yaml.ScalarNode && c.Tag == "!!str" {
		c.Style = yaml.DoubleQuotedStyle
	}
	return &c
}
