package raftplay_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// play makes a recording by hand: a cluster of which the last node leads from 0.5 s on and dies at 2 s, the first leads from 3.1 s
// on, and the last is back at 5 s. It plays eight seconds.
type play struct {
	rec    trace.Recording
	random *rand.Rand
	index  uint64
	number uint64
}

const (
	ms   = time.Millisecond
	down = 2000 * ms
	back = 5000 * ms
)

func handmade(nodes int) *trace.Recording {
	p := &play{random: rand.New(rand.NewPCG(1, 2)), index: 1}
	p.rec = trace.Recording{
		Seed: 7, Duration: 8 * time.Second, HeartbeatInterval: 100 * ms, ElectionTimeout: time.Second,
		Sentence: "The leader died, and another was elected.",
	}
	for id := range uint64(nodes) {
		p.rec.Nodes = append(p.rec.Nodes, trace.Node{ID: id + 1, Name: string(rune('a' + id)), Zone: "here"})
		p.add(0, trace.Event{Kind: trace.Role, Node: id + 1, Term: 1, Text: "follower"})
		p.add(0, trace.Event{Kind: trace.Timer, Node: id + 1, Until: 1500 * ms})
	}
	last := uint64(nodes)
	p.election(500*ms, last, 2, p.but(last))
	p.lead(504*ms, down, last, 2, p.but(last))
	p.add(down, trace.Event{Kind: trace.Fault, Text: "kill " + p.rec.Nodes[last-1].Name})
	p.add(down, trace.Event{Kind: trace.Crash, Node: last, Index: p.index})
	p.add(2100*ms, trace.Event{Kind: trace.Invoke, ID: 1, Text: "write"})
	p.election(3100*ms, 1, 3, p.but(1, last))
	p.add(3105*ms, trace.Event{Kind: trace.Return, ID: 1, Until: 2100 * ms, Text: "done"})
	p.lead(3106*ms, back, 1, 3, p.but(1, last))
	p.add(back, trace.Event{Kind: trace.Heal, Text: "kill " + p.rec.Nodes[last-1].Name})
	p.add(back, trace.Event{Kind: trace.Restart, Node: last})
	p.add(back, trace.Event{Kind: trace.Role, Node: last, Term: 2, Text: "follower"})
	p.lead(back+ms, 8*time.Second, 1, 3, p.but(1))
	slices.SortStableFunc(p.rec.Events, func(a, b trace.Event) int { return int(a.At - b.At) })
	return &p.rec
}

func (p *play) add(at time.Duration, e trace.Event) {
	e.At = at
	p.rec.Events = append(p.rec.Events, e)
}

func (p *play) but(ids ...uint64) (rest []uint64) {
	for _, n := range p.rec.Nodes {
		if !slices.Contains(ids, n.ID) {
			rest = append(rest, n.ID)
		}
	}
	return rest
}

// message flies half a millisecond, more or less. It says when it arrives.
func (p *play) message(at time.Duration, from, to uint64, kind string, term, index uint64) time.Duration {
	p.number++
	arrives := at + 400*ms/1000 + time.Duration(p.random.IntN(200))*time.Microsecond
	p.add(at, trace.Event{Kind: trace.Send, Node: from, Peer: to, ID: p.number, Term: term, Index: index, Message: kind})
	p.add(arrives, trace.Event{Kind: trace.Receive, Node: to, Peer: from, ID: p.number, Message: kind})
	return arrives
}

func (p *play) election(at time.Duration, who, term uint64, voters []uint64) {
	p.add(at, trace.Event{Kind: trace.Role, Node: who, Term: term, Text: "candidate"})
	p.add(at, trace.Event{Kind: trace.Timer, Node: who, Until: at + 1500*ms})
	for _, v := range voters {
		heard := p.message(at, who, v, "Vote", term, p.index)
		p.add(heard, trace.Event{Kind: trace.Role, Node: v, Term: term, Text: "follower"})
		p.add(heard, trace.Event{Kind: trace.Timer, Node: v, Until: heard + 1500*ms})
		p.add(heard, trace.Event{Kind: trace.Vote, Node: v, Peer: who, Term: term, Message: "Vote", Text: "granted"})
		p.message(heard, v, who, "VoteResp", term, 0)
	}
	p.add(at+2*ms, trace.Event{Kind: trace.Role, Node: who, Term: term, Text: "leader"})
}

// lead sends heartbeats, and has an entry written and committed in each second one.
func (p *play) lead(from, to time.Duration, who, term uint64, others []uint64) {
	for beat := 0; from < to-10*ms; beat++ {
		kind, sent := "Heartbeat", from
		if beat%2 == 0 {
			kind = "App"
			p.index++
			p.add(from, trace.Event{Kind: trace.Invoke, ID: 1000 + p.index, Text: "write"})
			p.add(from, trace.Event{Kind: trace.Append, Node: who, Term: term, Index: p.index})
			p.add(from+ms, trace.Event{Kind: trace.Durable, Node: who, Index: p.index})
			p.add(from+4*ms, trace.Event{Kind: trace.Commit, Node: who, Index: p.index})
			p.add(from+4*ms, trace.Event{Kind: trace.Apply, Node: who, Index: p.index})
			p.add(from+5*ms, trace.Event{Kind: trace.Return, ID: 1000 + p.index, Until: sent, Text: "done"})
		}
		for _, o := range others {
			heard := p.message(from, who, o, kind, term, p.index)
			if kind == "App" {
				p.add(heard, trace.Event{Kind: trace.Append, Node: o, Term: term, Index: p.index})
				p.add(heard, trace.Event{Kind: trace.Sync, Node: o, Until: heard + ms})
				p.add(heard+ms, trace.Event{Kind: trace.Durable, Node: o, Index: p.index})
				p.add(heard+5*ms, trace.Event{Kind: trace.Commit, Node: o, Index: p.index})
				p.add(heard+5*ms, trace.Event{Kind: trace.Apply, Node: o, Index: p.index})
			}
			p.message(heard+ms, o, who, kind+"Resp", term, p.index)
		}
		from += 100 * ms
	}
}
