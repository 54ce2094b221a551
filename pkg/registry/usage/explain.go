package usage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// ErrNoBlob is wrapped where a digest was named that the store neither has nor refers to.
var ErrNoBlob = errors.New("no such blob")

// Reason is why a repository keeps a blob.
type Reason struct {
	Repository string `json:"repository"`
	// Untagged: only a manifest without a tag leads to it, which a collection may be told to delete.
	Untagged bool `json:"untagged"`
	// Damaged: it is kept because a tag or manifest of the repository cannot be read.
	Damaged bool `json:"damaged"`
	// Chain leads from the root to the blob.
	Chain []mark.Step `json:"chain"`
	// Tags are all that lead to it, by name: it stays until the last of them is deleted.
	Tags []string `json:"tags"`
}

// Explanation is what is known of a blob.
type Explanation struct {
	Digest digest.Digest `json:"digest"`
	// Present: the store has the blob, of that many bytes.
	Present bool  `json:"present"`
	Bytes   int64 `json:"bytes"`
	// Reasons by repository; none: the blob is garbage, unless Incomplete.
	Reasons []Reason `json:"reasons"`
	// Incomplete: there may be repositories that could not be listed.
	Incomplete bool              `json:"incomplete"`
	Problems   []*layout.Problem `json:"-"`
}

// Explain finds what keeps a blob. The error wraps [ErrNoBlob], or is the context's.
func Explain(ctx context.Context, store Source, d digest.Digest, workers int) (*Explanation, error) {
	e := &Explanation{Digest: d, Reasons: []Reason{}}
	var mu sync.Mutex
	listing, err := mark.Each(ctx, store, workers, func(g *mark.Graph) error {
		reason, ok := why(g, d)
		mu.Lock()
		defer mu.Unlock()
		if ok {
			e.Reasons = append(e.Reasons, reason)
		}
		e.Problems = append(e.Problems, g.Problems...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// After the repositories, for an API knows blobs by them alone.
	found, trouble := store.Blob(d)
	e.Present, e.Bytes = trouble == nil, found.Bytes
	if trouble != nil && !errors.Is(trouble, fs.ErrNotExist) {
		e.Problems = append(e.Problems, trouble)
	}
	e.Incomplete = listing.Incomplete
	e.Problems = append(e.Problems, listing.Problems...)
	mark.SortProblems(e.Problems)
	sort.SliceStable(e.Reasons, func(i, j int) bool { return e.Reasons[i].Repository < e.Reasons[j].Repository })
	if !e.Present && len(e.Reasons) == 0 && !e.Incomplete {
		return nil, fmt.Errorf("%v: %w", d, ErrNoBlob)
	}
	return e, nil
}

func why(g *mark.Graph, d digest.Digest) (Reason, bool) {
	chain := g.Live(mark.Roots{}).Chain(d)
	if chain == nil {
		return Reason{}, false
	}
	r := Reason{Repository: g.Name, Chain: chain, Tags: []string{}}
	r.Untagged = !g.Damaged && chain[0].Kind != mark.StepTag
	r.Damaged = g.Damaged && chain[0].Kind != mark.StepTag
	for _, tag := range g.Tags {
		if !g.Weak(tag) && g.From(tag).Chain(d) != nil {
			r.Tags = append(r.Tags, tag.Name)
		}
	}
	return r, true
}
