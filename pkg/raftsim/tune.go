package raftsim

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// Timers are a cluster's, and what simulations of them gave. Times in JSON are seconds.
type Timers struct {
	Heartbeat         float64       `json:"heartbeatSeconds"`
	Election          float64       `json:"electionSeconds"`
	Current           bool          `json:"current"`     // those that were asked about
	Recommended       bool          `json:"recommended"` // the fastest that stay calm
	NeedlessElections int           `json:"needlessElections"`
	WatchedSeconds    float64       `json:"watchedSeconds"` // in which nothing failed, and the leader stood still now and then
	Leaderless        *Distribution `json:"leaderless,omitempty"`
	Outage            *Distribution `json:"outage,omitempty"`
	HeartbeatsSecond  float64       `json:"heartbeatsPerSecond"` // messages of the leader and their answers
}

// etcd's limits (server/embed/config.go: maxElectionMs, and an election timeout of at least five heartbeats).
const (
	maxElection = 50 * time.Second
	minRatio    = 5
)

// watched is how long a cluster without faults is watched for elections, in so many runs.
const (
	watched     = 5 * time.Minute
	watchedRuns = 4
)

// Candidates are pairs of timers worth trying on a topology: heartbeats from half the longest round trip on, as etcd's tuning guide has
// them, and elections of five and ten times that, but ten round trips at least; the current ones are first.
func (c *Config) Candidates() []Config {
	all := []Config{*c}
	longest := c.Topology.Longest()
	for _, ms := range []int64{10, 20, 50, 100, 200, 300, 500, 1000} {
		heartbeat := time.Duration(ms) * time.Millisecond
		if heartbeat < longest/2 || heartbeat > max(4*longest, 100*time.Millisecond) {
			continue
		}
		for _, ratio := range []int64{minRatio, 10} {
			candidate := *c
			candidate.HeartbeatInterval, candidate.ElectionTimeout = heartbeat, time.Duration(ratio*ms)*time.Millisecond
			candidate.Tick, candidate.ElectionChoices = 0, 0 // as etcd has them
			same := func(o Config) bool {
				return o.HeartbeatInterval == heartbeat && o.ElectionTimeout == candidate.ElectionTimeout
			}
			if candidate.ElectionTimeout >= 10*longest && candidate.ElectionTimeout <= maxElection && !slices.ContainsFunc(all, same) {
				all = append(all, candidate)
			}
		}
	}
	return all
}

// Longest is the longest round trip between two nodes, with three standard deviations of its jitter.
func (t *Topology) Longest() (longest time.Duration) {
	for i := range t.Nodes {
		for k := range t.Nodes {
			if i != k {
				longest = max(longest, 2*t.oneWay(&t.Nodes[i], &t.Nodes[k]))
			}
		}
	}
	return time.Duration(float64(longest) * (1 + 3*t.Jitter))
}

// StallGap is how far apart stalls begin while a cluster is watched: long ones leave it as much time in between.
func StallGap(stall time.Duration) time.Duration { return max(10*time.Second, 2*stall) }

// CalmTrials are runs in which nothing fails, to see whether anybody calls an election all the same: the leader merely stands still for
// stall now and then, as for a disk, a hypervisor or a collector of garbage.
func CalmTrials(c Config, stall time.Duration) iter.Seq[Job] {
	return func(yield func(Job) bool) {
		for i := range watchedRuns {
			trial := c
			trial.Seed, trial.Duration, trial.Faults = c.Seed+uint64(i), watched, nil
			gap := StallGap(stall)
			for at := gap; stall > 0 && at < watched; at += gap {
				// Not always at the same time of a heartbeat.
				at := at + time.Duration(i)*gap/watchedRuns + at%(7*gap)/1000
				trial.Faults = append(trial.Faults, fault.Fault{At: at, For: stall, Kind: fault.Pause, From: []fault.Target{{Role: fault.Leader}}})
			}
			trial.Rate = min(trial.Rate, 20)
			if !yield(Job{Config: trial, Brief: true}) {
				return
			}
		}
	}
}

// Judge makes the line of a candidate: of the leaders in calm runs, and of a killed leader.
func Judge(c *Config, calm []Answer, failover *FailoverReport) Timers {
	t := Timers{
		Heartbeat: c.HeartbeatInterval.Seconds(), Election: c.ElectionTimeout.Seconds(), WatchedSeconds: float64(len(calm)) * watched.Seconds(),
		Leaderless: failover.Leaderless, Outage: failover.Outage,
		HeartbeatsSecond: 2 * float64(len(c.Topology.Nodes)-1) / c.HeartbeatInterval.Seconds(),
	}
	for i := range calm {
		t.NeedlessElections += max(0, calm[i].Leaders-1)
	}
	return t
}

// Recommend marks the candidate that is back soonest after a failure among those without a needless election; -1 for
// none.
func Recommend(all []Timers) int {
	at := -1
	var best *Timers
	for i := range all {
		t := &all[i]
		if t.NeedlessElections == 0 && t.Leaderless != nil && t.Leaderless.P95.Seconds.Known() && (best == nil || t.Leaderless.P95.Seconds < best.Leaderless.P95.Seconds) {
			best, at = t, i
		}
	}
	if best != nil {
		best.Recommended = true
	}
	return at
}

// Warnings are what etcd's documents say about such timers, disks and numbers of members (op-guide/tuning, op-guide/hardware, faq).
func (c *Config) Warnings() (all []string) {
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	longest := c.Topology.Longest()
	if c.HeartbeatInterval < longest/2 {
		warn("the heartbeat interval, %v, is shorter than half the longest round trip, %v: etcd advises about that of a round trip", c.HeartbeatInterval, round(longest))
	}
	if c.ElectionTimeout < 10*longest {
		warn("the election timeout, %v, is shorter than ten round trips, %v: etcd advises at least that", c.ElectionTimeout, round(10*longest))
	}
	if c.ElectionTimeout < minRatio*c.HeartbeatInterval {
		warn("etcd refuses an election timeout of less than %d heartbeat intervals", minRatio)
	}
	if c.ElectionTimeout > maxElection {
		warn("etcd refuses an election timeout above %v", maxElection)
	}
	for i := range c.Topology.Nodes {
		if n := &c.Topology.Nodes[i]; n.Fsync.P99 > 10*time.Millisecond {
			warn("%s needs %v for an fsync at the 99th percentile: etcd wants less than 10ms, and slow disks cause elections", c.NodeName(uint64(i+1)), round(n.Fsync.P99))
		}
	}
	if n := len(c.Topology.Nodes); n%2 == 0 {
		warn("%s", arithmetic(n))
	}
	if n := len(c.Topology.Nodes); n > 7 {
		warn("%d members: etcd advises no more than 7, since every write waits for a majority", n)
	}
	return all
}
