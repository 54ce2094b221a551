package raftsim

import (
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// Window is a stretch of a run.
type Window struct{ From, To time.Duration }

// Long is how long it is.
func (w Window) Long() time.Duration { return w.To - w.From }

// Election is what followed from a follower's election timeout, or from a transfer of the leadership.
type Election struct {
	At        time.Duration
	Candidate uint64
	Term      uint64 // that it was for
	Pre       bool   // it only asked whether it would win: PreVote
	Votes     []Vote
	Won       bool
	Handed    bool // the leader handed over: no timer ran out
}

// Vote is an answer to a candidate's request, or that there was none.
type Vote struct {
	Node    uint64
	Granted bool
	Why     string // it was not granted
}

// Loss is the end of a leader's reign, and why.
type Loss struct {
	At   time.Duration
	Node uint64
	Why  string
}

// Miss is a fault of the schedule, by its place there, that did nothing, and why.
type Miss struct {
	Fault int
	Why   string
}

// watch keeps what is reported of a run.
type watch struct {
	elections   []Election
	leaders     []Reign
	leader      *node // who leads, as far as there is one that runs
	since       time.Duration
	losses      []Loss // of a leader
	quorumLost  bool   // the leader is about to step down for that
	handing     bool   // a node takes the message that makes it the next leader
	leaderless  []Window
	serviceless []Window
	lastAnswer  time.Duration
	lastBefore  time.Duration // the last answer before the first fault
	latencies   []time.Duration
	operations  uint64
	unanswered  uint64
	firstFault  time.Duration // -1: none yet
	recovered   time.Duration // a leader, after the fault
	served      time.Duration // an answer, after that
	maxTerm     uint64
	missed      []Miss
}

// Reign is a leader and its term.
type Reign struct {
	At   time.Duration
	Node uint64
	Term uint64
}

func (w *watch) became(c *cluster, n *node, role core.Role, term uint64) {
	now := c.queue.Now()
	w.maxTerm = max(w.maxTerm, term)
	switch role {
	case core.Leader:
		w.leaders = append(w.leaders, Reign{now, n.id, term})
		if e := w.election(n.id, term, false); e != nil {
			e.Won = true
		}
		if w.leader == nil {
			w.ends(now)
		}
		if w.leader == nil || term >= w.leader.term {
			w.leader = n
		}
	case core.PreCandidate:
		w.elections = append(w.elections, Election{At: now, Candidate: n.id, Term: term + 1, Pre: true})
	case core.Candidate:
		if e := w.election(n.id, term, true); e != nil {
			e.Won = true
		}
		w.elections = append(w.elections, Election{At: now, Candidate: n.id, Term: term, Handed: w.handing})
	}
	if role != core.Leader && w.leader == n {
		why := "heard of a later term"
		if w.quorumLost {
			why = "did not hear from a majority within the election timeout"
		}
		w.quorumLost = false
		w.lost(now, why)
	}
}

// ends closes the window without a leader.
func (w *watch) ends(now time.Duration) {
	if now > w.since {
		w.leaderless = append(w.leaderless, Window{w.since, now})
	}
	if w.firstFault >= 0 && w.recovered < 0 {
		w.recovered = now
	}
}

func (w *watch) lost(now time.Duration, why string) {
	w.losses = append(w.losses, Loss{now, w.leader.id, why})
	w.leader, w.since = nil, now
}

// election is the last one of a candidate in a term; nil for none.
func (w *watch) election(candidate, term uint64, pre bool) *Election {
	for i := len(w.elections) - 1; i >= 0 && i >= len(w.elections)-32; i-- {
		if e := &w.elections[i]; e.Candidate == candidate && e.Term == term && e.Pre == pre {
			return e
		}
	}
	return nil
}

func (w *watch) voted(_ *cluster, n *node, b *core.Ballot) {
	for i := len(w.elections) - 1; i >= 0 && i >= len(w.elections)-32; i-- {
		if e := &w.elections[i]; e.Candidate == b.Candidate && e.Pre == b.Pre {
			e.Votes = append(e.Votes, Vote{n.id, b.Granted, b.Why})
			return
		}
	}
}

func (w *watch) lostQuorum(_ *cluster, n *node) { w.quorumLost = w.leader == n }

// down is a node that crashed or was paused.
func (w *watch) down(c *cluster, n *node, why string) {
	if w.leader == n {
		w.lost(c.queue.Now(), why)
	}
}

func (w *watch) resumed(c *cluster, n *node) {
	if n.role == core.Leader && w.leader == nil {
		w.ends(c.queue.Now())
		w.leader = n
	}
}

// answered is an operation that was done.
func (w *watch) answered(c *cluster, took time.Duration) {
	now := c.queue.Now()
	if now-w.lastAnswer >= c.cfg.ElectionTimeout/2 {
		w.serviceless = append(w.serviceless, Window{w.lastAnswer, now})
	}
	w.lastAnswer = now
	if w.firstFault < 0 {
		w.lastBefore = now
	}
	w.latencies = append(w.latencies, took)
	if w.recovered >= 0 && w.firstFault >= 0 && w.served < 0 {
		w.served = now
	}
}

func (c *cluster) record(e trace.Event) {
	r := c.recording
	if r == nil {
		return
	}
	if len(r.Events) >= c.cfg.Record {
		r.Omitted++
		return
	}
	e.At = c.queue.Now()
	r.Events = append(r.Events, e)
}

func (c *cluster) newRecording() *trace.Recording {
	r := &trace.Recording{Seed: c.cfg.Seed, Duration: c.cfg.Duration, HeartbeatInterval: c.cfg.HeartbeatInterval, ElectionTimeout: c.cfg.ElectionTimeout}
	for i := range c.cfg.Topology.Nodes {
		n := &c.cfg.Topology.Nodes[i]
		r.Nodes = append(r.Nodes, trace.Node{ID: uint64(i + 1), Name: n.Name, Zone: n.Zone})
	}
	return r
}
