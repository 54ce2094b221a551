package net

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

func with(o Options) *Net {
	return New(o, rand.New(rand.NewPCG(1, 2)), func(_, to uint64) time.Duration { return time.Duration(to) * ms })
}

// TestMessagesKeepTheirOrderUnlessTold sends many at once on links with much jitter.
func TestMessagesKeepTheirOrderUnlessTold(t *testing.T) {
	overtaken := map[bool]int{}
	for _, reorder := range []bool{false, true} {
		n := with(Options{Jitter: 0.5, Reorder: reorder})
		var last time.Duration
		for i := range 2000 {
			now := time.Duration(i) * 10 * time.Microsecond
			f := n.Send(now, 1, 2)
			if f.Copies != 1 || f.Arrive[0] < now {
				t.Fatalf("%+v at %v", f, now)
			}
			if f.Arrive[0] < last {
				overtaken[reorder]++
			}
			last = max(last, f.Arrive[0])
		}
	}
	if overtaken[false] > 0 || overtaken[true] < 100 {
		t.Errorf("overtaken: %v", overtaken)
	}
}

// TestDelaysAreThoseOfTheTopology looks at the mean and the spread, apart from each other in time.
func TestDelaysAreThoseOfTheTopology(t *testing.T) {
	n := with(Options{Jitter: 0.1})
	var sum, squares float64
	const count = 20_000
	for i := range count {
		now := time.Duration(i) * time.Second
		took := (n.Send(now, 1, 4).Arrive[0] - now).Seconds() * 1000
		sum, squares = sum+took, squares+took*took
	}
	mean := sum / count
	if dev := math.Sqrt(squares/count - mean*mean); math.Abs(mean-4) > 0.02 || math.Abs(dev-0.4) > 0.02 {
		t.Errorf("4 ms with 10 %% of jitter: mean %.3f, deviation %.3f", mean, dev)
	}
}

func TestLossAndCopiesAreShares(t *testing.T) {
	n := with(Options{Loss: 0.2, Dup: 0.3})
	n.Lose(1, 3, 0.5)
	lost, twice, more := 0, 0, 0
	const count = 20_000
	for i := range count {
		now := time.Duration(i) * time.Second
		switch n.Send(now, 1, 2).Copies {
		case 0:
			lost++
		case 2:
			twice++
		}
		if n.Send(now, 1, 3).Copies == 0 {
			more++
		}
	}
	near := func(got int, share float64) bool { return math.Abs(float64(got)/count-share) < 0.02 }
	if !near(lost, 0.2) || !near(twice, 0.8*0.3) || more <= lost {
		t.Errorf("of %d: %d lost, %d twice; with a fault %d lost", count, lost, twice, more)
	}
	n.Lose(1, 3, -0.5)
	more = 0
	for i := range count {
		if n.Send(time.Duration(i)*time.Second, 1, 3).Copies == 0 {
			more++
		}
	}
	if !near(more, 0.2) {
		t.Errorf("after the fault %d lost", more)
	}
}

// TestCutsAreOfOneWayAndCount cuts a link twice.
func TestCutsAreOfOneWayAndCount(t *testing.T) {
	n := with(Options{})
	arrives := func(from, to uint64) bool { return n.Send(0, from, to).Copies > 0 }
	n.Cut(1, 2)
	n.Cut(1, 2)
	if arrives(1, 2) || !arrives(2, 1) || !arrives(1, 3) {
		t.Error("a cut is of one direction")
	}
	n.Mend(1, 2)
	if arrives(1, 2) {
		t.Error("one of two faults is over, and the link is not cut any more")
	}
	n.Mend(1, 2)
	if !arrives(1, 2) {
		t.Error("it stays cut")
	}
	n.Slow(1, 2, 30*ms)
	if f := n.Send(time.Hour, 1, 2); f.Arrive[0] != time.Hour+32*ms {
		t.Errorf("%+v", f)
	}
}
