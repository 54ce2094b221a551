package layout

import (
	"io/fs"
	"iter"
	"path"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// The folders of a repository, relative to the store's.

// RepositoryDir holds the parts below, and repositories whose names begin with this one's.
func RepositoryDir(repository string) string { return path.Join(repositories, repository) }

// TagsDir holds a folder a tag.
func TagsDir(repository string) string {
	return path.Join(repositories, repository, "_manifests/tags")
}

// RevisionsDir holds a folder a manifest, <algorithm>/<hex>.
func RevisionsDir(repository string) string {
	return path.Join(repositories, repository, "_manifests/revisions")
}

// LayersDir holds a folder a layer or configuration, <algorithm>/<hex>.
func LayersDir(repository string) string { return path.Join(repositories, repository, "_layers") }

// UploadsDir holds a folder an upload.
func UploadsDir(repository string) string { return path.Join(repositories, repository, "_uploads") }

// BlobDir holds a blob's data: the folder of its shard, and its name there.
func BlobDir(d digest.Digest) (shard, name string) {
	return path.Join("blobs", d.Algorithm(), d.Hex()[:2]), d.Hex()
}

// LinkFolders yields the digests that the folders below dir spell ([RevisionsDir], [LayersDir]), whether they hold a link or
// not, unsorted, a folder of an algorithm at a time. None of them is entered.
func (s *Store) LinkFolders(dir string) iter.Seq2[digest.Digest, *Problem] { return s.digests(dir) }

// LinkTime is when the link in a folder of [Store.LinkFolders] was written, or the folder where it holds none.
func (s *Store) LinkTime(dir string, d digest.Digest) (time.Time, *Problem) {
	folder := path.Join(dir, d.Algorithm(), d.Hex())
	st, err := s.stat(path.Join(folder, "link"))
	if err != nil {
		st, err = s.stat(folder)
	}
	if err != nil {
		return time.Time{}, s.problem(folder, err)
	}
	return st.modified, nil
}

// Digests yields the digests of all blobs in the order of [digest.Compare], while it reads one shard after the other; what is
// no blob is a problem. No blob's folder is entered, so a folder without data counts.
func (s *Store) Digests() iter.Seq2[digest.Digest, *Problem] {
	return func(yield func(digest.Digest, *Problem) bool) {
		for _, algorithm := range []string{"sha256", "sha512"} {
			prefixes, ok := s.sorted(path.Join("blobs", algorithm), yield)
			if !ok {
				return
			}
			for _, prefix := range prefixes {
				if !s.shardDigests(algorithm, prefix, yield) {
					return
				}
			}
		}
	}
}

func (s *Store) shardDigests(algorithm, prefix string, yield func(digest.Digest, *Problem) bool) bool {
	dir := path.Join("blobs", algorithm, prefix)
	names, ok := s.sorted(dir, yield)
	if !ok {
		return false
	}
	for _, digits := range names {
		d, err := digest.FromHex(algorithm, digits)
		var trouble *Problem
		if err != nil || digits[:2] != prefix {
			d, trouble = digest.Digest{}, s.problem(path.Join(dir, digits), ErrStray)
		}
		if !yield(d, trouble) {
			return false
		}
	}
	return true
}

// sorted is the names of a folder's folders; problems are handed on, and false says that no more are wanted.
func (s *Store) sorted(dir string, yield func(digest.Digest, *Problem) bool) (names []string, ok bool) {
	for name, trouble := range s.folders(dir) {
		if trouble != nil {
			if !yield(digest.Digest{}, trouble) {
				return nil, false
			}
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, true
}

// Files yields the regular files called name below dir with their times, wherever they are; what cannot be read is left out.
func (s *Store) Files(dir, name string) iter.Seq2[string, time.Time] {
	return func(yield func(string, time.Time) bool) {
		_ = fs.WalkDir(s.root.FS(), dir, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != name || !entry.Type().IsRegular() {
				return nil //nolint:nilerr // left out
			}
			info, err := entry.Info()
			if err == nil && !yield(file, info.ModTime()) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

// Modified is when something last came into or went from a folder.
func (s *Store) Modified(dir string) (time.Time, error) {
	info, err := s.root.Lstat(dir)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
