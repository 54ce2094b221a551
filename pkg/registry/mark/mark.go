// Package mark finds what a registry's content is kept by. It marks each repository by itself, from its own tags and
// with the manifests that it has, and then takes the union: what one repository has deleted another may still need.
// It promises to call nothing garbage that it could not judge: an unreadable tag or manifest keeps everything of its
// repository, and a list of repositories that may lack some makes the whole result incomplete.
package mark

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sort"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// Options are how to mark. The zero value keeps untagged manifests and works on one repository at a time.
type Options struct {
	Roots
	// Workers is how many repositories are read at a time; less than one is one.
	Workers int
	// TempDir is the folder for what the memory is too small for, as [digest.NewSet] has it.
	TempDir string
}

// Repository is what was found in one.
type Repository struct {
	Name                  string
	Tags, Manifests, Live int
	// Damaged: all that the repository has is live.
	Damaged bool
}

// Result is what a store keeps.
type Result struct {
	// Live holds the digests of manifests, configurations and layers. A blob outside it is garbage, unless Incomplete. The
	// caller closes it, and asks its Err before anything is deleted.
	Live         *digest.Set
	Repositories []Repository // by name
	Problems     []*layout.Problem
	// Incomplete: there may be repositories that were not seen, so nothing is garbage.
	Incomplete bool
}

// Registry is a [Source] that can say which repositories it has.
type Registry interface {
	Source
	Repositories() iter.Seq2[string, *layout.Problem]
}

// Store marks a whole store. The outcome is the same for any number of workers. The error is the context's, or that of writing
// to TempDir; whatever is wrong with the store is in the result.
func Store(ctx context.Context, store Registry, opts Options) (*Result, error) {
	result := &Result{Live: digest.NewSet(opts.TempDir)}
	var mu sync.Mutex
	seen, err := Each(ctx, store, opts.Workers, func(g *Graph) error {
		live := g.Live(opts.Roots)
		row := Repository{Name: g.Name, Tags: len(g.Tags), Manifests: len(g.revisions), Live: live.Len(), Damaged: g.Damaged}
		mu.Lock()
		defer mu.Unlock()
		live.Digests(func(d digest.Digest) bool { result.Live.Add(d); return true })
		result.Repositories = append(result.Repositories, row)
		result.Problems = append(result.Problems, g.Problems...)
		return nil
	})
	if err == nil {
		err = result.Live.Compact()
	}
	if err != nil {
		return nil, errors.Join(err, result.Live.Close())
	}
	result.Incomplete = seen.Incomplete
	result.Problems = append(result.Problems, seen.Problems...)
	sort.SliceStable(result.Repositories, func(i, j int) bool { return result.Repositories[i].Name < result.Repositories[j].Name })
	SortProblems(result.Problems)
	return result, nil
}

// Listing is how reading the list of repositories went.
type Listing struct {
	Problems   []*layout.Problem
	Incomplete bool
}

// SortProblems puts problems in the order of their paths.
func SortProblems(problems []*layout.Problem) {
	slices.SortFunc(problems, func(a, b *layout.Problem) int { return cmp.Compare(a.Path, b.Path) })
}

// Each loads the repositories, some at a time and in no order, and calls visit with each from several goroutines. It ends at
// the first error of visit's, or of the context.
func Each(ctx context.Context, store Registry, workers int, visit func(*Graph) error) (Listing, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	names := make(chan string)
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() {
			for name := range names {
				g, err := Load(ctx, store, name)
				if err == nil {
					err = visit(g)
				}
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	listing := list(ctx, store, names)
	close(names)
	wg.Wait()
	return listing, context.Cause(ctx)
}

// list sends the names until the context ends.
func list(ctx context.Context, store Registry, names chan<- string) (listing Listing) {
	for name, trouble := range store.Repositories() {
		if trouble != nil {
			listing.Problems = append(listing.Problems, trouble)
			listing.Incomplete = listing.Incomplete || !errors.Is(trouble, layout.ErrStray)
			continue
		}
		select {
		case names <- name:
		case <-ctx.Done():
			return listing
		}
	}
	return listing
}
