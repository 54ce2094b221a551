package sshaudit

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestNthCountIsThatOfTheSortedRows(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 5))
	for _, most := range []int{3, 255, 256, 1000} {
		f := newFailTable(maphash.MakeSeed())
		var counts []uint64
		for i := range 500 {
			n := uint64(rng.IntN(most) + 1)
			f.add(failKey{failID: failID{addr: addr{lo: uint64(i)}, reason: ReasonPassword}}, n, 1, 1)
			counts = append(counts, n)
		}
		slices.Sort(counts)
		for n := 1; n <= len(counts); n++ {
			if got, want := nthCount(f, n), counts[len(counts)-n]; got != want {
				t.Fatalf("up to %d: the %d. largest of %d is %d, want %d", most, n, len(counts), got, want)
			}
		}
	}
}
