package loop

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEventsComeInTheirOrder compares with a stable sort of what was added.
func TestEventsComeInTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type event struct {
			at time.Duration
			n  int
		}
		var q Queue[event]
		var waiting []event
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				e := event{q.Now() + time.Duration(rapid.IntRange(0, 20).Draw(t, "in")), n}
				n++
				q.At(e.at, e)
				waiting = append(waiting, e)
				slices.SortStableFunc(waiting, func(a, b event) int { return cmp.Compare(a.at, b.at) })
			},
			"look": func(t *rapid.T) {
				all := slices.SortedFunc(q.Waiting(), func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
				if !slices.Equal(all, waiting) {
					t.Fatalf("%v wait, Waiting has %v", waiting, all)
				}
				for range q.Waiting() {
					break
				}
			},
			"pop": func(t *rapid.T) {
				at, ok := q.Next()
				if ok != (len(waiting) > 0) {
					t.Fatalf("%d wait, Next says %v", len(waiting), ok)
				}
				if !ok {
					return
				}
				want := waiting[0]
				waiting = waiting[1:]
				if got := q.Pop(); got != want || at != want.at || q.Now() != want.at {
					t.Fatalf("popped %v at %v, want %v", got, q.Now(), want)
				}
			},
		})
		if q.Popped() != uint64(n-len(waiting)) || q.Len() != len(waiting) {
			t.Fatalf("%d popped and %d left, want %d and %d", q.Popped(), q.Len(), n-len(waiting), len(waiting))
		}
	})
}

func TestWhatIsPastIsDueNow(t *testing.T) {
	var q Queue[string]
	q.At(10, "a")
	q.Pop()
	q.At(3, "b")
	if got := q.Pop(); got != "b" || q.Now() != 10 {
		t.Errorf("%q at %v", got, q.Now())
	}
}

func BenchmarkQueue(b *testing.B) {
	var q Queue[[4]uint64]
	for i := range 100 {
		q.After(time.Duration(i*7919%1000), [4]uint64{})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.After(time.Duration(i*7919%1000), q.Pop())
	}
}
