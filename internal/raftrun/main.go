// Command raftrun runs seeds under the default nemesis until an invariant does not hold, and makes what it found small. It is what tests
// build with mutants of the core, and of what surrounds it: everything but the program that is judged stays the same.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// found is what is printed.
type found struct {
	Seeds      int     `json:"seeds"` // that were run
	Seed       uint64  `json:"seed"`  // that failed
	CPUSeconds float64 `json:"cpuSeconds"`
	Invariant  string  `json:"invariant"` // "" for none
	Text       string  `json:"text"`
	// Faults are those of the schedule, and Small those that are left of it.
	Faults int      `json:"faults"`
	Small  []string `json:"small"`
}

func main() {
	from := flag.Uint64("from", 1, "the first seed")
	seeds := flag.Int("seeds", 1_000_000, "how many seeds")
	budget := flag.Duration("cpu", time.Minute, "CPU time for finding something")
	trials := flag.Int("failover", 0, "kill the leader of `N` clusters instead, and print for how many seconds none led")
	nodes := flag.Int("nodes", 5, "with -failover: members")
	rtt := flag.Duration("rtt", 200*time.Microsecond, "with -failover: round trip")
	async := flag.String("async", string(raftsim.AsyncSafe), "profile of every fourth seed")
	small := flag.Duration("small", 20*time.Second, "how long to make what was found small; 0 not at all")
	flag.Parse()
	debug.SetGCPercent(400)
	var out any
	var err error
	if *trials > 0 {
		out, err = failovers(*nodes, *rtt, *trials)
	} else {
		out, err = search(raftsim.Profile(*async), *small, *from, *seeds, *budget)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "raftrun:", err)
		os.Exit(1)
	}
}

// config is the same for all: what changes is the seed, and with it the profile of every other run and the size of the cluster.
func config(seed uint64, async raftsim.Profile) raftsim.Config {
	r := rand.New(rand.NewPCG(seed, 0x6e656d65736973))
	c, rtt := raftsim.Default(), []time.Duration{time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}
	c.Topology = raftsim.Uniform([]int{3, 5}[r.IntN(2)], rtt[r.IntN(len(rtt))], 0.1)
	c.Clients, c.Keys, c.RoundRobin = []int{3, 10, 10}[r.IntN(3)], []int{2, 4, 16}[r.IntN(3)], r.IntN(4) > 0
	c.Topology.Reorder, c.Topology.Retransmit = r.IntN(2) == 0, r.IntN(4) > 0
	c.Seed, c.Duration = seed, 10*time.Second
	c.SnapshotEntries, c.SnapshotKeep = []uint64{30, 100}[r.IntN(2)], 15
	if r.IntN(4) == 0 {
		c.Profile = async
	}
	c.MaxMessage = []uint64{0, 0, 50, 200}[r.IntN(4)]
	c.PreVote, c.CheckQuorum = r.IntN(3) > 0, r.IntN(3) > 0
	c.Faults = fault.Default(r, len(c.Topology.Nodes), c.Duration)
	return c
}

func search(async raftsim.Profile, shrink time.Duration, from uint64, seeds int, budget time.Duration) (out found, err error) {
	s := raftsim.NewSimulator()
	defer s.Close()
	ctx := context.Background()
	run := func(ctx context.Context, c raftsim.Config) (*raftsim.Report, error) {
		a, err := s.Do(ctx, raftsim.Job{Config: c})
		return a.Report, err
	}
	for seed := from; out.Seeds < seeds && cpu() < budget; seed++ {
		c := config(seed, async)
		report, err := run(ctx, c)
		if err != nil {
			return out, err
		}
		out.Seeds++
		if len(report.Violations) == 0 {
			continue
		}
		v := &report.Violations[0]
		out.Seed, out.Invariant, out.Text, out.Faults, out.CPUSeconds = seed, v.Invariant, v.Text, len(c.Faults), cpu().Seconds()
		if shrink == 0 {
			return out, nil
		}
		out.Small, err = smaller(ctx, shrink, &c, v.Invariant, run)
		return out, err
	}
	out.CPUSeconds = cpu().Seconds()
	return out, nil
}

// smaller is the schedule of a failing run, as small as it gets in a while.
func smaller(ctx context.Context, in time.Duration, c *raftsim.Config, invariant string, run raftsim.Runner) (faults []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, in)
	defer cancel()
	small, _, err := raftsim.Shrink(ctx, *c, invariant, run, func() {})
	for _, f := range small.Faults {
		faults = append(faults, f.String())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return faults, err
}

// failovers are the seconds without a leader after its death, of clusters with etcd's timers and no clients.
func failovers(nodes int, rtt time.Duration, trials int) (seconds []float64, err error) {
	s := raftsim.NewSimulator()
	defer s.Close()
	c := raftsim.Default()
	c.Topology, c.Clients = raftsim.Uniform(nodes, rtt, 0.1), 0
	tally := raftsim.Tally{Config: &c, Scenario: raftsim.KillLeader}
	for job := range raftsim.Trials(c, raftsim.KillLeader, trials) {
		a, err := s.Do(context.Background(), job)
		if err != nil {
			return nil, err
		}
		tally.Add(&a)
	}
	return tally.Report().Samples.Leaderless, nil
}

// cpu is the time that this process has had of processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it knows no other errors than wrong arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
