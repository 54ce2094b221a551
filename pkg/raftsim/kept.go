package raftsim

import (
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// kept are messages of a link that is cut, in the buffers of a connection that still stands.
type kept struct {
	from, to uint64
	events   []event
}

// retransmit is the longest time between a link's mending and the next attempt of a sender's TCP (RFC 6298: it doubles its timeout with
// each attempt; half a second comes of a second or so without an answer).
const retransmit = 500 * time.Millisecond

// keeps says that a message meets a cut link and waits for its end. m is nil for one that was under way.
func (c *cluster) keeps(from, to uint64, e event, m *core.Message) bool {
	if !c.cfg.Topology.Retransmit || !c.net.IsCut(from, to) {
		return false
	}
	if m != nil {
		e.v = c.mail.put(m)
	}
	i := slices.IndexFunc(c.kept, func(k kept) bool { return k.from == from && k.to == to })
	if i < 0 {
		i, c.kept = len(c.kept), append(c.kept, kept{from: from, to: to})
	}
	c.kept[i].events = append(c.kept[i].events, e)
	return true
}

// mend takes a cut of a link back. What was kept arrives with the next attempt, in its order.
func (c *cluster) mend(from, to *node) {
	c.net.Mend(from.id, to.id)
	if c.net.IsCut(from.id, to.id) {
		return
	}
	for i := range c.kept {
		k := &c.kept[i]
		if k.from != from.id || k.to != to.id || len(k.events) == 0 {
			continue
		}
		at := c.queue.Now() + time.Duration(c.random.Int64N(int64(retransmit)))
		for _, e := range k.events {
			c.queue.At(at, e)
		}
		c.net.After(from.id, to.id, at)
		k.events = nil
	}
}

// hangUp loses what a node's connections keep, which end with its process.
func (c *cluster) hangUp(n *node) {
	for i := range c.kept {
		k := &c.kept[i]
		if k.from != n.id && k.to != n.id {
			continue
		}
		for _, e := range k.events {
			c.dropped(c.node(k.from), c.mail.take(e.v), e.a, "its connection broke")
		}
		k.events = nil
	}
}
