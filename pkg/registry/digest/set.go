package digest

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
)

// inMemory is how many digests a set that may spill holds in its maps: some 10 MiB with what sorting them takes.
const inMemory = 1 << 17

// Set holds digests without their headers: 32 or 64 bytes each and the map's own room. The zero value is empty and stays in
// memory; a set of [NewSet] moves to disk what is too much. Several goroutines may call [Set.Contains] while none calls
// another method.
//
// The disk's errors are kept for [Set.Err], which a caller asks before it acts on what a set of NewSet said. Until then they
// err towards holding more: a digest that cannot be written stays in memory, and one that cannot be looked up is
// contained.
type Set struct {
	short map[[sha256.Size]byte]struct{}
	long  map[[sha512.Size]byte]struct{}

	limit    int // digests in memory; 0: no limit
	disk     [2]runs
	failed   atomic.Pointer[error] // the disk's first
	distinct int                   // Len as of the last count of runs; 0: to be counted
}

// NewSet is an empty set that keeps what is above a hundred thousand digests in files in dir, "" for the system's folder of
// temporary files. They have no names: whatever happens, nothing stays. The caller closes the set.
func NewSet(dir string) *Set { return newSet(dir, inMemory) }

func newSet(dir string, limit int) *Set {
	s := &Set{limit: limit}
	s.disk[0].dir, s.disk[1].dir = dir, dir
	return s
}

// Close gives up what is on disk; the set is empty then.
func (s *Set) Close() error {
	s.short, s.long = nil, nil
	return errors.Join(s.disk[0].close(), s.disk[1].close())
}

// Err is the first error that the disk gave, nil without.
func (s *Set) Err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *Set) fail(err error) {
	if err != nil {
		s.failed.CompareAndSwap(nil, &err)
	}
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
	s.distinct = 0
	if s.limit > 0 && len(s.short)+2*len(s.long) >= s.limit && s.Err() == nil {
		s.spill()
	}
}

// spill moves the maps to disk; what cannot be written stays.
func (s *Set) spill() {
	if len(s.short) > 0 {
		if err := s.disk[0].add(packedShort(s.short), sha256.Size); err != nil {
			s.fail(err)
			return
		}
		clear(s.short)
	}
	if len(s.long) > 0 {
		if err := s.disk[1].add(packedLong(s.long), sha512.Size); err != nil {
			s.fail(err)
			return
		}
		clear(s.long)
	}
}

// Contains reports whether d is in the set.
func (s *Set) Contains(d Digest) bool {
	var ok bool
	var err error
	switch len(d.sum) {
	case sha256.Size:
		if _, ok = s.short[[sha256.Size]byte([]byte(d.sum))]; !ok {
			ok, err = s.disk[0].contains([]byte(d.sum))
		}
	case sha512.Size:
		if _, ok = s.long[[sha512.Size]byte([]byte(d.sum))]; !ok {
			ok, err = s.disk[1].contains([]byte(d.sum))
		}
	}
	s.fail(err)
	return ok || err != nil
}

// Compact prepares a set for being read: what is on disk becomes one sorted file, which makes [Set.Contains] quick and
// [Set.Len] free. The error is the set's, as of [Set.Err].
func (s *Set) Compact() error {
	for i, width := range []int{sha256.Size, sha512.Size} {
		if s.Err() == nil && len(s.disk[i].files) > 0 {
			s.spill()
			s.fail(s.disk[i].merge(width))
		}
	}
	return s.Err()
}

// Len is the number of digests. For a set on disk that was changed since the last time, it reads all of it.
func (s *Set) Len() int {
	if len(s.disk[0].files)+len(s.disk[1].files) == 0 {
		return len(s.short) + len(s.long)
	}
	if s.distinct == 0 {
		for range s.Sorted() {
			s.distinct++
		}
	}
	return s.distinct
}

// AddAll puts every digest of other into the set.
func (s *Set) AddAll(other *Set) {
	for d := range other.Sorted() {
		s.Add(d)
	}
	s.fail(other.Err())
}

// Sorted yields the digests in the order of [Compare]. It ends early when the disk fails.
func (s *Set) Sorted() iter.Seq[Digest] {
	return func(yield func(Digest) bool) {
		memory := [2][]byte{packedShort(s.short), packedLong(s.long)}
		for i, width := range []int{sha256.Size, sha512.Size} {
			for record, err := range s.disk[i].sorted(memory[i], width) {
				if err != nil {
					s.fail(err)
					return
				}
				if !yield(Digest{string(record)}) {
					return
				}
			}
		}
	}
}

// packed are the keys of a map, sorted, one behind the other.
func packed[K comparable](set map[K]struct{}, compare func(a, b K) int, raw func(to []byte, k K) []byte) []byte {
	keys := make([]K, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	var all []byte
	for i, k := range keys {
		if all = raw(all, k); i == 0 {
			all = slices.Grow(all, (len(keys)-1)*len(all))
		}
	}
	return all
}

func packedShort(set map[[sha256.Size]byte]struct{}) []byte {
	return packed(set,
		func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) },
		func(to []byte, k [sha256.Size]byte) []byte { return append(to, k[:]...) })
}

func packedLong(set map[[sha512.Size]byte]struct{}) []byte {
	return packed(set,
		func(a, b [sha512.Size]byte) int { return bytes.Compare(a[:], b[:]) },
		func(to []byte, k [sha512.Size]byte) []byte { return append(to, k[:]...) })
}
