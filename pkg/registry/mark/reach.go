package mark

import (
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// The kinds of a chain's first step where a tag is the root, and where it is a fallback tag whose subject is gone.
const (
	StepTag      = "tag"
	StepFallback = "fallback tag"
)

// Step is one link of a chain that keeps something.
type Step struct {
	// Kind is "tag", "untagged", "fallback tag", "held" for what a damaged repository links, "referrer", "blob", or a
	// manifest's [Kind].
	Kind   string        `json:"kind"`
	Name   string        `json:"name,omitempty"`
	Digest digest.Digest `json:"digest"`
}

// Reach is what a repository's roots reach.
type Reach struct {
	g *Graph
	// why says for each what reached it first.
	why   map[uint32]cause
	order []uint32
	// next is the first of order whose edges have not been followed.
	next int
}

type cause struct {
	kind   string
	name   string
	parent uint32
	root   bool
}

// Roots are what a garbage collection starts from, beside tags. The zero value is every manifest that a repository has.
type Roots struct {
	// DeleteUntagged takes tags alone for roots,
	DeleteUntagged bool
	// and all that was pushed at or after Since, when that is not zero,
	Since time.Time
	// and these manifests wherever a repository has them; nil is none.
	Keep *digest.Set
}

func (r *Roots) keeps(d digest.Digest, modified time.Time) bool {
	return !r.DeleteUntagged || !r.Since.IsZero() && !modified.Before(r.Since) || r.Keep != nil && r.Keep.Contains(d)
}

// Live is what a garbage collection keeps: all that the tags and roots reach. Of a damaged repository it is everything.
func (g *Graph) Live(roots Roots) *Reach {
	r := g.newReach()
	for _, tag := range g.Tags {
		if !g.Weak(tag) {
			r.root(g.ids[tag.Digest], StepTag, tag.Name)
		}
	}
	r.run()
	for _, tag := range g.Tags {
		if g.Damaged || roots.keeps(tag.Digest, tag.Modified) {
			r.root(g.ids[tag.Digest], StepFallback, tag.Name)
		}
	}
	r.run()
	for _, rev := range g.revisions {
		if g.Damaged || roots.keeps(g.digests[rev.id], rev.modified) {
			r.root(rev.id, "untagged", "")
		}
	}
	r.run()
	for _, id := range g.held {
		r.root(id, "held", "")
	}
	return r
}

// From is what one tag reaches, with the referrers and fallback tags that live by it.
func (g *Graph) From(tag layout.Tag) *Reach {
	r := g.newReach()
	r.root(g.ids[tag.Digest], StepTag, tag.Name)
	r.run()
	return r
}

func (g *Graph) newReach() *Reach {
	return &Reach{g: g, why: map[uint32]cause{}}
}

func (r *Reach) root(id uint32, kind, name string) {
	r.add(id, cause{kind: kind, name: name, root: true})
}

func (r *Reach) add(id uint32, why cause) {
	if _, ok := r.why[id]; !ok {
		r.why[id] = why
		r.order = append(r.order, id)
	}
}

// run follows all edges from what has been reached, breadth first: chains are as short as can be.
func (r *Reach) run() {
	for ; r.next < len(r.order); r.next++ {
		id := r.order[r.next]
		n := r.g.nodes[id]
		if n == nil {
			continue
		}
		for _, child := range n.children {
			r.add(child, cause{kind: "child", parent: id})
		}
		for _, blob := range n.blobs {
			r.add(blob, cause{kind: "blob", parent: id})
		}
		for _, referrer := range r.g.referrers[id] {
			r.add(referrer, cause{kind: "referrer", parent: id})
		}
		if len(r.g.fallback) > 0 {
			name := fallbackName(r.g.digests[id])
			if tag, ok := r.g.fallback[name]; ok {
				r.add(tag, cause{kind: StepFallback, name: name, parent: id})
			}
		}
	}
}

// Digests are all that was reached, in the order in which it was.
func (r *Reach) Digests(yield func(digest.Digest) bool) {
	for _, id := range r.order {
		if !yield(r.g.digests[id]) {
			return
		}
	}
}

// Has reports whether d was reached.
func (r *Reach) Has(d digest.Digest) bool {
	id, known := r.g.ids[d]
	if !known {
		return false
	}
	_, ok := r.why[id]
	return ok
}

// FormerTags are the fallback tags that were put away and live again.
func (r *Reach) FormerTags(yield func(layout.Tag) bool) {
	for _, tag := range r.g.formerTags {
		if r.Has(tag.Digest) && !yield(tag) {
			return
		}
	}
}

// Len is the number of digests reached.
func (r *Reach) Len() int { return len(r.order) }

// Chain says how d was reached, the root first; nil when it was not.
func (r *Reach) Chain(d digest.Digest) []Step {
	id, ok := r.g.ids[d]
	if !ok {
		return nil
	}
	why, ok := r.why[id]
	if !ok {
		return nil
	}
	var chain []Step
	for {
		chain = append(chain, r.step(id, why))
		if why.root {
			chain = append(chain, Step{Kind: why.kind, Name: why.name, Digest: r.g.digests[id]})
			break
		}
		if why.kind == StepFallback {
			chain = append(chain, Step{Kind: why.kind, Name: why.name, Digest: r.g.digests[id]})
		}
		id = why.parent
		why = r.why[id]
	}
	slices.Reverse(chain)
	return chain
}

func (r *Reach) step(id uint32, why cause) Step {
	kind := "blob"
	if n := r.g.nodes[id]; n != nil && n.kind != "" {
		kind = string(n.kind)
	}
	if why.kind == "referrer" {
		kind = why.kind
	}
	return Step{Kind: kind, Digest: r.g.digests[id]}
}
