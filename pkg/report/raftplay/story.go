package raftplay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// row is a moment of the story: what is said of it, and marks in the columns of nodes.
type row struct {
	at      time.Duration
	marks   map[int]mark
	text    string
	colour  paint
	life    []glyph // of each node afterwards
	votes   *votes  // it is answers to a candidate
	attempt bool    // it belongs to an election
	before  counts  // what happened since the row before it
}

type mark struct {
	text   string
	colour paint
}

// counts are what is too frequent to be told one by one.
type counts struct {
	answered, unanswered, messages, lost int
}

func (c *counts) add(d counts) {
	c.answered += d.answered
	c.unanswered += d.unanswered
	c.messages += d.messages
	c.lost += d.lost
}

// votes are answers to one request.
type votes struct {
	candidate uint64
	pre       bool
	granted   []int    // by their places
	refused   []string // with why
}

// teller makes rows of events.
type teller struct {
	rec   *trace.Recording
	all   []member
	rows  []*row
	since counts
	gaps  outage
	set   map[uint64]time.Duration // when each node's election timer was set
	won   map[uint64]int           // votes that a node has for its term
}

func tell(rec *trace.Recording) *teller {
	t := &teller{rec: rec, all: members(rec), gaps: outage{limit: rec.ElectionTimeout / 2}, set: map[uint64]time.Duration{}, won: map[uint64]int{}}
	first := t.row(0, fmt.Sprintf("%d nodes, heartbeat %s, election timeout %s, seed %d", len(rec.Nodes), rec.HeartbeatInterval, rec.ElectionTimeout, rec.Seed), plain)
	for i := range rec.Events {
		t.event(&rec.Events[i])
		if rec.Events[i].At == 0 {
			t.start(first)
		}
	}
	if from, open := t.gaps.still(end(rec)); open {
		t.row(end(rec), "clients have had no answer for "+lasting(end(rec)-from), red)
	}
	t.row(end(rec), "the end", dim)
	return t
}

// start marks what nodes are when the run begins.
func (t *teller) start(first *row) {
	for i := range t.all {
		if t.all[i].in {
			first.marks[i] = mark{short(t.all[i].role) + " " + digits(t.all[i].term), plain}
		}
		first.life[i] = t.all[i].glyph()
	}
}

// row adds one.
func (t *teller) row(at time.Duration, text string, colour paint) *row {
	r := &row{at: at, text: text, colour: colour, marks: map[int]mark{}, before: t.since}
	t.since = counts{}
	for i := range t.all {
		r.life = append(r.life, t.all[i].glyph())
	}
	t.rows = append(t.rows, r)
	return r
}

func (t *teller) last() *row { return t.rows[len(t.rows)-1] }

func (t *teller) name(id uint64) string {
	if at := place(t.all, id); at >= 0 {
		return t.all[at].Name
	}
	return name(id)
}

func (t *teller) event(e *trace.Event) {
	at := place(t.all, e.Node)
	var was member
	if at >= 0 {
		was = t.all[at]
		t.all[at].apply(e)
	}
	switch e.Kind {
	case trace.Role:
		if e.At > 0 {
			t.role(e, at, was)
		}
	case trace.Timer:
		t.set[e.Node] = e.At
	case trace.Vote:
		t.vote(e, at)
	case trace.Fault:
		t.row(e.At, "fault: "+inert.String(e.Text), violet)
	case trace.Heal:
		t.row(e.At, "over: "+inert.String(e.Text), violet)
	case trace.Violated:
		r := t.row(e.At, "VIOLATED: "+inert.String(e.Text), red)
		if at >= 0 {
			r.marks[at] = mark{"FAIL", red}
		}
	case trace.Crash, trace.Restart, trace.Pause, trace.Resume, trace.Join, trace.Leave, trace.Snapshot, trace.Sync:
		t.done(e, at)
	default:
		t.count(e)
	}
}

func (t *teller) count(e *trace.Event) {
	switch e.Kind {
	case trace.Send:
		t.since.messages++
	case trace.Drop:
		t.since.lost++
	case trace.Return:
		if e.Text == "done" {
			t.since.answered++
		} else {
			t.since.unanswered++
		}
	}
	if from, over := t.gaps.next(e); over {
		t.row(e.At, "clients are answered, after "+lasting(e.At-from)+" without", green)
	}
}

// ended marks a node whose process has ended.
const ended = "killed"

