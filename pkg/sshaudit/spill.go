package sshaudit

import (
	"hash/maphash"
	"sync"
)

// logRows is how many failures a failLog holds: few enough to stay in the core's cache.
const logRows = 1 << 12

// failLog holds the failures that one piece of a log counted last, one row each. They
// go to the table of the whole file many at a time, under one lock.
type failLog struct {
	seed   maphash.Seed
	rows   []failRow
	names  []byte
	totals [reasons]uint64
	flush  func(*failLog)
}

func (l *failLog) add(k *failKey, n uint64, first, last uint32) {
	l.totals[k.reason] += n
	l.rows = l.rows[:len(l.rows)+1] // full ones are emptied
	r := &l.rows[len(l.rows)-1]
	r.set(l.seed, k, n, first, last)
	l.names = r.keep(k.user, l.names)
	if len(l.rows) == logRows {
		l.empty()
	}
}

func (l *failLog) empty() {
	l.flush(l)
	l.rows, l.names, l.totals = l.rows[:0], l.names[:0], [reasons]uint64{}
}

// spill is the table of failures that the pieces of one file share. Failures do
// not depend on the order of lines, so it does not matter which piece counts first.
type spill struct {
	mu sync.Mutex
	p  *Partial // holds hosts and failures only
}

func newSpill(like *Partial) *spill {
	s := &spill{p: newPartialLike(like)}
	s.p.fails.slots = make([]slot, 1<<16)
	return s
}

// serve lets a piece count into the shared table, until [Partial.settle].
func (s *spill) serve(piece *Partial) {
	piece.log = &failLog{seed: piece.seed, rows: make([]failRow, 0, logRows), flush: func(l *failLog) {
		s.mu.Lock()
		defer s.mu.Unlock()
		hosts := make([]int, len(piece.hosts))
		for i, h := range piece.hosts {
			hosts[i] = s.p.host([]byte(h.name))
		}
		s.p.fails.take(l.rows, l.names, hosts, l.seed)
		s.p.fails.addTotals(&l.totals)
	}}
}

// settle ends what serve began.
func (p *Partial) settle() {
	if p.log != nil {
		p.log.empty()
		p.log = nil
	}
}

// into gives the shared rows to the partial of the whole file.
func (s *spill) into(p *Partial) {
	p.settle()
	hosts := make([]int, len(s.p.hosts))
	for i, h := range s.p.hosts {
		hosts[i] = p.host([]byte(h.name))
	}
	if len(s.p.hosts) == 0 {
		return
	}
	// The shared table is the larger one: the rest goes into it.
	own := p.fails
	p.fails = s.p.fails
	if !identity(hosts) {
		p.fails = newFailTable(own.seed)
		p.fails.absorb(s.p.fails, hosts)
	}
	same := make([]int, len(p.hosts))
	for i := range same {
		same[i] = i
	}
	p.fails.absorb(own, same)
}
