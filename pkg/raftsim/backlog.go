package raftsim

import (
	"slices"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// backlog is what waits for a process that stood still, in the order in which it takes it. Each connection keeps its own order, but the
// process may read much of one before it looks at another: what came last from one node may be handled before what came first from
// another, as with etcd's goroutines, one for each connection.
func (c *cluster) backlog(inbox []event) []event {
	type source struct {
		kind eventKind
		id   uint64
	}
	var sources []source
	var waiting [][]event
	for _, e := range inbox {
		s := source{kind: evSynced} // the process itself: its timers, its disk
		switch e.kind {
		case evDeliver:
			s = source{evDeliver, core.From(c.mail.at(e.v))}
		case evRequest:
			s = source{evRequest, e.a}
		}
		i := slices.Index(sources, s)
		if i < 0 {
			i, sources, waiting = len(sources), append(sources, s), append(waiting, nil)
		}
		waiting[i] = append(waiting[i], e)
	}
	all := inbox[:0]
	for len(waiting) > 0 {
		i := c.random.IntN(len(waiting))
		read := 1 + c.random.IntN(len(waiting[i]))
		all = append(all, waiting[i][:read]...)
		if waiting[i] = waiting[i][read:]; len(waiting[i]) == 0 {
			waiting = slices.Delete(waiting, i, i+1)
		}
	}
	return all
}
