package inspect

import (
	"io/fs"
	"iter"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// Folders is a store as a [Source].
type Folders struct{ *layout.Store }

// Manifest reads a manifest that the repository links; as the registry does, also below its layers.
func (f Folders) Manifest(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem) {
	linked, trouble := f.HasRevision(repository, d)
	if trouble == nil && !linked {
		linked, trouble = f.HasLayer(repository, d)
	}
	switch {
	case trouble != nil:
		return nil, trouble
	case !linked:
		return nil, f.BlobProblem(d, fs.ErrNotExist)
	}
	return f.Store.Manifest(repository, d, limit)
}

// Content reads a blob.
func (f Folders) Content(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem) {
	return f.Store.Manifest(repository, d, limit)
}

// Subjects reads all manifests of the repository, for only they say what they are about.
func (f Folders) Subjects(repository string, d digest.Digest) iter.Seq2[digest.Digest, *layout.Problem] {
	return func(yield func(digest.Digest, *layout.Problem) bool) {
		for link, trouble := range f.Revisions(repository) {
			if trouble != nil || link.Digest == d {
				continue // a link that cannot be read is not this image's trouble
			}
			data, trouble := f.Store.Manifest(repository, link.Digest, mark.ManifestLimit)
			if trouble != nil {
				continue
			}
			if m, err := mark.Parse(data); err == nil && m.Subject == d && !yield(link.Digest, nil) {
				return
			}
		}
	}
}
