package scrape

import (
	"go.yaml.in/yaml/v3"
)

// comparison holds two trees against each other: kinds, tags, values, anchors, and which node each alias stands for.
// Styles, comments and places do not count.
type comparison struct {
	pairs map[*yaml.Node]*yaml.Node
	// at is the first node of the second tree, or of the first, that differs.
	at *yaml.Node
}

// differ returns where got does not mean what want means, nil when it does.
func differ(want, got *yaml.Node) *yaml.Node {
	c := comparison{pairs: map[*yaml.Node]*yaml.Node{}}
	if c.same(want, got) {
		return nil
	}
	return c.at
}

func (c *comparison) same(want, got *yaml.Node) bool {
	if want == nil || got == nil {
		if want != got {
			c.at = &yaml.Node{Line: 1}
		}
		return want == got
	}
	c.pairs[want] = got
	alike := want.Kind == got.Kind && want.ShortTag() == got.ShortTag() && want.Anchor == got.Anchor && len(want.Content) == len(got.Content)
	if alike && want.Kind == yaml.AliasNode {
		alike = want.Value == got.Value && c.pairs[want.Alias] == got.Alias
	} else if alike && want.Kind == yaml.ScalarNode {
		alike = want.Value == got.Value
	}
	if !alike {
		c.at = got
		return false
	}
	for i := range want.Content {
		if !c.same(want.Content[i], got.Content[i]) {
			return false
		}
	}
	return true
}
