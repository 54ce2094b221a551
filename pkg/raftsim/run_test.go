package raftsim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// TestAClusterSurvives has the leader die, be cut off, stand still and lose its disk, and the same come of it twice.
func TestAClusterSurvives(t *testing.T) {
	s := NewSimulator()
	defer s.Close()
	leader := []fault.Target{{Role: fault.Leader}}
	for _, profile := range []Profile{Etcd, Async, AsyncSafe} {
		cfg := Default()
		cfg.Profile = profile
		cfg.Faults = []fault.Fault{
			{At: 10 * time.Second, For: 5 * time.Second, Kind: fault.Kill, From: leader},
			{At: 20 * time.Second, For: 5 * time.Second, Kind: fault.Isolate, From: leader},
			{At: 30 * time.Second, For: 5 * time.Second, Kind: fault.Pause, From: leader},
			{At: 40 * time.Second, Kind: fault.Wipe, From: leader},
			{At: 50 * time.Second, For: 5 * time.Second, Kind: fault.Partition, From: []fault.Target{{Role: fault.Minority}}},
		}
		var sums []uint64
		for range 2 {
			r, err := s.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Violations) > 0 || len(r.Leaders) < 5 || r.Leader == 0 || r.Operations < 5000 || r.Unanswered > 0 || r.Failover < 0 {
				t.Errorf("%s: %d leaders, %d operations, %d given up, failover %v: %v", profile, len(r.Leaders), r.Operations, r.Unanswered, r.Failover, r.Violations)
			}
			sums = append(sums, r.Sum)
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: the same seed gave %x and %x", profile, sums[0], sums[1])
		}
	}
}

// TestNoAlarms runs clean clusters under the nemesis: the checks must not cry wolf.
func TestNoAlarms(t *testing.T) {
	s := NewSimulator()
	defer s.Close()
	seeds := uint64(500)
	if testing.Short() { // as under the race detector
		seeds = 50
	}
	for seed := range seeds {
		cfg := Default()
		cfg.Seed, cfg.Duration, cfg.SnapshotEntries, cfg.SnapshotKeep = seed, 10*time.Second, 60, 20
		cfg.Profile = []Profile{Etcd, AsyncSafe}[seed%2]
		cfg.Faults = fault.Default(rand.New(rand.NewPCG(seed, 1)), 5, cfg.Duration)
		r, err := s.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Violations {
			t.Errorf("seed %d, %s: %v", seed, cfg.Profile, v)
		}
	}
}
