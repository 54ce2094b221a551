package raftsim

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/quantile"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// Scenario is what a cluster has to get over.
type Scenario string

// Scenarios.
const (
	KillLeader Scenario = "kill"    // the leader's process ends, and stays away
	LoseZone   Scenario = "zone"    // all nodes of its zone do
	Rolling    Scenario = "rolling" // every node is restarted, one after the other
)

// Scenarios are those that mean something for a topology.
func (t *Topology) Scenarios() []Scenario {
	if len(t.Zones) > 1 {
		return []Scenario{KillLeader, LoseZone, Rolling}
	}
	return []Scenario{KillLeader, Rolling}
}

// settled is when a cluster has a leader and clients that were answered for a while; restartGap is between two of a rolling restart.
const (
	settled    = 6 * time.Second
	restartGap = 5 * time.Second
)

// Trials are jobs of a scenario, each with a seed of its own; chance moves the fault against the heartbeats.
func Trials(c Config, s Scenario, n int) iter.Seq[Job] {
	return func(yield func(Job) bool) {
		for i := range n {
			trial := c
			trial.Seed = c.Seed + uint64(i)
			r := rand.New(rand.NewPCG(trial.Seed, 0x7472)) //nolint:gosec // a simulation has to be repeatable
			at := max(settled, 5*c.ElectionTimeout) + time.Duration(r.Int64N(int64(max(time.Second, c.HeartbeatInterval))))
			trial.Duration, trial.UntilRecovered = at+patience(&c), true
			trial.Faults = []fault.Fault{{At: at, Kind: fault.Kill, From: []fault.Target{{Role: fault.Leader}}}}
			switch s {
			case LoseZone:
				trial.Faults[0].From = []fault.Target{{Zone: fault.LeadersZone}}
			case Rolling:
				trial.UntilRecovered = false
				trial.Faults = rolling(len(c.Topology.Nodes), at)
				trial.Duration = at + time.Duration(len(c.Topology.Nodes))*restartGap
			case KillLeader:
			}
			if !yield(Job{Config: trial, Brief: true}) {
				return
			}
		}
	}
}

// patience is for how long a trial waits for a new leader.
func patience(c *Config) time.Duration { return max(60*c.ElectionTimeout, 20*time.Second) }

// rolling restarts each node, which takes a second.
func rolling(nodes int, at time.Duration) (faults []fault.Fault) {
	for i := range nodes {
		faults = append(faults, fault.Fault{
			At: at + time.Duration(i)*restartGap, For: time.Second, Kind: fault.Kill, From: []fault.Target{{Node: uint64(i + 1)}},
		})
	}
	return faults
}

// FailoverReport is what came of the trials of a scenario. Times are seconds.
type FailoverReport struct {
	Scenario     Scenario      `json:"scenario"`
	Trials       int           `json:"trials"`
	NotRecovered int           `json:"notRecovered"`         // trials without a leader or an answer at the end
	Leaderless   *Distribution `json:"leaderless,omitempty"` // time without a leader
	Outage       *Distribution `json:"outage,omitempty"`     // time in which clients were not answered
	Sentence     string        `json:"sentence"`
	Samples      Samples       `json:"-"`
}

// Samples are the times of the trials, sorted; +Inf of those that did not recover.
type Samples struct{ Leaderless, Outage []float64 }

// Distribution are quantiles with their 95 % confidence intervals, the longest and the mean, of all trials: one that did not recover
// takes longer than all others.
type Distribution struct {
	P50 Estimate `json:"p50"`
	P95 Estimate `json:"p95"`
	P99 Estimate `json:"p99"`
	Max Seconds  `json:"maxSeconds"`
	// Mean is for figures that others published; it says less than quantiles do.
	Mean Seconds `json:"meanSeconds"`
}

// Estimate is a quantile between its bounds. High is infinite where there are too few trials for a bound.
type Estimate struct {
	Seconds Seconds `json:"seconds"`
	Low     Seconds `json:"lowSeconds"`
	High    Seconds `json:"highSeconds"`
}

// Seconds are a time, +Inf for one that had not ended when the trial did. JSON has null for that.
type Seconds float64

// Known reports whether there is a figure.
func (s Seconds) Known() bool { return !math.IsInf(float64(s), 1) }

// MarshalJSON implements [json.Marshaler].
func (s Seconds) MarshalJSON() ([]byte, error) {
	if !s.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(s))
}

