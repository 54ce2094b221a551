// Package check watches a simulated cluster for what Raft promises (Ongaro and Ousterhout, In Search of an Understandable Consensus
// Algorithm, 2014, figure 3) and for what its clients may rely on. It is told what happens, and is exact: what it calls a violation
// is one.
package check

import (
	"fmt"
	"time"
)

// Invariant is what has to hold.
type Invariant string

// Invariants, and what violates each.
const (
	ElectionSafety     Invariant = "election safety"      // two leaders of one term
	LeaderAppendOnly   Invariant = "leader append-only"   // a leader overwrites its log
	LogMatching        Invariant = "log matching"         // two logs agree in an entry and not in all before it
	LeaderCompleteness Invariant = "leader completeness"  // a leader lacks what was committed in an earlier term
	StateMachineSafety Invariant = "state machine safety" // two machines apply, or commit, different entries at one place
	Durability         Invariant = "durability"           // a node has lost what it acknowledged, which others may have counted on
	ReadFreshness      Invariant = "read freshness"       // a read misses a write that was acknowledged before it began
	Linearizability    Invariant = "linearizability"      // no order of the operations explains all answers
	Panic              Invariant = "panic"                // the core gave up
)

// All are the invariants, in the order of reports.
func All() []Invariant {
	return []Invariant{ElectionSafety, LeaderAppendOnly, LogMatching, LeaderCompleteness, StateMachineSafety, Durability, ReadFreshness, Linearizability, Panic}
}

// Violation is one that did not hold. Text is a sentence without a full stop.
type Violation struct {
	Invariant Invariant
	At        time.Duration
	Node      uint64 // 0: of no node
	Text      string
}

// Entry is one of a log; Sum stands for its data.
type Entry struct{ Term, Sum uint64 }

// Checker keeps what it has to compare with. It is used by one goroutine.
type Checker struct {
	violations []Violation
	logs       []log // by node
	leaders    map[uint64]uint64
	seen       history // chains that some log had, by place and term
	committed  chains
	reached    []reach // how far was committed, by term
	clients    clients
}

// log is what a node's log is, as sums: that of a place stands for the whole log up to it.
type log struct {
	chains
	applied uint64
	acked   uint64 // the last entry that it told a leader it has; 0 for none
	kept    uint64 // the chain up to that
}

// reach is the last entry that was known as committed in a term.
type reach struct{ term, index uint64 }

// New is a checker of a cluster that does not run yet.
func New() *Checker {
	return &Checker{leaders: make(map[uint64]uint64), clients: newClients()}
}

// Violations are those that were found so far, in their order.
func (c *Checker) Violations() []Violation { return c.violations }

func (c *Checker) report(i Invariant, at time.Duration, node uint64, format string, args ...any) {
	c.violations = append(c.violations, Violation{i, at, node, fmt.Sprintf(format, args...)})
}

func (c *Checker) log(node uint64) *log {
	for uint64(len(c.logs)) <= node {
		c.logs = append(c.logs, log{chains: chains{first: 1}})
	}
	return &c.logs[node]
}

// Append says what a log has from index first on; what stood there before is replaced. leader says that the node leads the term that
// the entries are of.
func (c *Checker) Append(at time.Duration, node uint64, leader bool, first uint64, entries []Entry) {
	l := c.log(node)
	last := l.last()
	if first > last+1 || first < l.first {
		c.report(LogMatching, at, node, "n%d's log goes from %d to %d, and gets an entry at %d", node, l.first, last, first)
		return
	}
	if leader && first <= last {
		c.report(LeaderAppendOnly, at, node, "n%d leads term %d and overwrites its log from %d on, which went to %d", node, entries[0].Term, first, last)
	}
	l.cut(first)
	if first <= last && l.acked >= first { // a leader has replaced it
		l.acked = 0
	}
	chain := l.at(first - 1)
	for i, e := range entries {
		index := first + uint64(i)
		chain = mix(chain, e.Term, e.Sum)
		l.sums = append(l.sums, chain)
		if !c.seen.add(index, e.Term, chain) {
			c.report(LogMatching, at, node, "n%d has an entry of term %d at %d, as another log has, and they differ in it or before it", node, e.Term, index)
			return
		}
	}
}

// Compact says that a log has nothing any more up to an entry that is applied.
func (c *Checker) Compact(node, through uint64) {
	c.log(node).compact(through)
	least := through
	for i := 1; i < len(c.logs); i++ {
		least = min(least, c.logs[i].first-1)
	}
	c.seen.forget(least)
	c.committed.compact(min(least, c.committed.last()))
}

// Snapshot says that a node's log was replaced by a machine as of an entry; chain is that of [Checker.Chain] where it was made.
func (c *Checker) Snapshot(at time.Duration, node, index, term, chain uint64) {
	l := c.log(node)
	l.chains = chains{first: index + 1, before: chain}
	l.applied, l.acked = index, 0
	if known, ok := c.committed.find(index); ok && known != chain {
		c.report(StateMachineSafety, at, node, "n%d is given a machine as of %d, of term %d, that was not made from what is committed there", node, index, term)
	}
}

