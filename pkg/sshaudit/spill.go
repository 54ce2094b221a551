package sshaudit

import "sync"

// spill is the table of failures that the pieces of one file share. Failures do
// not depend on the order of lines, so it does not matter which piece counts first.
type spill struct {
	mu sync.Mutex
	p  *Partial // holds hosts and failures only
}

func newSpill(like *Partial) *spill {
	s := &spill{p: newPartialSeeded(like.grace, like.seed)}
	s.p.fails.slots = make([]uint64, 1<<16)
	return s
}

// from gives the function that empties the table of a piece into the shared one.
func (s *spill) from(piece *Partial) func(*failTable) {
	return func(full *failTable) {
		s.mu.Lock()
		defer s.mu.Unlock()
		hosts := make([]int, len(piece.hosts))
		for i, h := range piece.hosts {
			hosts[i] = s.p.host([]byte(h.name))
		}
		s.p.fails.absorb(full, hosts)
	}
}

// into gives the shared rows to the partial of the whole file.
func (s *spill) into(p *Partial) {
	p.fails.spill = nil
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
