// Package usage says what a registry holds, who uses its bytes, and what keeps each blob. It reads and changes nothing.
package usage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sort"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// ErrNoRepository is wrapped where a repository was named that the store does not have.
var ErrNoRepository = errors.New("no such repository")

// Repository is what one repository has.
type Repository struct {
	Name string `json:"name"`
	Tags int    `json:"tags"`
	// Manifests, and Uploads under way or given up; nil where only the registry's folders would tell.
	Manifests *int `json:"manifests,omitempty"`
	Uploads   *int `json:"uploads,omitempty"`
}

// Lister is a registry that can say what it has: a [layout.Store], or one that is read through its API.
type Lister interface {
	Repositories() iter.Seq2[string, *layout.Problem]
	Tags(repository string) iter.Seq2[layout.Tag, *layout.Problem]
}

// Count says what a repository has, with the problems met.
type Count func(repository string) (Repository, []*layout.Problem)

// InFolders counts what lies in a repository's folders. Only folders and links are read.
func InFolders(store *layout.Store) Count {
	return func(name string) (Repository, []*layout.Problem) {
		var problems []*layout.Problem
		row := Repository{Name: name, Manifests: new(int), Uploads: new(int)}
		count := func(n *int, there bool, trouble *layout.Problem) {
			if trouble != nil {
				problems = append(problems, trouble)
			}
			if there {
				*n++
			}
		}
		for tag, trouble := range store.Tags(name) {
			count(&row.Tags, tag.Name != "", trouble)
		}
		for link, trouble := range store.Revisions(name) {
			count(row.Manifests, !link.Digest.IsZero(), trouble)
		}
		for upload, trouble := range store.Uploads(name) {
			count(row.Uploads, upload.ID != "", trouble)
		}
		return row, problems
	}
}

// ByNames counts the names of a repository's tags. A repository without any may be one that never had a tag.
func ByNames(tags func(repository string) iter.Seq2[string, *layout.Problem]) Count {
	return func(name string) (Repository, []*layout.Problem) {
		row := Repository{Name: name}
		for _, trouble := range tags(name) {
			switch {
			case trouble == nil:
				row.Tags++
			case !errors.Is(trouble, fs.ErrNotExist):
				return row, []*layout.Problem{trouble}
			}
		}
		return row, nil
	}
}

// Repositories lists the repositories by name, workers at a time, with the problems met. The error is the context's.
func Repositories(ctx context.Context, store Lister, workers int, count Count) (rows []Repository, problems []*layout.Problem, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(workers, 1))
	for name, trouble := range store.Repositories() {
		if ctx.Err() != nil {
			break
		}
		if trouble != nil {
			mu.Lock()
			problems = append(problems, trouble)
			mu.Unlock()
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			row, more := count(name)
			mu.Lock()
			defer mu.Unlock()
			rows, problems = append(rows, row), append(problems, more...)
			<-slots
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Name < rows[j].Name })
	mark.SortProblems(problems)
	return rows, problems, nil
}

// Tags lists the tags of a repository by name, times in UTC, zero where they are not known. The error wraps
// [ErrNoRepository], or is the context's.
func Tags(ctx context.Context, store Lister, repository string) (rows []layout.Tag, problems []*layout.Problem, err error) {
	for tag, trouble := range store.Tags(repository) {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if trouble != nil {
			problems = append(problems, trouble)
			continue
		}
		tag.Modified = tag.Modified.UTC()
		rows = append(rows, tag)
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if len(rows)+len(problems) == 0 {
		if problems, err = has(ctx, store, repository); err != nil {
			return nil, problems, err
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Name < rows[j].Name })
	mark.SortProblems(problems)
	return rows, problems, nil
}

// has looks for a repository among those there are. A list with problems may lack it.
func has(ctx context.Context, store Lister, repository string) (problems []*layout.Problem, err error) {
	for name, trouble := range store.Repositories() {
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case trouble != nil:
			problems = append(problems, trouble)
		case name == repository:
			return nil, nil
		}
	}
	return problems, fmt.Errorf("%q: %w", repository, ErrNoRepository)
}
