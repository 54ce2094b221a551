package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestSetOnDiskIsAMap: whatever the order of additions, of compactions and of questions between, a set that spills after a
// few digests answers as a map does.
func TestSetOnDiskIsAMap(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s, want := newSet(dir, rapid.IntRange(1, 40).Draw(t, "limit")), map[Digest]bool{}
		defer func() { _ = s.Close() }()
		sample := rapid.Custom(func(t *rapid.T) Digest {
			d := Of([]byte{byte(rapid.IntRange(0, 255).Draw(t, "n"))})
			if rapid.Bool().Draw(t, "long") {
				d = Digest{d.sum + d.sum}
			}
			return d
		})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for _, d := range rapid.SliceOf(sample).Draw(t, "digests") {
					s.Add(d)
					want[d] = true
				}
			},
			"add all": func(t *rapid.T) {
				other := newSet(dir, 5)
				for _, d := range rapid.SliceOf(sample).Draw(t, "digests") {
					other.Add(d)
					want[d] = true
				}
				s.AddAll(other)
				_ = other.Close()
			},
			"compact": func(t *rapid.T) {
				if err := s.Compact(); err != nil {
					t.Fatal(err)
				}
			},
			"look": func(t *rapid.T) {
				d := sample.Draw(t, "digest")
				if s.Contains(d) != want[d] {
					t.Fatalf("%v: %v", d, !want[d])
				}
			},
			"": func(t *rapid.T) {
				got := slices.Collect(s.Sorted())
				if !slices.Equal(got, slices.SortedFunc(maps.Keys(want), Compare)) || s.Len() != len(want) || s.Err() != nil {
					t.Fatalf("%d in order, Len %d, want %d, %v", len(got), s.Len(), len(want), s.Err())
				}
			},
		})
	})
	if names, err := os.ReadDir(dir); len(names) > 0 || err != nil {
		t.Error("files are left:", names, err)
	}
}

// TestMillionsStayOffTheHeap: 5 million digests, a tenth of them twice, in less than 64 MiB of memory at any time.
func TestMillionsStayOffTheHeap(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const many, distinct = 5_000_000, 4_500_000
	s := NewSet(t.TempDir())
	defer func() { _ = s.Close() }()
	var peak uint64
	look := func(i int) {
		if i%20_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
		}
	}
	start := time.Now()
	for i := range many {
		s.Add(nth(i % distinct))
		look(i)
	}
	added := time.Since(start)
	if err := s.Compact(); err != nil {
		t.Fatal(err)
	}
	compacted := time.Since(start)
	for i := 0; i < many; i += 20 {
		if s.Contains(nth(i)) != (i < distinct) {
			t.Fatal(i)
		}
		look(i)
	}
	if s.Len() != distinct {
		t.Error(s.Len())
	}
	look(0)
	t.Logf("heap %.1f MiB at most; added in %v, compacted in %v, looked up and counted in %v", float64(peak)/(1<<20), added,
		compacted-added, time.Since(start)-compacted)
	if peak > 64<<20 {
		t.Errorf("%d bytes of heap", peak)
	}
}

func nth(i int) Digest {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	return Digest{string(sum[:])}
}

// TestAFullDiskLosesNothing: what cannot be written stays, and the error is told.
func TestAFullDiskLosesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("mounting a small file system:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s := newSet(dir, 500)
	for i := range 10_000 {
		s.Add(nth(i))
	}
	if s.Err() == nil || s.Compact() == nil {
		t.Error("no error")
	}
	for i := range 10_000 {
		if !s.Contains(nth(i)) {
			t.Fatal(i, "is lost")
		}
	}
	if s.Contains(nth(10_000)) || s.Len() != 10_000 {
		t.Error(s.Len())
	}
}

func TestNoFolderForTheFiles(t *testing.T) {
	s := newSet(filepath.Join(t.TempDir(), "none"), 2)
	for i := range 10 {
		s.Add(nth(i))
	}
	if s.Err() == nil || s.Len() != 10 {
		t.Error(s.Err(), s.Len())
	}
}

// TestWhatCannotBeLookedUpIsContained: a file that cannot be read must make nothing garbage.
func TestWhatCannotBeLookedUpIsContained(t *testing.T) {
	s := newSet(t.TempDir(), 4)
	for i := range 4 {
		s.Add(nth(i))
	}
	_ = s.disk[0].files[0].f.Close()
	first := Digest{string(s.disk[0].files[0].first)}
	for i := range 100 {
		// Below the first record of the file nothing has to be read.
		if d := nth(i); Compare(d, first) >= 0 && !s.Contains(d) {
			t.Error(d, "is not contained")
		}
	}
	if s.Err() == nil {
		t.Error("no error")
	}
}
