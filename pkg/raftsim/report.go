package raftsim

import (
	"fmt"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/quantile"
	"github.com/opsctl/opsctl/pkg/raftsim/check"
)

// Report is a Result for people and programs: times are seconds since the start of the run.
type Report struct {
	Seed            uint64            `json:"seed"`
	Hash            string            `json:"hash"` // of all events: equal runs have equal ones
	DurationSeconds float64           `json:"durationSeconds"`
	Sentence        string            `json:"sentence"`
	Term            uint64            `json:"term"`
	Leader          string            `json:"leader,omitempty"` // at the end
	Leaders         []ReignReport     `json:"leaders"`
	Elections       []ElectionReport  `json:"elections"`
	Leaderless      []WindowReport    `json:"leaderless"`
	WithoutService  []WindowReport    `json:"withoutService"`
	Latency         *LatencyReport    `json:"latency,omitempty"` // of operations that were answered
	Operations      OperationReport   `json:"operations"`
	Events          uint64            `json:"events"`
	Messages        uint64            `json:"messages"`
	FailoverSeconds *float64          `json:"failoverSeconds,omitempty"`
	OutageSeconds   *float64          `json:"outageSeconds,omitempty"`
	Invariants      []InvariantReport `json:"invariants"`
	Violations      []ViolationReport `json:"violations"`
	Missed          []MissReport      `json:"missed"` // faults that did nothing
}

// ReignReport is a leader, from when to when, and why it ended.
type ReignReport struct {
	Node        string   `json:"node"`
	Term        uint64   `json:"term"`
	FromSeconds float64  `json:"fromSeconds"`
	ToSeconds   *float64 `json:"toSeconds,omitempty"` // absent: it leads at the end
	Ended       string   `json:"ended,omitempty"`
}

// ElectionReport is an election, and who voted how.
type ElectionReport struct {
	AtSeconds float64      `json:"atSeconds"`
	Candidate string       `json:"candidate"`
	Term      uint64       `json:"term"`
	PreVote   bool         `json:"preVote"`
	Won       bool         `json:"won"`
	Votes     []VoteReport `json:"votes"`
}

// VoteReport is a node's answer to a candidate, or why there was none.
type VoteReport struct {
	Node    string `json:"node"`
	Granted bool   `json:"granted"`
	Reason  string `json:"reason,omitempty"`
}

// WindowReport is a stretch of the run.
type WindowReport struct {
	FromSeconds float64 `json:"fromSeconds"`
	ToSeconds   float64 `json:"toSeconds"`
}

// LatencyReport are quantiles.
type LatencyReport struct {
	P50  float64 `json:"p50Seconds"`
	P90  float64 `json:"p90Seconds"`
	P99  float64 `json:"p99Seconds"`
	P999 float64 `json:"p999Seconds"`
	Max  float64 `json:"maxSeconds"`
}

// OperationReport counts what clients asked for.
type OperationReport struct {
	Asked    uint64 `json:"asked"`
	Answered uint64 `json:"answered"`
	GivenUp  uint64 `json:"givenUp"`
}

// InvariantReport says whether an invariant held: "holds", "violated", or "unknown" where the check was too much work.
type InvariantReport struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

// ViolationReport is where one did not.
type ViolationReport struct {
	Invariant string  `json:"invariant"`
	AtSeconds float64 `json:"atSeconds"`
	Node      string  `json:"node,omitempty"`
	Text      string  `json:"text"`
}

// MissReport is a fault that did nothing, and why; Index is its place in the schedule, from 0 on.
type MissReport struct {
	Index  int    `json:"index"`
	Fault  string `json:"fault"`
	Reason string `json:"reason"`
}

