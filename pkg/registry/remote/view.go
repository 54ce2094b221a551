package remote

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// perRepository is how many requests of one repository are made at a time.
const perRepository = 8

// View is a registry as it is read once: what was asked is not asked again. It is a mark.Registry and a usage.Source, whose
// repositories are loaded when they are first named. Of a repository it knows what its tags lead to: indexes, images, their
// children, referrers where the registry lists them. Manifests without a tag, uploads, and when a tag was set no API
// tells. It is safe for concurrent use.
type View struct {
	// The iterators of mark.Source take none, and a View is for one command.
	ctx context.Context //nolint:containedctx // see above
	r   *Registry
	// ask: a blob's size is asked for, not taken from what refers to it.
	ask bool

	mu           sync.Mutex
	repositories map[string]*repository
	contents     map[digest.Digest]content
}

// content is what is known of a blob or manifest.
type content struct {
	repository string // one that refers to it
	bytes      int64  // -1: nobody said
	read       bool   // it was there
}

// View begins to read the registry. The context ends all of it. With ask every blob that [View.Blob] is asked for is looked
// for; without, its descriptor's word is taken.
func (r *Registry) View(ctx context.Context, ask bool) *View {
	return &View{ctx: ctx, r: r, ask: ask, repositories: map[string]*repository{}, contents: map[digest.Digest]content{}}
}

// Repositories yields the names that the registry's catalogue has, unsorted. It may be refused: then there is a problem
// and no name.
func (v *View) Repositories() iter.Seq2[string, *layout.Problem] {
	return func(yield func(string, *layout.Problem) bool) {
		for name, err := range v.r.catalogue(v.ctx) {
			if !yield(name, v.problem("catalogue", err)) {
				return
			}
		}
	}
}

// TagNames yields the names of a repository's tags and asks for nothing else. The problem wraps [fs.ErrNotExist] where the
// registry knows no such repository, or knows it and it never had a tag: the API does not say which.
func (v *View) TagNames(repository string) iter.Seq2[string, *layout.Problem] {
	return func(yield func(string, *layout.Problem) bool) {
		for name, err := range v.r.tagNames(v.ctx, repository) {
			if !yield(name, v.problem(repository, err)) {
				return
			}
		}
	}
}

// Tags yields the tags of a repository with what they name. When they were set is not known. A problem is about one tag,
// or about the list. No repository is no tags.
func (v *View) Tags(repository string) iter.Seq2[layout.Tag, *layout.Problem] {
	return func(yield func(layout.Tag, *layout.Problem) bool) {
		p := v.repository(repository)
		p.tagsOnce.Do(func() { p.readTags(v) })
		for _, t := range p.tags {
			if !yield(t.Tag, t.trouble) {
				return
			}
		}
	}
}

// Revisions yields the manifests that the tags lead to, which are those that the API shows.
func (v *View) Revisions(repository string) iter.Seq2[layout.Link, *layout.Problem] {
	return func(yield func(layout.Link, *layout.Problem) bool) {
		p := v.repository(repository)
		p.manifestsOnce.Do(func() { p.readManifests(v) })
		for _, d := range p.order {
			if !yield(layout.Link{Digest: d}, nil) {
				return
			}
		}
	}
}

// Layers yields nothing: what a repository has beside that to which its manifests refer no API tells.
func (v *View) Layers(string) iter.Seq2[layout.Link, *layout.Problem] {
	return func(func(layout.Link, *layout.Problem) bool) {}
}

// Alias is zero: by what a blob is kept the API does not tell.
func (*View) Alias(string, digest.Digest) (digest.Digest, *layout.Problem) {
	return digest.Digest{}, nil
}

// HasLayer reports whether a repository has a blob.
func (v *View) HasLayer(repository string, d digest.Digest) (bool, *layout.Problem) {
	p := v.repository(repository)
	p.mu.Lock()
	absent := p.absent[d]
	p.mu.Unlock()
	if absent {
		return false, nil
	}
	size, ok, err := v.r.blobSize(v.ctx, repository, d)
	if ok {
		v.learn(d, content{repository, size, true})
	}
	return ok || err != nil, v.problem(at(repository, d), err)
}

// Manifest reads a manifest of a repository, of at most limit bytes.
func (v *View) Manifest(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem) {
	if data, trouble := v.repository(repository).take(d); data != nil || trouble != nil {
		return data, trouble
	}
	m, err := v.r.get(v.ctx, repository, d.String(), limit)
	if err != nil {
		return nil, v.problem(at(repository, d), err)
	}
	return m.data, nil
}

// Content reads a blob of a repository, of at most limit bytes.
func (v *View) Content(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem) {
	data, err := v.r.blob(v.ctx, repository, d, limit)
	return data, v.problem(at(repository, d), err)
}

// Blob is what is known of a blob: its size, from what refers to it unless the view was told to ask. The problem wraps
// [fs.ErrNotExist] for one that nothing read so far refers to, or that the registry lacks.
func (v *View) Blob(d digest.Digest) (layout.Blob, *layout.Problem) {
	v.mu.Lock()
	known, ok := v.contents[d]
	v.mu.Unlock()
	switch {
	case !ok:
		return layout.Blob{Digest: d}, v.problem(d.String(), fs.ErrNotExist)
	case known.read, known.bytes >= 0 && !v.ask:
		return layout.Blob{Digest: d, Bytes: known.bytes}, nil
	}
	size, ok, err := v.r.blobSize(v.ctx, known.repository, d)
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return layout.Blob{Digest: d, Bytes: size}, v.problem(at(known.repository, d), err)
}

// BlobProblem is a problem with what a blob holds.
func (v *View) BlobProblem(d digest.Digest, err error) *layout.Problem {
	return v.problem(d.String(), err)
}

// TagProblem is a problem with what a tag names.
func (v *View) TagProblem(repository, tag string, err error) *layout.Problem {
	return v.problem(repository+":"+tag, err)
}

// at names a blob or manifest as references do.
func at(repository string, d digest.Digest) string { return repository + "@" + d.String() }

// problem names what it is about below the registry's host; nil where there is none.
func (v *View) problem(name string, err error) *layout.Problem {
	if err == nil {
		return nil
	}
	return &layout.Problem{Path: path.Join(v.r.Host(), name), Err: err}
}

func (v *View) repository(name string) *repository {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.repositories[name]
	if p == nil {
		p = &repository{name: name}
		v.repositories[name] = p
	}
	return p
}

// learn takes down what is known of content; what was read is known better than what was said.
func (v *View) learn(d digest.Digest, c content) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if known, ok := v.contents[d]; !ok || !known.read && (c.read || known.bytes < 0) {
		v.contents[d] = c
	}
}

// Check that a view is what graphs are loaded from.
var _ mark.Registry = (*View)(nil)

// notThere reports whether an error says that there is no such thing.
func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Subjects yields the manifests that the registry's own list says to be about d; none where it keeps no such list.
func (v *View) Subjects(repository string, d digest.Digest) iter.Seq2[digest.Digest, *layout.Problem] {
	return func(yield func(digest.Digest, *layout.Problem) bool) {
		list, err := v.r.referrersOf(v.ctx, repository, d, mark.ManifestLimit)
		if err != nil {
			yield(digest.Digest{}, v.problem(at(repository, d), err))
			return
		}
		if list == nil {
			return
		}
		m, err := mark.Parse(list)
		if err != nil {
			yield(digest.Digest{}, v.problem(at(repository, d), err))
			return
		}
		for _, child := range m.Children {
			if !yield(child.Digest, nil) {
				return
			}
		}
	}
}
