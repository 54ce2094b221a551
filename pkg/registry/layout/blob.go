package layout

import (
	"iter"
	"path"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// Blob is content by its digest.
type Blob struct {
	Digest   digest.Digest
	Bytes    int64
	Modified time.Time
}

// Blobs yields all blobs, unsorted; what is no blob is a problem.
func (s *Store) Blobs() iter.Seq2[Blob, *Problem] {
	return func(yield func(Blob, *Problem) bool) {
		for algorithm, trouble := range s.folders("blobs") {
			if trouble != nil {
				if !yield(Blob{}, trouble) {
					return
				}
				continue
			}
			for prefix, trouble := range s.folders(path.Join("blobs", algorithm)) {
				if trouble != nil {
					if !yield(Blob{}, trouble) {
						return
					}
					continue
				}
				if !s.shard(algorithm, prefix, yield) {
					return
				}
			}
		}
	}
}

// shard yields the blobs of a folder such as blobs/sha256/0a; it is false when the caller wants no more.
func (s *Store) shard(algorithm, prefix string, yield func(Blob, *Problem) bool) bool {
	dir := path.Join("blobs", algorithm, prefix)
	for digits, trouble := range s.folders(dir) {
		var blob Blob
		if trouble == nil {
			d, err := digest.FromHex(algorithm, digits)
			if err != nil || digits[:2] != prefix {
				trouble = s.problem(path.Join(dir, digits), ErrStray)
			} else {
				blob, trouble = s.Blob(d)
			}
		}
		if !yield(blob, trouble) {
			return false
		}
	}
	return true
}

func dataPath(d digest.Digest) string {
	digits := d.Hex()
	return "blobs/" + d.Algorithm() + "/" + digits[:2] + "/" + digits + "/data"
}

// Blob is one blob by its digest; the problem wraps [io/fs.ErrNotExist] when the store lacks it.
func (s *Store) Blob(d digest.Digest) (Blob, *Problem) {
	name := dataPath(d)
	st, err := s.stat(name)
	switch {
	case err != nil:
		return Blob{Digest: d}, s.problem(name, err)
	case !st.regular:
		return Blob{Digest: d}, s.problem(name, errNoData)
	}
	return Blob{d, st.size, st.modified}, nil
}

// Manifest reads a manifest of a repository, which is a blob of at most limit bytes. A larger one is a problem that wraps
// [ErrTooLarge]. Whether the repository has it is not asked.
func (s *Store) Manifest(_ string, d digest.Digest, limit int64) ([]byte, *Problem) {
	name := dataPath(d)
	data, _, err := s.small(name, limit)
	if err != nil {
		return nil, s.problem(name, err)
	}
	return data, nil
}

// BlobProblem is a problem with what a blob holds.
func (s *Store) BlobProblem(d digest.Digest, err error) *Problem { return s.problem(dataPath(d), err) }
