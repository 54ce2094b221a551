package digest

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"iter"
	"slices"
)

// Set holds digests without their headers: 32 or 64 bytes each and the map's own room. What callers may ask is no more
// than a sorted file can answer as well (add, contains, count, and all of them in order), so that a larger set can
// live on disk behind the same methods. The zero value is empty. It is not safe for concurrent use.
type Set struct {
	short map[[sha256.Size]byte]struct{}
	long  map[[sha512.Size]byte]struct{}
}

// Add puts d into the set; the zero digest is left out.
func (s *Set) Add(d Digest) {
	switch len(d.sum) {
	case sha256.Size:
		if s.short == nil {
			s.short = map[[sha256.Size]byte]struct{}{}
		}
		s.short[[sha256.Size]byte([]byte(d.sum))] = struct{}{}
	case sha512.Size:
		if s.long == nil {
			s.long = map[[sha512.Size]byte]struct{}{}
		}
		s.long[[sha512.Size]byte([]byte(d.sum))] = struct{}{}
	}
}

// Contains reports whether d is in the set.
func (s *Set) Contains(d Digest) bool {
	var ok bool
	switch len(d.sum) {
	case sha256.Size:
		_, ok = s.short[[sha256.Size]byte([]byte(d.sum))]
	case sha512.Size:
		_, ok = s.long[[sha512.Size]byte([]byte(d.sum))]
	}
	return ok
}

// Len is the number of digests.
func (s *Set) Len() int { return len(s.short) + len(s.long) }

// AddAll puts every digest of other into the set.
func (s *Set) AddAll(other *Set) {
	if s.short == nil {
		s.short = make(map[[sha256.Size]byte]struct{}, len(other.short))
	}
	for sum := range other.short {
		s.short[sum] = struct{}{}
	}
	for sum := range other.long {
		s.Add(Digest{string(sum[:])})
	}
}

// Sorted yields the digests in the order of [Compare].
func (s *Set) Sorted() iter.Seq[Digest] {
	return func(yield func(Digest) bool) {
		short := make([][sha256.Size]byte, 0, len(s.short))
		for sum := range s.short {
			short = append(short, sum)
		}
		slices.SortFunc(short, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
		for _, sum := range short {
			if !yield(Digest{string(sum[:])}) {
				return
			}
		}
		long := make([][sha512.Size]byte, 0, len(s.long))
		for sum := range s.long {
			long = append(long, sum)
		}
		slices.SortFunc(long, func(a, b [sha512.Size]byte) int { return bytes.Compare(a[:], b[:]) })
		for _, sum := range long {
			if !yield(Digest{string(sum[:])}) {
				return
			}
		}
	}
}
