package sweep

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// attic is what collections have put away and not deleted yet, as stores of the same shape.
type attic struct {
	rooms []room // the latest last
	blobs *digest.Set
}

type room struct {
	set   *quarantine.Set
	store *layout.Store
}

// openAttic opens the sets of collections. The caller closes it.
func openAttic(sets []*quarantine.Set) (*attic, error) {
	a := &attic{blobs: digest.NewSet("")}
	for _, set := range sets {
		if set.Kind != Kind {
			continue
		}
		tree, err := set.Tree()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		if err := a.add(set, tree); err != nil {
			return nil, errors.Join(err, a.close())
		}
	}
	return a, nil
}

func (a *attic) add(set *quarantine.Set, tree *os.Root) error {
	store := layout.Within(tree, path.Join(layout.Dir(""), quarantine.Folder, set.ID, "tree"))
	a.rooms = append(a.rooms, room{set, store})
	for d, trouble := range store.Digests() {
		if trouble != nil {
			return trouble
		}
		a.blobs.Add(d)
	}
	return nil
}

func (a *attic) close() error {
	errs := []error{a.blobs.Close()}
	for _, r := range a.rooms {
		errs = append(errs, r.store.Close())
	}
	return errors.Join(errs...)
}

// view is a store with its attic: a manifest is read where it lies, and a link that was put away is one that the repository
// had.
type view struct {
	*layout.Store
	attic *attic
}

func (v *view) HasLayer(repository string, d digest.Digest) (bool, *layout.Problem) {
	linked, trouble := v.Store.HasLayer(repository, d)
	if linked || trouble != nil {
		return linked, trouble
	}
	for _, r := range v.attic.rooms {
		if linked, trouble := r.store.HasLayer(repository, d); linked && trouble == nil {
			return true, nil
		}
	}
	return false, nil
}

func (v *view) Alias(repository string, d digest.Digest) (digest.Digest, *layout.Problem) {
	kept, trouble := v.Store.Alias(repository, d)
	if !kept.IsZero() || trouble != nil {
		return kept, trouble
	}
	for _, r := range v.attic.rooms {
		if kept, trouble := r.store.Alias(repository, d); trouble == nil && !kept.IsZero() {
			return kept, nil
		}
	}
	return digest.Digest{}, nil
}

func (v *view) Manifest(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem) {
	data, trouble := v.Store.Manifest(repository, d, limit)
	if trouble == nil || !errors.Is(trouble, fs.ErrNotExist) || !v.attic.blobs.Contains(d) {
		return data, trouble
	}
	for _, r := range v.attic.rooms {
		if data, away := r.store.Manifest(repository, d, limit); away == nil {
			return data, nil
		}
	}
	return nil, trouble
}

// FormerRevisions implements [mark.Former]; a link that cannot be read is none.
func (v *view) FormerRevisions(repository string) iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		for _, r := range v.attic.rooms {
			for link, trouble := range r.store.Revisions(repository) {
				if trouble == nil && !yield(link.Digest) {
					return
				}
			}
		}
	}
}

// FormerTags implements [mark.Former], the latest of each name.
func (v *view) FormerTags(repository string) iter.Seq[layout.Tag] {
	return func(yield func(layout.Tag) bool) {
		seen := map[string]bool{}
		for _, r := range slices.Backward(v.attic.rooms) {
			for tag, trouble := range r.store.Tags(repository) {
				if trouble != nil || seen[tag.Name] {
					continue
				}
				seen[tag.Name] = true
				if !yield(tag) {
					return
				}
			}
		}
	}
}

// restorer puts back what is referred to again, and counts.
type restorer struct {
	attic *attic
	mu    sync.Mutex
	sum   Amount
	// back is how much was renamed; a pass that renames nothing has found nothing.
	back int
}

// blob puts a blob back.
func (r *restorer) blob(ctx context.Context, d digest.Digest) error {
	if !r.attic.blobs.Contains(d) {
		return nil
	}
	for _, away := range slices.Backward(r.attic.rooms) {
		found, trouble := away.store.Blob(d)
		if trouble != nil {
			continue
		}
		shard, name := layout.BlobDir(d)
		done, err := away.set.Restore(ctx, path.Join(shard, name))
		if err != nil {
			return err
		}
		if done.Restored > 0 {
			r.count(Amount{Blobs: 1, Bytes: found.Bytes})
			return nil
		}
	}
	return nil
}

func (r *restorer) count(a Amount) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back++
	r.sum.Manifests += a.Manifests
	r.sum.Blobs += a.Blobs
	r.sum.Bytes += a.Bytes
}

// folder puts a link's or tag's folder back, from the latest set that has it.
func (r *restorer) folder(ctx context.Context, away room, name string, a Amount) error {
	done, err := away.set.Restore(ctx, name)
	if err == nil && done.Restored > 0 {
		r.count(a)
	}
	return err
}

// late puts back the links below dir that were written after the set began into folders that were being taken: the registry has
// told a client that they are there.
func (r *restorer) late(ctx context.Context, away room, dir string) error {
	stamp, err := away.set.Stamp()
	if err != nil {
		return err
	}
	for name, at := range away.store.Files(dir, "link") {
		if at.Before(stamp) {
			continue
		}
		a := Amount{}
		if strings.Contains(name, "/_manifests/revisions/") {
			a.Manifests = 1
		}
		if err := r.folder(ctx, away, unit(name), a); err != nil {
			return err
		}
	}
	return nil
}

// unit is the folder to which a link file belongs: its tag's, which holds others as well, or its own.
func unit(link string) string {
	const tags = "/_manifests/tags/"
	if repository, rest, ok := strings.Cut(link, tags); ok {
		name, _, _ := strings.Cut(rest, "/")
		return repository + tags + name
	}
	return path.Dir(link)
}