// Chain stands for a node's log up to an entry; ok is false for one that the log has no more, or not yet.
func (c *Checker) Chain(node, index uint64) (chain uint64, ok bool) { return c.log(node).find(index) }

// Next is the chain behind an entry, from the one before it.
func Next(before uint64, e Entry) uint64 { return mix(before, e.Term, e.Sum) }

// Crash says that of a node's log nothing is left behind an entry but what is told next, and that its machine starts anew; chain is
// that of [Checker.Chain] up to the entry.
func (c *Checker) Crash(node, through, chain uint64) {
	l := c.log(node)
	*l = log{chains: chains{first: through + 1, before: chain}, acked: l.acked, kept: l.kept}
}

// Acknowledge says that a node tells a leader that it has the log up to an entry: on its disk.
func (c *Checker) Acknowledge(node, index uint64) {
	l := c.log(node)
	if chain, ok := l.find(index); ok && index > l.acked {
		l.acked, l.kept = index, chain
	}
}

// Restart says that all is told of the log of a node that crashed.
func (c *Checker) Restart(at time.Duration, node uint64) {
	l := c.log(node)
	if l.acked == 0 || l.acked+1 < l.first {
		return
	}
	if chain, ok := l.find(l.acked); !ok {
		c.report(Durability, at, node, "n%d comes back with a log that ends at %d, though it had acknowledged %d", node, l.last(), l.acked)
	} else if chain != l.kept {
		c.report(Durability, at, node, "n%d comes back with another log than the one it had acknowledged up to %d", node, l.acked)
	}
}

// Elect says that a node becomes leader of a term.
func (c *Checker) Elect(at time.Duration, node, term uint64) {
	if other, found := c.leaders[term]; found && other != node {
		c.report(ElectionSafety, at, node, "n%d and n%d both lead term %d", other, node, term)
		return
	}
	c.leaders[term] = node
}

// Lead says that a node leads a term, with a log that is still the one it was elected with, but for entries of that term.
func (c *Checker) Lead(at time.Duration, node, term uint64) {
	var index uint64
	for _, r := range c.reached {
		if r.term < term {
			index = max(index, r.index)
		}
	}
	want, known := c.committed.find(index)
	l := c.log(node)
	if index == 0 || !known || index < l.first-1 {
		return
	}
	if got, has := l.find(index); !has {
		c.report(LeaderCompleteness, at, node, "n%d leads term %d with a log that ends at %d, though %d was committed in an earlier term", node, term, l.last(), index)
	} else if got != want {
		c.report(LeaderCompleteness, at, node, "n%d leads term %d without what was committed in an earlier term: its log differs at or before %d", node, term, index)
	}
}

// Commit says that a node, in a term, knows an entry of its log as committed.
func (c *Checker) Commit(at time.Duration, node, term, index uint64) {
	l := c.log(node)
	chain, has := l.find(index)
	if !has {
		return // behind a snapshot that it is about to be given
	}
	if known, ok := c.committed.find(index); ok {
		if known != chain {
			c.report(StateMachineSafety, at, node, "n%d commits %d, though other entries are committed there or before it", node, index)
		}
	} else if index > c.committed.last() {
		c.extend(at, node, l, index)
	}
	c.reach(term, index)
}

// extend takes over a node's log as committed.
func (c *Checker) extend(at time.Duration, node uint64, l *log, index uint64) {
	last := c.committed.last()
	if last == 0 || last < l.first-1 { // the first that is known
		c.committed = chains{first: l.first, before: l.before}
		last = l.first - 1
	} else if known, _ := c.committed.find(last); known != l.at(last) {
		c.report(StateMachineSafety, at, node, "n%d commits %d with a log that differs at or before %d from what is committed", node, index, last)
		return
	}
	for i := last + 1; i <= index; i++ {
		c.committed.sums = append(c.committed.sums, l.at(i))
	}
}

func (c *Checker) reach(term, index uint64) {
	for i := len(c.reached) - 1; i >= 0; i-- {
		if c.reached[i].term == term {
			c.reached[i].index = max(c.reached[i].index, index)
			return
		}
	}
	c.reached = append(c.reached, reach{term, index})
}

// Apply says that a node's machine was given an entry.
func (c *Checker) Apply(at time.Duration, node, index, term, sum uint64) {
	l := c.log(node)
	if l.applied != 0 && index != l.applied+1 {
		c.report(StateMachineSafety, at, node, "n%d applies %d behind %d", node, index, l.applied)
	}
	l.applied = index
	known, ok := c.committed.find(index)
	switch {
	case index > c.committed.last():
		c.report(StateMachineSafety, at, node, "n%d applies %d, which nobody has committed: %d is the last that was", node, index, c.committed.last())
	case !ok:
	case mix(l.at(index-1), term, sum) != known:
		c.report(StateMachineSafety, at, node, "n%d applies another entry at %d than what is committed there", node, index)
	}
}
