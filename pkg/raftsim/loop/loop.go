// Package loop is the clock of a simulation: a heap of events in virtual time. It has no goroutines and no random source: events
// of the same time come in the order in which they were added.
package loop

import (
	"iter"
	"time"
)

// Queue holds events of one type until they are due. The zero value is empty and ready; it is used by one goroutine.
type Queue[T any] struct {
	now  time.Duration
	seq  uint64
	heap []item[T]
}

// item is an event and when it is due. Four children a node make the heap flat: most of the time goes into popping.
type item[T any] struct {
	at    time.Duration
	seq   uint64
	event T
}

func (a *item[T]) before(b *item[T]) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// Now is the time of the last event that was popped, since the start.
func (q *Queue[T]) Now() time.Duration { return q.now }

// Len is how many events wait.
func (q *Queue[T]) Len() int { return len(q.heap) }

// Popped is how many events have been due so far.
func (q *Queue[T]) Popped() uint64 { return q.seq - uint64(len(q.heap)) }

// At adds an event; one that would be in the past is due now.
func (q *Queue[T]) At(at time.Duration, event T) {
	q.heap = append(q.heap, item[T]{max(at, q.now), q.seq, event})
	q.seq++
	q.up(len(q.heap) - 1)
}

// After adds an event that is due in a while.
func (q *Queue[T]) After(d time.Duration, event T) { q.At(q.now+d, event) }

// Next is when the first event is due; ok is false where there is none.
func (q *Queue[T]) Next() (at time.Duration, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

// Waiting are the events that are still to come, in no order that means anything.
func (q *Queue[T]) Waiting() iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range q.heap {
			if !yield(q.heap[i].event) {
				return
			}
		}
	}
}

// Pop moves the clock to the first event and takes it out. It panics where there is none.
func (q *Queue[T]) Pop() T {
	first := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap[last] = item[T]{} // keeps nothing alive
	q.heap = q.heap[:last]
	if last > 0 {
		q.down()
	}
	q.now = first.at
	return first.event
}

const arity = 4

func (q *Queue[T]) up(i int) {
	h := q.heap
	moved := h[i]
	for i > 0 {
		parent := (i - 1) / arity
		if !moved.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = moved
}

func (q *Queue[T]) down() {
	h := q.heap
	moved, i := h[0], 0
	for {
		first := i*arity + 1
		if first >= len(h) {
			break
		}
		least := first
		for child := first + 1; child < min(first+arity, len(h)); child++ {
			if h[child].before(&h[least]) {
				least = child
			}
		}
		if !h[least].before(&moved) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = moved
}