// done tells of what was done to a node, beside the fault that did it.
func (t *teller) done(e *trace.Event, at int) {
	var m mark
	text := t.name(e.Node)
	switch e.Kind {
	case trace.Crash:
		m, text = mark{ended, red}, text+" ends; its disk has the log up to "+digits(e.Index)
	case trace.Restart:
		m, text = mark{"up", green}, text+" starts again"
	case trace.Pause:
		m, text = mark{"paused", violet}, text+" stands still"
	case trace.Resume:
		m, text = mark{"runs", green}, text+" goes on"
	case trace.Join:
		m, text = mark{"joins", green}, text+" is a member now"
	case trace.Leave:
		m, text = mark{"leaves", red}, text+" is no member any more"
	case trace.Snapshot:
		if e.Peer == 0 {
			return
		}
		m, text = mark{"snap", plain}, fmt.Sprintf("%s gets a snapshot at %d from %s", text, e.Index, t.name(e.Peer))
	case trace.Sync:
		if e.Until-e.At < max(t.rec.ElectionTimeout/2, 1) {
			return
		}
		m, text = mark{"disk", violet}, text+" waits for its disk, for "+lasting(e.Until-e.At)
	}
	r := t.last()
	before, marked := r.marks[at]
	switch here := r.at == e.At && r.votes == nil; {
	case here && e.Kind == trace.Leave && before.text == ended: // one that is told so ends at once
		r.text = text + ", and ends"
	case !here || marked:
		r = t.row(e.At, text, m.colour)
	}
	if at >= 0 {
		r.marks[at], r.life[at] = m, t.all[at].glyph()
	}
}

func (t *teller) role(e *trace.Event, at int, was member) {
	who, term := t.name(e.Node), digits(e.Term)
	var text string
	colour := yellow
	switch {
	case e.Text == preCandidate:
		text = who + " asks whether it would win term " + digits(e.Term+1) + t.silence(e)
		t.won[e.Node] = 1
	case e.Text == candidate:
		text = who + " stands for term " + term
		t.won[e.Node] = 1
		if was.role != preCandidate {
			text += t.silence(e)
		}
	case e.Text == leader:
		text, colour = who+" leads term "+term+", with "+strconv.Itoa(t.won[e.Node])+" votes", green
	case was.role == leader && was.up:
		text, colour = who+" steps down, in term "+term, red
	case was.role == candidate || was.role == preCandidate:
		text, colour = who+" gives way, in term "+term, plain
	default:
		return
	}
	r := t.row(e.At, text, colour)
	r.attempt = e.Text == preCandidate || e.Text == candidate || was.role == candidate || was.role == preCandidate
	if e.Text == leader {
		r.attempt = false
	}
	r.marks[at] = mark{short(e.Text) + " " + term, colour}
}

// silence says how long a node's election timer ran.
func (t *teller) silence(e *trace.Event) string {
	if set, ok := t.set[e.Node]; ok && e.At > set {
		return ": its election timer ran out"
	}
	return ""
}

func (t *teller) vote(e *trace.Event, at int) {
	if at < 0 {
		return
	}
	pre := e.Message != "Vote"
	r := t.last()
	if v := r.votes; v == nil || v.candidate != e.Peer || v.pre != pre || e.At-r.at > t.rec.HeartbeatInterval {
		r = t.row(e.At, "", plain)
		r.votes, r.attempt = &votes{candidate: e.Peer, pre: pre}, true
	}
	m := mark{"yes", green}
	if e.Text == "granted" {
		r.votes.granted = append(r.votes.granted, at)
		t.won[e.Peer]++
	} else {
		m = mark{"no", red}
		r.votes.refused = append(r.votes.refused, t.name(e.Node)+" ("+inert.String(e.Text)+")")
	}
	r.marks[at] = m
	r.text = t.sentence(r.votes)
}

func (t *teller) sentence(v *votes) string {
	var parts []string
	var names []string
	slices.Sort(v.granted)
	for _, at := range v.granted {
		names = append(names, t.all[at].Name)
	}
	what := " vote for "
	switch {
	case v.pre:
		what = " would vote for "
	case len(names) == 1:
		what = " votes for "
	}
	if len(names) > 0 {
		parts = append(parts, list(names)+what+t.name(v.candidate))
	}
	if len(v.refused) > 0 {
		parts = append(parts, "no from "+strings.Join(v.refused, ", "))
	}
	return strings.Join(parts, "; ")
}

func short(role string) string {
	switch role {
	case follower:
		return "fol"
	case preCandidate:
		return "pre"
	case candidate:
		return "cand"
	case leader:
		return "LEAD"
	case learner:
		return "learn"
	}
	return inert.String(role)
}

func digits(n uint64) string { return strconv.FormatUint(n, 10) }
