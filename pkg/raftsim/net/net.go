// Package net is the network of a simulation: when a message that is sent arrives, if it does. Messages of one connection keep their
// order, as TCP's do, unless the network was told to reorder them.
package net

import (
	"math/rand/v2"
	"time"
)

// Options are those of all links.
type Options struct {
	Jitter  float64 // standard deviation of the delay, as a share of it
	Loss    float64 // share of the messages that do not arrive
	Dup     float64 // share that arrives twice
	Reorder bool
}

// Net joins nodes, which are numbered from 1 on.
type Net struct {
	options Options
	random  *rand.Rand
	delay   func(from, to uint64) time.Duration
	links   [][]link // by sender and receiver
}

type link struct {
	delay   time.Duration // one way, as the topology has it
	last    time.Duration // when the last message arrives
	cut     int           // how many faults cut it
	extra   time.Duration // what faults add
	loss    float64       // what faults lose
	dup     float64
	measure bool // delay is known
}

// New is a network; delay says how long a message takes one way on a link, and is asked once of each.
func New(o Options, random *rand.Rand, delay func(from, to uint64) time.Duration) *Net {
	return &Net{options: o, random: random, delay: delay}
}

func (n *Net) link(from, to uint64) *link {
	for uint64(len(n.links)) <= from {
		n.links = append(n.links, nil)
	}
	for uint64(len(n.links[from])) <= to {
		n.links[from] = append(n.links[from], link{})
	}
	l := &n.links[from][to]
	if !l.measure {
		l.delay, l.measure = n.delay(from, to), true
	}
	return l
}

// Fate is what becomes of a message.
type Fate struct {
	Arrive [2]time.Duration
	Copies int    // 0: it is lost
	Why    string // it is lost
}

// copyBehind is how long behind a message its copy arrives, on average, where the network keeps no order.
const copyBehind = 300 * time.Millisecond

// Send is a message that leaves now.
func (n *Net) Send(now time.Duration, from, to uint64) (f Fate) {
	l := n.link(from, to)
	if l.cut > 0 {
		return Fate{Why: "the network is partitioned"}
	}
	if n.chance(n.options.Loss) || n.chance(l.loss) {
		return Fate{Why: "lost"}
	}
	f.Copies = 1
	if n.chance(n.options.Dup) || n.chance(l.dup) {
		f.Copies = 2
	}
	for i := range f.Copies {
		at := now + n.takes(l)
		switch {
		case !n.options.Reorder:
			at = max(at, l.last)
			l.last = at
		case i > 0:
			at += time.Duration(n.random.ExpFloat64() * float64(copyBehind))
		}
		f.Arrive[i] = at
	}
	return f
}

// Takes draws how long a message takes one way between two places that are not nodes' own: a client's.
func (n *Net) Takes(base time.Duration) time.Duration { return n.spread(base) }

func (n *Net) takes(l *link) time.Duration { return n.spread(l.delay) + l.extra }

// spread draws around a delay: normal, and never less than a tenth.
func (n *Net) spread(base time.Duration) time.Duration {
	if n.options.Jitter == 0 || base == 0 {
		return base
	}
	return time.Duration(float64(base) * max(0.1, 1+n.options.Jitter*n.random.NormFloat64()))
}

func (n *Net) chance(p float64) bool { return p > 0 && n.random.Float64() < p }

// Cut takes a link away, Mend gives it back; as often as it was cut.
func (n *Net) Cut(from, to uint64) { n.link(from, to).cut++ }

// Mend is the end of a [Net.Cut].
func (n *Net) Mend(from, to uint64) {
	if l := n.link(from, to); l.cut > 0 {
		l.cut--
	}
}

// After has what is sent on a link from now on arrive after a time, where the network keeps the order.
func (n *Net) After(from, to uint64, at time.Duration) {
	l := n.link(from, to)
	l.last = max(l.last, at)
}

// IsCut says whether nothing passes.
func (n *Net) IsCut(from, to uint64) bool { return n.link(from, to).cut > 0 }

// Slow adds to what messages of a link take; a negative time takes that back.
func (n *Net) Slow(from, to uint64, by time.Duration) { n.link(from, to).extra += by }

// Lose adds to the share of messages that a link loses, and Double to those that arrive twice.
func (n *Net) Lose(from, to uint64, share float64) { n.link(from, to).loss += share }

// Double is for duplicates what Lose is for losses.
func (n *Net) Double(from, to uint64, share float64) { n.link(from, to).dup += share }
