package check

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func entries(term uint64, sums ...uint64) (all []Entry) {
	for _, s := range sums {
		all = append(all, Entry{term, s})
	}
	return all
}

// started is a checker of three nodes whose logs begin behind entry 1.
func started() *Checker {
	c := New()
	for node := uint64(1); node <= 3; node++ {
		c.Snapshot(0, node, 1, 1, 0)
	}
	return c
}

// TestWhatViolatesAnInvariant has a history for each that breaks it, and one beside it that is nearly the same and breaks nothing.
func TestWhatViolatesAnInvariant(t *testing.T) {
	for name, one := range map[string]struct {
		of          Invariant
		wrong, near func(c *Checker)
	}{
		"two leaders of a term": {
			ElectionSafety,
			func(c *Checker) { c.Elect(1, 1, 2); c.Elect(2, 2, 2) },
			func(c *Checker) { c.Elect(1, 1, 2); c.Elect(2, 1, 2); c.Elect(3, 2, 3) },
		},
		"a leader overwrites its log": {
			LeaderAppendOnly,
			func(c *Checker) { c.Append(1, 1, true, 2, entries(2, 5, 6)); c.Append(2, 1, true, 3, entries(2, 6)) },
			func(c *Checker) { c.Append(1, 1, true, 2, entries(2, 5, 6)); c.Append(2, 1, false, 3, entries(3, 7)) },
		},
		"an entry of the same term is another": {
			LogMatching,
			func(c *Checker) { c.Append(1, 1, true, 2, entries(2, 5)); c.Append(2, 2, false, 2, entries(2, 6)) },
			func(c *Checker) { c.Append(1, 1, true, 2, entries(2, 5)); c.Append(2, 2, false, 2, entries(3, 6)) },
		},
		"what is before a common entry differs": {
			LogMatching,
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(2, 2, true, 2, entries(3, 6))
				c.Append(3, 1, false, 3, entries(4, 7))
				c.Append(4, 2, false, 3, entries(4, 7))
			},
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(2, 2, true, 2, entries(3, 6))
				c.Append(3, 1, false, 3, entries(4, 7))
				c.Append(4, 2, false, 2, append(entries(2, 5), entries(4, 7)...))
			},
		},
		"a log has a hole": {
			LogMatching,
			func(c *Checker) { c.Append(1, 1, false, 3, entries(2, 5)) },
			func(c *Checker) { c.Append(1, 1, false, 2, entries(2, 5)) },
		},
		"a leader lacks what was committed": {
			LeaderCompleteness,
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Commit(2, 1, 2, 2)
				c.Lead(3, 2, 3)
			},
			func(c *Checker) { // committed in its own term only, and not yet told
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Commit(2, 1, 3, 2)
				c.Lead(3, 2, 3)
			},
		},
		"a leader has something else where was committed": {
			LeaderCompleteness,
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(2, 2, false, 2, entries(3, 6))
				c.Commit(2, 1, 3, 2)
				c.Lead(3, 2, 4)
			},
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(2, 2, false, 2, entries(2, 5))
				c.Commit(2, 1, 3, 2)
				c.Lead(3, 2, 4)
			},
		},
		"two nodes commit different entries": {
			StateMachineSafety,
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(1, 2, true, 2, entries(3, 6))
				c.Commit(2, 1, 2, 2)
				c.Commit(3, 2, 3, 2)
			},
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(1, 2, false, 2, entries(2, 5, 6))
				c.Commit(2, 1, 2, 2)
				c.Commit(3, 2, 3, 3)
			},
		},
		"what nobody committed is applied": {
			StateMachineSafety,
			func(c *Checker) { c.Append(1, 1, true, 2, entries(2, 5)); c.Apply(2, 1, 2, 2, 5) },
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Commit(2, 1, 2, 2)
				c.Apply(2, 1, 2, 2, 5)
			},
		},
		"another entry is applied than is committed": {
			StateMachineSafety,
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Commit(2, 1, 2, 2)
				c.Apply(2, 1, 2, 2, 6)
			},
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5))
				c.Append(1, 2, false, 2, entries(2, 5))
				c.Commit(2, 1, 2, 2)
				c.Apply(2, 2, 2, 2, 5)
			},
		},
		"an entry is left out": {
			StateMachineSafety,
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5, 6))
				c.Commit(2, 1, 2, 3)
				c.Apply(3, 1, 3, 2, 6)
			},
			func(c *Checker) {
				c.Append(1, 1, true, 2, entries(2, 5, 6))
				c.Commit(2, 1, 2, 3)
				c.Apply(3, 1, 2, 2, 5)
				c.Apply(3, 1, 3, 2, 6)
			},
		},
		"an acknowledged entry is gone after a crash": {
			Durability,
			func(c *Checker) {
				c.Append(1, 2, false, 2, entries(2, 5, 6))
				c.Acknowledge(2, 3)
				crash(c, 2)
			},
			func(c *Checker) {
				c.Append(1, 2, false, 2, entries(2, 5, 6))
				c.Acknowledge(2, 2)
				crash(c, 2)
			},
		},
		"an acknowledged entry is another after a crash": {
			Durability,
			func(c *Checker) {
				c.Append(1, 2, false, 2, entries(2, 5))
				c.Acknowledge(2, 2)
				crash(c, 1)
				c.Append(2, 2, false, 2, entries(1, 9))
				c.Restart(3, 2)
			},
			func(c *Checker) { // a leader has replaced it before
				c.Append(1, 2, false, 2, entries(2, 5))
				c.Acknowledge(2, 2)
				c.Append(1, 2, false, 2, entries(3, 9))
				crash(c, 2)
			},
		},
		"a read misses a write": {
			ReadFreshness,
			func(c *Checker) {
				c.Invoke(1, 1, 1, Write, 3, 7)
				c.Return(2, 1, Done, 0, 5)
				c.Invoke(3, 2, 2, Read, 3, 0)
				c.Return(4, 2, Done, 0, 0)
			},
			func(c *Checker) { // it began before the write was acknowledged
				c.Invoke(1, 1, 1, Write, 3, 7)
				c.Invoke(1, 2, 2, Read, 3, 0)
				c.Return(2, 1, Done, 0, 5)
				c.Return(4, 2, Done, 0, 0)
			},
		},
		"two reads contradict each other": {
			Linearizability,
			func(c *Checker) {
				c.Invoke(1, 1, 1, Write, 3, 7)
				c.Return(2, 1, Unknown, 0, 0)
				for i, v := range []uint64{7, 0} {
					at := time.Duration(10 * (i + 1))
					c.Invoke(at, OpID(2+i), 2, Read, 3, 0)
					c.Return(at+1, OpID(2+i), Done, v, 0)
				}
			},
			func(c *Checker) {
				c.Invoke(1, 1, 1, Write, 3, 7)
				c.Return(2, 1, Unknown, 0, 0)
				for i, v := range []uint64{0, 7} {
					at := time.Duration(10 * (i + 1))
					c.Invoke(at, OpID(2+i), 2, Read, 3, 0)
					c.Return(at+1, OpID(2+i), Done, v, 0)
				}
			},
		},
	} {
		c := started()
		one.wrong(c)
		c.Linearizable(100)
		if v := c.Violations(); len(v) == 0 || v[0].Invariant != one.of || v[0].Text == "" || strings.HasSuffix(v[0].Text, ".") {
			t.Errorf("%s: %+v", name, v)
		}
		c = started()
		one.near(c)
		c.Linearizable(100)
		if v := c.Violations(); len(v) > 0 {
			t.Errorf("nearly %s: %+v", name, v)
		}
	}
}

