package layout

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

const repositories = "repositories"

// Repositories yields the names of the repositories, each once and unsorted, while it reads the folders. A folder is
// a repository when it has _manifests, _layers or _uploads, and may hold others as well: a and a/b. A problem means that
// the list may lack some: a folder that cannot be read, a symbolic link, which the registry would follow.
func (s *Store) Repositories() iter.Seq2[string, *Problem] {
	return func(yield func(string, *Problem) bool) { s.descend("", yield) }
}

// descend visits the repositories in and below name; it is false when the caller wants no more.
func (s *Store) descend(name string, yield func(string, *Problem) bool) bool {
	dir, found := path.Join(repositories, name), false
	for entry, trouble := range s.folders(dir) {
		switch {
		case trouble != nil:
			if !yield("", trouble) {
				return false
			}
		case name != "" && isPart(entry):
			if !found && !yield(name, nil) {
				return false
			}
			found = true
		case strings.HasPrefix(entry, "_"):
			// No component of a name begins with it (distribution/reference): parts of a repository, known or not.
		case !s.descend(path.Join(name, entry), yield):
			return false
		}
	}
	return true
}

func isPart(entry string) bool {
	return entry == "_manifests" || entry == "_layers" || entry == "_uploads"
}

// Tag is a name for a manifest.
type Tag struct {
	Name   string        `json:"name"`
	Digest digest.Digest `json:"digest"`
	// Modified is when the tag was last set: the link's time of change. Zero where that is not known.
	Modified time.Time `json:"modified,omitzero"`
}

// Tags yields the tags of a repository, unsorted. A problem is about one tag, or about the folder of all; the tag
// beside it has its name, where there is one, and no digest.
func (s *Store) Tags(repository string) iter.Seq2[Tag, *Problem] {
	return func(yield func(Tag, *Problem) bool) {
		dir := TagsDir(repository)
		for name, trouble := range s.folders(dir) {
			tag := Tag{Name: name}
			if trouble == nil {
				var err error
				link := path.Join(dir, name, "current/link")
				tag.Digest, tag.Modified, err = s.calm(path.Join(dir, name), link)
				if errors.Is(err, errGone) {
					continue
				}
				if err != nil {
					trouble = s.problem(link, err)
				}
			}
			if !yield(tag, trouble) {
				return
			}
		}
	}
}

// Link says that a repository has a blob.
type Link struct {
	Digest digest.Digest
	// Target is by what the blob is kept: Digest, or the sha256 of what is linked by sha512.
	Target   digest.Digest
	Modified time.Time
}

// Revisions yields the manifests that a repository has, unsorted. A problem with a link comes with the digest that its
// folders spell.
func (s *Store) Revisions(repository string) iter.Seq2[Link, *Problem] {
	return s.links(RevisionsDir(repository))
}

// Layers yields the layers and configurations that a repository has, as [Store.Revisions] does manifests.
func (s *Store) Layers(repository string) iter.Seq2[Link, *Problem] {
	return s.links(LayersDir(repository))
}

// HasLayer reports whether a repository links a blob below _layers, without reading that folder. A link that cannot be
// read is there, with the problem.
func (s *Store) HasLayer(repository string, d digest.Digest) (bool, *Problem) {
	return s.has(path.Join(LayersDir(repository), d.Algorithm(), d.Hex(), "link"))
}

func (s *Store) has(name string) (bool, *Problem) {
	_, _, err := s.link(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return true, s.problem(name, err)
	}
	return true, nil
}

// links reads folders of the form <algorithm>/<hex>/link. A deletion through the API takes the file and leaves its
// folder, so a folder without one is no link and no problem.
func (s *Store) links(base string) iter.Seq2[Link, *Problem] {
	return func(yield func(Link, *Problem) bool) {
		for name, trouble := range s.digests(base) {
			link := Link{Digest: name}
			if trouble == nil {
				link, trouble = s.readLink(base, name)
				if link.Digest.IsZero() {
					continue
				}
			}
			if !yield(link, trouble) {
				return
			}
		}
	}
}

func (s *Store) readLink(base string, named digest.Digest) (Link, *Problem) {
	folder := base + "/" + named.Algorithm() + "/" + named.Hex()
	name := folder + "/link"
	target, changed, err := s.link(name)
	if errors.Is(err, ErrEmpty) {
		target, changed, err = s.calm(folder, name)
	}
	link := Link{Digest: named, Modified: changed}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errGone):
		return Link{}, nil
	case err != nil:
		return link, s.problem(name, err)
	case target != named && !alias(named, target):
		return link, s.problem(name, fmt.Errorf("it holds %v", target))
	}
	link.Target = target
	return link, nil
}

