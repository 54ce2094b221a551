package check

import (
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// OpID is an operation's, unique in a run.
type OpID uint64

// OpKind is what an operation does to a key.
type OpKind string

// Kinds of operations.
const (
	Read  OpKind = "read"
	Write OpKind = "write" // of a value that no other write has
)

// Outcome is how an operation ended for its client.
type Outcome string

// Outcomes.
const (
	Done    Outcome = "done"
	Failed  Outcome = "failed"  // it has certainly not happened
	Unknown Outcome = "unknown" // it may have happened, or happen later
)

// clients are the operations that were not judged yet, key by key.
type clients struct {
	open    map[OpID]place
	windows []window // by key
}

// place is where an open operation is.
type place struct{ key, i int }

// window are the operations on a key since a moment at which its value was known: a history is judged in such pieces, so that neither
// memory nor time grow with the square of its length.
type window struct {
	start uint64 // the key's value at first
	ops   []operation
	open  int    // of them
	alone bool   // the only one that is open began while none was, and none has begun since
	newer uint64 // the place in the log of the newest write that was acknowledged or read
	// verdict is that of the pieces before.
	verdict Verdict
}

type operation struct {
	client       int
	kind         OpKind
	value        uint64 // written, or read
	call, answer time.Duration
	floor        uint64 // what a read must see at least
	outcome      Outcome
}

func newClients() clients { return clients{open: make(map[OpID]place)} }

// Invoke says that a client begins an operation.
func (c *Checker) Invoke(at time.Duration, op OpID, client int, kind OpKind, key int, value uint64) {
	k := &c.clients
	for len(k.windows) <= key {
		k.windows = append(k.windows, window{verdict: Linearizable})
	}
	w := &k.windows[key]
	k.open[op] = place{key, len(w.ops)}
	w.alone = w.open == 0
	w.open++
	w.ops = append(w.ops, operation{client: client, kind: kind, value: value, call: at, floor: w.newer, outcome: Unknown})
}

// Return says how it ended. Of one that is done, value is what was read, and index the place in the log of the write that was done or
// read; 0 for a key that was never written.
func (c *Checker) Return(at time.Duration, op OpID, how Outcome, value, index uint64) {
	k := &c.clients
	p, found := k.open[op]
	if !found {
		return
	}
	delete(k.open, op)
	w := &k.windows[p.key]
	w.open--
	o := &w.ops[p.i]
	o.answer, o.outcome = at, how
	switch {
	case how == Unknown && o.kind == Write && w.wasRead(o.value):
		o.outcome = Done // somebody has seen it
	case how == Done && o.kind == Read:
		o.value = value
		if index < o.floor {
			c.report(ReadFreshness, at, 0, "client %d read key %d as it was at entry %d, though the write at entry %d was acknowledged before the read began", o.client, p.key, index, o.floor)
		}
		w.happened(value, at)
	}
	if how != Done {
		return
	}
	w.newer = max(w.newer, index)
	if w.alone && len(w.ops) >= pieceLength {
		c.judge(at, p.key)
		w.next(o.value, at)
	}
}

// wasRead says whether somebody has read a value, which only one write has.
func (w *window) wasRead(value uint64) bool {
	return slices.ContainsFunc(w.ops, func(o operation) bool { return o.kind == Read && o.outcome == Done && o.value == value })
}

// happened ends the write of a value that was read, if it had no answer: it came before the read had its own.
func (w *window) happened(value uint64, at time.Duration) {
	for i := range w.ops {
		if o := &w.ops[i]; o.kind == Write && o.value == value && o.outcome == Unknown && o.answer > 0 {
			o.outcome, o.answer = Done, at
		}
	}
}

// next begins another piece, with a value that is known since the last operation ran alone. Writes without an answer may still come;
// one that came before and was overwritten is as good as one that never does.
func (w *window) next(value uint64, at time.Duration) {
	w.start = value
	w.ops = slices.DeleteFunc(w.ops, func(o operation) bool { return o.outcome != Unknown || o.kind == Read })
	for i := range w.ops {
		w.ops[i].call = at
	}
}

// Verdict is Porcupine's on the history of a run.
type Verdict string

// Verdicts.
const (
	Linearizable    Verdict = "yes"
	NotLinearizable Verdict = "no"
	NotDecided      Verdict = "unknown" // too many orders to try
)

// Bounds of what Porcupine is asked for: operations that never ended can come anywhere behind their beginning, and each more of them
// makes twice the orders.
const (
	maxPending  = 12
	pieceLength = 256 // operations, at least
	timeLimit   = 10 * time.Second
)

// Linearizable asks Porcupine, key by key, whether some order of the operations explains every answer, and reports it where none does.
func (c *Checker) Linearizable(end time.Duration) Verdict {
	all := Linearizable
	for key := range c.clients.windows {
		w := &c.clients.windows[key]
		c.judge(end, key)
		w.next(w.start, end) // there is no more to come
		switch {
		case w.verdict == NotLinearizable:
			all = NotLinearizable
		case w.verdict == NotDecided && all == Linearizable:
			all = NotDecided
		}
	}
	return all
}

// judge judges the operations on a key that were not judged yet.
func (c *Checker) judge(at time.Duration, key int) {
	w := &c.clients.windows[key]
	if w.verdict != Linearizable {
		return
	}
	history := make([]porcupine.Operation, 0, len(w.ops))
	pending := 0
	for i := range w.ops {
		o := &w.ops[i]
		answer := o.answer
		switch {
		case o.outcome == Failed || o.outcome == Unknown && o.kind == Read:
			continue
		case o.outcome == Unknown:
			pending++
			answer = math.MaxInt64
		}
		history = append(history, porcupine.Operation{ClientId: i, Input: step{o.kind, o.value}, Output: o.value, Call: int64(o.call), Return: int64(answer)})
	}
	if pending > maxPending {
		w.verdict = NotDecided
		return
	}
	switch porcupine.CheckOperationsTimeout(register(w.start), history, timeLimit) {
	case porcupine.Ok:
	case porcupine.Illegal:
		w.verdict = NotLinearizable
		c.report(Linearizability, at, 0, "no order of %d operations on key %d, up to this moment, explains every answer", len(history), key)
	default:
		w.verdict = NotDecided
	}
}

type step struct {
	kind  OpKind
	value uint64
}

// register is the model of a key: it has the value that was written last.
func register(start uint64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, output any) (bool, any) {
			if s, _ := input.(step); s.kind == Write {
				return true, s.value
			}
			return output == state, state
		},
		Equal: func(a, b any) bool { return a == b },
	}
}
