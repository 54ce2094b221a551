// Package usage says what a registry holds, who uses its bytes, and what keeps each blob. It reads and changes nothing.
package usage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// ErrNoRepository is wrapped where a repository was named that the store does not have.
var ErrNoRepository = errors.New("no such repository")

// Repository is what one repository has.
type Repository struct {
	Name      string `json:"name"`
	Tags      int    `json:"tags"`
	Manifests int    `json:"manifests"`
	// Uploads are those under way, or given up.
	Uploads int `json:"uploads"`
}

// Repositories lists the repositories by name, with the problems met. Only folders and links are read. The error is the
// context's.
func Repositories(ctx context.Context, store *layout.Store) (rows []Repository, problems []*layout.Problem, err error) {
	count := func(row *int, there bool, trouble *layout.Problem) {
		if trouble != nil {
			problems = append(problems, trouble)
		}
		if there {
			*row++
		}
	}
	for name, trouble := range store.Repositories() {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if trouble != nil {
			problems = append(problems, trouble)
			continue
		}
		row := Repository{Name: name}
		for tag, trouble := range store.Tags(name) {
			count(&row.Tags, tag.Name != "", trouble)
		}
		for link, trouble := range store.Revisions(name) {
			count(&row.Manifests, !link.Digest.IsZero(), trouble)
		}
		for upload, trouble := range store.Uploads(name) {
			count(&row.Uploads, upload.ID != "", trouble)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Repository) int { return cmp.Compare(a.Name, b.Name) })
	mark.SortProblems(problems)
	return rows, problems, nil
}

// Tags lists the tags of a repository by name, times in UTC. The error wraps [ErrNoRepository], or is the context's.
func Tags(ctx context.Context, store *layout.Store, repository string) (rows []layout.Tag, problems []*layout.Problem, err error) {
	if err := has(ctx, store, repository); err != nil {
		return nil, nil, err
	}
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
	slices.SortFunc(rows, func(a, b layout.Tag) int { return cmp.Compare(a.Name, b.Name) })
	mark.SortProblems(problems)
	return rows, problems, nil
}

// has looks for a repository among those there are: a name is never made a path before.
func has(ctx context.Context, store *layout.Store, repository string) error {
	for name, trouble := range store.Repositories() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if trouble == nil && name == repository {
			return nil
		}
	}
	return fmt.Errorf("%q: %w", repository, ErrNoRepository)
}