// alias reports whether a link by one digest may hold another: a registry keeps all blobs by sha256, and links one that was pushed by
// sha512 by both, each link holding the sha256 (registry/storage/linkedblobstore.go, linkBlob).
func alias(named, target digest.Digest) bool {
	return named.Algorithm() != target.Algorithm() && target.Algorithm() == "sha256"
}

// Alias is the digest by which the blob is kept that a repository links as d below _layers; zero where that is d itself, or there is no such link.
func (s *Store) Alias(repository string, d digest.Digest) (digest.Digest, *Problem) {
	if d.Algorithm() == "sha256" {
		return digest.Digest{}, nil
	}
	link, trouble := s.readLink(LayersDir(repository), d)
	if trouble != nil || link.Target == d {
		return digest.Digest{}, trouble
	}
	return link.Target, nil
}

// digests yields the digests that the folders <algorithm>/<hex> below base spell.
func (s *Store) digests(base string) iter.Seq2[digest.Digest, *Problem] {
	return func(yield func(digest.Digest, *Problem) bool) {
		for algorithm, trouble := range s.folders(base) {
			if trouble != nil {
				if !yield(digest.Digest{}, trouble) {
					return
				}
				continue
			}
			for digits, trouble := range s.folders(path.Join(base, algorithm)) {
				var d digest.Digest
				if trouble == nil {
					var err error
					if d, err = digest.FromHex(algorithm, digits); err != nil {
						trouble = s.problem(path.Join(base, algorithm, digits), ErrStray)
					}
				}
				if !yield(d, trouble) {
					return
				}
			}
		}
	}
}

// Upload is a push that has not ended, or never will.
type Upload struct {
	ID      string
	Started time.Time
	// Bytes is what has arrived.
	Bytes int64
	// Modified is when something last arrived, or its folder was made.
	Modified time.Time
}

// Uploads yields a repository's uploads, unsorted. One without a readable time of its start comes with a problem.
func (s *Store) Uploads(repository string) iter.Seq2[Upload, *Problem] {
	return func(yield func(Upload, *Problem) bool) {
		dir := UploadsDir(repository)
		for id, trouble := range s.folders(dir) {
			upload := Upload{ID: id}
			if trouble == nil {
				upload, trouble = s.upload(dir, id)
			}
			if !yield(upload, trouble) {
				return
			}
		}
	}
}

func (s *Store) upload(dir, id string) (Upload, *Problem) {
	upload := Upload{ID: id}
	if info, err := s.root.Lstat(path.Join(dir, id)); err == nil {
		upload.Modified = info.ModTime()
	}
	if info, err := s.root.Lstat(path.Join(dir, id, "data")); err == nil {
		upload.Bytes, upload.Modified = info.Size(), info.ModTime()
	}
	name := path.Join(dir, id, "startedat")
	text, _, err := s.small(name, linkLimit)
	if err == nil {
		upload.Started, err = time.Parse(time.RFC3339, string(text))
	}
	if err != nil {
		return upload, s.problem(name, err)
	}
	return upload, nil
}

// TagProblem is a problem with what a tag names, which the repository was found not to have. It is nil when a push has brought it
// meanwhile, or the tag has gone.
func (s *Store) TagProblem(repository, tag string, err error) *Problem {
	link := path.Join(TagsDir(repository), tag, "current/link")
	wait := 2 * time.Millisecond
	for try := 0; ; try++ {
		d, _, failed := s.link(link)
		if errors.Is(failed, fs.ErrNotExist) {
			return nil
		}
		if linked, trouble := s.HasRevision(repository, d); failed == nil && linked && trouble == nil {
			return nil
		}
		// Deleting a manifest takes its link first, and then its tags.
		at, none := s.Modified(path.Join(RevisionsDir(repository), d.Algorithm(), d.Hex()))
		if failed != nil || none != nil || try == rereads || !recently(at) {
			return s.problem(link, err)
		}
		time.Sleep(wait)
		wait *= 2
	}
}

// HasRevision reports whether a repository links a manifest, as [Store.HasLayer] does for layers.
func (s *Store) HasRevision(repository string, d digest.Digest) (bool, *Problem) {
	return s.has(path.Join(RevisionsDir(repository), d.Algorithm(), d.Hex(), "link"))
}

// LinkProblem is a problem with a layer link.
func (s *Store) LinkProblem(repository string, d digest.Digest, err error) *Problem {
	return s.problem(path.Join(LayersDir(repository), d.Algorithm(), d.Hex()), err)
}