// Report is what a run of the config gave.
func (c *Config) Report(r *Result) *Report {
	name := c.NodeName
	out := &Report{
		Seed: r.Seed, Hash: fmt.Sprintf("%016x", r.Sum), DurationSeconds: r.Duration.Seconds(), Term: r.Term, Events: r.Events, Messages: r.Messages,
		Operations: OperationReport{r.Operations, uint64(len(r.Latencies)), r.Unanswered},
		Leaders:    []ReignReport{}, Elections: []ElectionReport{}, Violations: []ViolationReport{}, Missed: []MissReport{},
		Leaderless: windows(r.Leaderless), WithoutService: windows(r.Serviceless), Latency: latency(r.Latencies),
		FailoverSeconds: known(r.Failover), OutageSeconds: known(r.Outage), Invariants: invariants(r),
	}
	if r.Leader != 0 {
		out.Leader = name(r.Leader)
	}
	for i, reign := range r.Leaders {
		out.Leaders = append(out.Leaders, c.reign(r, i, reign))
	}
	for i := range r.Elections {
		e := &r.Elections[i]
		report := ElectionReport{e.At.Seconds(), name(e.Candidate), e.Term, e.Pre, e.Won, []VoteReport{}}
		for _, v := range e.Votes {
			report.Votes = append(report.Votes, VoteReport{name(v.Node), v.Granted, v.Why})
		}
		out.Elections = append(out.Elections, report)
	}
	for _, v := range r.Violations {
		report := ViolationReport{string(v.Invariant), v.At.Seconds(), "", v.Text}
		if v.Node != 0 {
			report.Node = name(v.Node)
		}
		out.Violations = append(out.Violations, report)
	}
	for _, m := range r.Missed {
		out.Missed = append(out.Missed, MissReport{m.Fault, c.Faults[m.Fault].String(), m.Why})
	}
	out.Sentence = c.sentence(r)
	return out
}

// reign says how the i-th leader ended: by the first loss of that node behind its beginning.
func (c *Config) reign(r *Result, i int, reign Reign) ReignReport {
	report := ReignReport{Node: c.NodeName(reign.Node), Term: reign.Term, FromSeconds: reign.At.Seconds()}
	for _, l := range r.Losses {
		if l.Node == reign.Node && l.At >= reign.At {
			report.ToSeconds, report.Ended = new(l.At.Seconds()), l.Why
			return report
		}
	}
	if i+1 < len(r.Leaders) {
		report.ToSeconds, report.Ended = new(r.Leaders[i+1].At.Seconds()), "a later term had a leader"
	}
	return report
}

// NodeName is what a node is called: as in the topology, or n6 for one that joined.
func (c *Config) NodeName(id uint64) string {
	if id >= 1 && id <= uint64(len(c.Topology.Nodes)) && c.Topology.Nodes[id-1].Name != "" {
		return c.Topology.Nodes[id-1].Name
	}
	return fmt.Sprintf("n%d", id)
}

func windows(all []Window) []WindowReport {
	out := make([]WindowReport, len(all))
	for i, w := range all {
		out[i] = WindowReport{w.From.Seconds(), w.To.Seconds()}
	}
	return out
}

func latency(all []time.Duration) *LatencyReport {
	if len(all) == 0 {
		return nil
	}
	seconds := make([]float64, len(all))
	for i, d := range all {
		seconds[i] = d.Seconds()
	}
	slices.Sort(seconds)
	at := func(p float64) float64 { return quantile.Sorted(seconds, p) }
	return &LatencyReport{at(0.5), at(0.9), at(0.99), at(0.999), seconds[len(seconds)-1]}
}

func known(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}
	return new(d.Seconds())
}

// invariants are all that were watched.
func invariants(r *Result) []InvariantReport {
	out := []InvariantReport{}
	for _, name := range check.All() {
		status := "holds"
		if name == check.Linearizability && r.History == check.NotDecided {
			status = "unknown"
		}
		if slices.ContainsFunc(r.Violations, func(v check.Violation) bool { return v.Invariant == name }) {
			status = "violated"
		}
		out = append(out, InvariantReport{string(name), status})
	}
	return out
}
