package usage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// Row is what a repository or a tag uses, in bytes of the blobs it refers to, each counted once. The untagged manifests of a
// repository count, for they stay as long as nobody deletes them.
type Row struct {
	Name  string `json:"name"`
	Blobs int    `json:"blobs"`
	Bytes int64  `json:"bytes"`
	// Exclusive is what nothing else of the kind refers to: no other repository, no other tag of this repository. A
	// fallback tag, which lives by another, is no such thing.
	Exclusive int64 `json:"exclusiveBytes"`
	Shared    int64 `json:"sharedBytes"`
	// Freed is what a collection that deletes untagged manifests would free for this one's sake, were it deleted and
	// nothing else: what other repositories have, tagged or not, does not count.
	Freed int64 `json:"freedIfDeletedBytes"`
}

// Usage is the rows and their sum.
type Usage struct {
	// Repository is whose tags the rows are; "" when the rows are repositories.
	Repository string `json:"repository,omitempty"`
	Rows       []Row  `json:"items"`
	Blobs      int    `json:"blobs"`
	// Bytes counts each blob once.
	Bytes int64 `json:"bytes"`
	// Problems are in the order of their paths.
	Problems []*layout.Problem `json:"-"`
}

// blob is what is known of one: its size and how many refer to it.
type blob struct {
	bytes   int64
	holders uint32
}

// Source is a registry that can say how large a blob is; see [layout.Store.Blob].
type Source interface {
	mark.Registry
	Blob(d digest.Digest) (layout.Blob, *layout.Problem)
}

// Of measures the repositories of a store, workers at a time, or the tags of one when repository is not "". Blobs that
// nothing refers to are not counted. The error wraps [ErrNoRepository], or is the context's.
func Of(ctx context.Context, store Source, repository string, workers int) (*Usage, error) {
	c := collector{store: store, only: repository, blobs: map[digest.Digest]*blob{}}
	listing, err := mark.Each(ctx, store, workers, c.visit)
	if err != nil {
		return nil, err
	}
	if repository != "" && c.graph == nil {
		return nil, fmt.Errorf("%q: %w", repository, ErrNoRepository)
	}
	u := &Usage{Repository: repository, Rows: []Row{}}
	if repository == "" {
		c.byRepository(u)
	} else {
		c.byTag(u)
	}
	u.Problems = slices.Concat(c.problems, listing.Problems)
	mark.SortProblems(u.Problems)
	u.Problems = slices.CompactFunc(u.Problems, func(a, b *layout.Problem) bool { return a.Path == b.Path })
	return u, nil
}

type collector struct {
	store    Source
	only     string
	mu       sync.Mutex
	blobs    map[digest.Digest]*blob
	held     []holding
	graph    *mark.Graph // of the repository that was asked for
	problems []*layout.Problem
}

// holding is what a repository refers to, in pointers of eight bytes.
type holding struct {
	name  string
	blobs []*blob
}

// visit takes down what a repository refers to.
func (c *collector) visit(g *mark.Graph) error {
	live := g.Live(mark.Roots{})
	c.mu.Lock()
	defer c.mu.Unlock()
	h := holding{name: g.Name}
	for d := range live.Digests {
		b := c.blob(d)
		b.holders++
		if c.only == "" {
			h.blobs = append(h.blobs, b)
		}
	}
	c.held = append(c.held, h)
	c.problems = append(c.problems, g.Problems...)
	if g.Name == c.only {
		c.graph = g
	}
	return nil
}

// blob looks at a blob once. One that is not there has no bytes: layers of foreign registries never were, and a
// manifest's absence is a problem already.
func (c *collector) blob(d digest.Digest) *blob {
	b, ok := c.blobs[d]
	if !ok {
		found, trouble := c.store.Blob(d)
		if trouble != nil && !errors.Is(trouble, fs.ErrNotExist) {
			c.problems = append(c.problems, trouble)
		}
		b = &blob{bytes: found.Bytes}
		c.blobs[d] = b
	}
	return b
}

func (c *collector) byRepository(u *Usage) {
	sort.SliceStable(c.held, func(i, j int) bool { return c.held[i].name < c.held[j].name })
	for _, h := range c.held {
		row := Row{Name: h.name}
		for _, b := range h.blobs {
			row.Blobs++
			row.Bytes += b.bytes
			if b.holders == 1 {
				row.Exclusive += b.bytes
			}
		}
		row.Shared, row.Freed = row.Bytes-row.Exclusive, row.Exclusive
		u.Rows = append(u.Rows, row)
	}
	for _, b := range c.blobs {
		u.Blobs++
		u.Bytes += b.bytes
	}
}

func (c *collector) byTag(u *Usage) {
	tags := map[digest.Digest]int{}
	for _, tag := range c.graph.Tags {
		if !c.graph.Weak(tag) {
			for d := range c.graph.From(tag).Digests {
				tags[d]++
			}
		}
	}
	for _, tag := range c.graph.Tags {
		row, own := Row{Name: tag.Name}, 1
		if c.graph.Weak(tag) {
			own = 0
		}
		for d := range c.graph.From(tag).Digests {
			b := c.blobs[d]
			row.Blobs++
			row.Bytes += b.bytes
			if tags[d] != own {
				continue
			}
			row.Exclusive += b.bytes
			if b.holders == 1 && !c.graph.Damaged && own == 1 {
				row.Freed += b.bytes
			}
		}
		row.Shared = row.Bytes - row.Exclusive
		u.Rows = append(u.Rows, row)
	}
	for d := range c.graph.Live(mark.Roots{}).Digests {
		u.Blobs++
		u.Bytes += c.blobs[d].bytes
	}
}