// crash has node 2 come back with its log up to an entry.
func crash(c *Checker, through uint64) {
	const node = 2
	chain, _ := c.Chain(node, through)
	c.Crash(node, through, chain)
	if through > 1 {
		c.Restart(3, node)
	}
}

// TestCompactionForgetsNothingThatMatters compacts logs between what would be a violation.
func TestCompactionForgetsNothingThatMatters(t *testing.T) {
	c := started()
	var sums []uint64
	for i := range uint64(3000) {
		sums = append(sums, i)
	}
	for node := uint64(1); node <= 3; node++ {
		c.Append(1, node, false, 2, entries(2, sums...))
		c.Commit(2, node, 2, 3001)
		c.Compact(node, 2500)
	}
	if v := c.Violations(); len(v) > 0 {
		t.Fatal(v)
	}
	c.Append(3, 1, false, 2900, entries(3, 1))
	c.Commit(4, 1, 3, 2900)
	if v := c.Violations(); len(v) != 1 || v[0].Invariant != StateMachineSafety {
		t.Errorf("%v", v)
	}
	if len(c.seen.sides) > 2000 {
		t.Errorf("%d places are kept of which all nodes have compacted most", len(c.seen.sides))
	}
}

func TestTooManyWritesWithoutAnAnswerAreUndecided(t *testing.T) {
	c := started()
	for i := range OpID(maxPending + 1) {
		c.Invoke(1, i, 1, Write, 1, uint64(i)+1)
		c.Return(2, i, Unknown, 0, 0)
	}
	if got := c.Linearizable(10); got != NotDecided || len(c.Violations()) > 0 {
		t.Errorf("%q, %v", got, c.Violations())
	}
	if !slices.Contains(All(), Linearizability) {
		t.Error("it is no invariant")
	}
}