// Tally collects what trials of a scenario gave.
type Tally struct {
	Config   *Config
	Scenario Scenario
	report   FailoverReport

	leaderless int // trials that never had a leader
}

// Add takes one in.
func (t *Tally) Add(a *Answer) {
	t.report.Trials++
	if a.Leaders == 0 {
		t.leaderless++
	}
	without, outage := a.Failover, a.Outage
	if t.Scenario == Rolling {
		without, outage = a.Leaderless, a.Serviceless
	}
	leaderless, unserved := without.Seconds(), outage.Seconds()
	if a.Leader == 0 || without < 0 || t.Config.Clients > 0 && outage < 0 {
		t.report.NotRecovered++
		leaderless, unserved = math.Inf(1), math.Inf(1)
	}
	t.report.Samples.Leaderless = append(t.report.Samples.Leaderless, leaderless)
	if t.Config.Clients > 0 {
		t.report.Samples.Outage = append(t.report.Samples.Outage, unserved)
	}
}

// Report is all of it.
func (t *Tally) Report() *FailoverReport {
	r := &t.report
	r.Scenario = t.Scenario
	r.Leaderless, r.Outage = distribution(r.Samples.Leaderless), distribution(r.Samples.Outage)
	r.Sentence = t.sentence()
	return r
}

// distribution is nil where nothing recovered.
func distribution(all []float64) *Distribution {
	slices.Sort(all)
	if len(all) == 0 || math.IsInf(all[0], 1) {
		return nil
	}
	at := func(p float64) Estimate {
		low, high := quantile.Interval(all, p, 0.95)
		return Estimate{Seconds(quantile.Sorted(all, p)), Seconds(max(0, low)), Seconds(high)} // no time is negative
	}
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return &Distribution{at(0.5), at(0.95), at(0.99), Seconds(all[len(all)-1]), Seconds(sum / float64(len(all)))}
}

// sentence says what is to be expected, and the arithmetic behind it.
func (t *Tally) sentence() string {
	n, r := len(t.Config.Topology.Nodes), &t.report
	splits := t.Scenario == KillLeader && n > majority(n) // what is left has a majority
	switch {
	case t.leaderless == r.Trials:
		return fmt.Sprintf("In none of %d trials there was ever a leader, from the beginning on: with such a network and such disks an election timeout of %s is too short, or nothing arrives at all. %s",
			r.Trials, t.Config.ElectionTimeout, capital(arithmetic(n)))
	case r.NotRecovered == r.Trials && !splits:
		return fmt.Sprintf("The cluster does not come back by itself: what is left is fewer than the majority of %d; %s", majority(n), arithmetic(n))
	case r.NotRecovered > 0 && splits:
		return fmt.Sprintf("In %d of %d trials nobody had won within %s: votes are split again and again where election timers, %s, run out within one round of votes. %s",
			r.NotRecovered, r.Trials, round(patience(t.Config)), t.Config.timers(), capital(arithmetic(n)))
	case r.NotRecovered > 0:
		return fmt.Sprintf("In %d of %d trials the cluster does not come back by itself, when fewer than the majority of %d are left; %s",
			r.NotRecovered, r.Trials, majority(n), arithmetic(n))
	case t.Scenario == Rolling && n <= majority(n):
		return fmt.Sprintf("Whichever node is restarted, what is left is no majority: half the time there is no leader for %s or longer in all. %s",
			seconds(r.Leaderless.P50.Seconds), capital(arithmetic(n)))
	case t.Scenario == Rolling:
		return fmt.Sprintf("A rolling restart costs the time of an election only when it is the leader's turn, %s half the time in all; hand the leadership over before. %s",
			seconds(r.Leaderless.P50.Seconds), capital(arithmetic(n)))
	}
	votes := "a round of votes"
	if t.Config.PreVote {
		votes = "two rounds of votes"
	}
	return fmt.Sprintf("Half the time a new leader is there after %s, and 95 of 100 times after %s: the first of the others' election timers, %s, less what had run of it, and %s. %s",
		seconds(r.Leaderless.P50.Seconds), seconds(r.Leaderless.P95.Seconds), t.Config.timers(), votes, capital(arithmetic(n)))
}

func seconds(s Seconds) string { return round(time.Duration(float64(s) * float64(time.Second))) }

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
