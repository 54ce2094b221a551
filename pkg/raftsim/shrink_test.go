package raftsim

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// TestShrinkingKeepsWhatMatters shrinks a schedule of which two faults are needed, by a rule of the test's own.
func TestShrinkingKeepsWhatMatters(t *testing.T) {
	kill := fault.Fault{At: 3217 * time.Millisecond, For: 812 * time.Millisecond, Kind: fault.Kill, From: []fault.Target{{Role: fault.Leader}}}
	pause := fault.Fault{At: 5019 * time.Millisecond, For: 1111 * time.Millisecond, Kind: fault.Pause, From: []fault.Target{{Node: 2}}}
	c := Default()
	c.Duration, c.Clients = 30*time.Second, 9
	for i := range 20 {
		at := time.Duration(i) * 777 * time.Millisecond
		c.Faults = append(c.Faults, fault.Fault{At: at, For: time.Second, Kind: fault.Loss, Factor: 0.1}, fault.Fault{At: at, Kind: fault.Transfer})
	}
	c.Faults = slices.Insert(c.Faults, 7, kill)
	c.Faults = slices.Insert(c.Faults, 23, pause)
	const invariant = "made up"
	runs := 0
	run := func(_ context.Context, c Config) (*Report, error) {
		killed, paused := time.Duration(-1), time.Duration(-1)
		for _, f := range c.Faults {
			switch {
			case f.Kind == fault.Kill && f.At <= c.Duration:
				killed = f.At
			case f.Kind == fault.Pause && f.For >= 400*time.Millisecond && f.At <= c.Duration:
				paused = f.At
			}
		}
		r := &Report{}
		if killed >= 0 && paused > killed {
			r.Violations, r.DurationSeconds = []ViolationReport{{Invariant: invariant}}, paused.Seconds()+0.5
		}
		return r, nil
	}
	small, report, err := Shrink(t.Context(), c, invariant, run, func() { runs++ })
	if err != nil || !violates(report, invariant) {
		t.Fatal(err, report)
	}
	if len(small.Faults) != 2 || small.Faults[0].Kind != fault.Kill || small.Faults[1].Kind != fault.Pause {
		t.Errorf("left are %v", small.Faults)
	}
	if small.Duration > 7*time.Second || small.Clients > 1 || runs > 2000 {
		t.Errorf("%v with %d clients, after %d runs", small.Duration, small.Clients, runs)
	}
	for _, f := range small.Faults {
		if f.At%(100*time.Millisecond) != 0 {
			t.Errorf("%v is at no round time", f)
		}
	}
	clean := Default()
	if same, _, err := Shrink(t.Context(), clean, invariant, run, func() {}); err != nil || same.Duration != clean.Duration {
		t.Errorf("a run that violates nothing became %v, %v", same, err)
	}
}

// TestTimersFollowTheAdviceOfEtcd looks at candidates, warnings and the choice.
func TestTimersFollowTheAdviceOfEtcd(t *testing.T) {
	c := Default()
	c.Topology = Uniform(3, 80*time.Millisecond, 0)
	for _, one := range c.Candidates()[1:] {
		if one.ElectionTimeout < 800*time.Millisecond || one.HeartbeatInterval < 40*time.Millisecond || one.ElectionTimeout < 5*one.HeartbeatInterval {
			t.Errorf("%v and %v for round trips of 80ms", one.HeartbeatInterval, one.ElectionTimeout)
		}
		if bad := one.Check(); bad != nil {
			t.Error(bad)
		}
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("%q", w)
	}
	c.ElectionTimeout = 300 * time.Millisecond
	c.Topology.Nodes[1].Fsync = Latency{5 * time.Millisecond, 30 * time.Millisecond}
	c.Topology.Nodes = append(c.Topology.Nodes, c.Topology.Nodes[0])
	if w := c.Warnings(); len(w) != 4 { // below ten round trips, below five heartbeats, a slow disk, four members
		t.Errorf("%q", w)
	}
	p95 := func(s Seconds) *Distribution { return &Distribution{P95: Estimate{Seconds: s}} }
	all := []Timers{{Leaderless: p95(2)}, {Leaderless: p95(0.1), NeedlessElections: 3}, {Leaderless: p95(0.5)}, {}}
	if best := Recommend(all); best != 2 || !all[2].Recommended || all[0].Recommended {
		t.Errorf("the best is %d", best)
	}
	if best := Recommend([]Timers{{Leaderless: p95(Seconds(math.Inf(1)))}, {Leaderless: p95(9)}}); best != 1 {
		t.Errorf("of one that does not recover and one that does, %d is recommended", best)
	}
	if best := Recommend([]Timers{{NeedlessElections: 1, Leaderless: p95(1)}}); best != -1 {
		t.Errorf("%d is recommended", best)
	}
}
