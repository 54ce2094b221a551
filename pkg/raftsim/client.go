package raftsim

import (
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/check"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// How long clients wait.
const (
	tryTimeout = time.Second           // for an answer of one node, before they ask another
	giveUp     = 5 * time.Second       // for an operation, before they leave it: what became of it is unknown
	backoff    = 25 * time.Millisecond // before they ask the next node, after one that is down
)

// client does one operation after the other, at its share of the rate or as fast as it is answered.
type client struct {
	slot    int
	zone    int // where it is: as near to the nodes of that zone as they are to each other
	session uint64
	seq     uint64
	due     time.Duration // when the next operation is to begin

	busy    bool
	op      check.OpID
	read    bool
	key     int
	value   uint64
	began   time.Duration
	try     uint64 // grows with each request
	first   uint64 // try of the operation's first request
	target  uint64 // the node that was asked last
	refused int    // how many nodes in a row
}

func (c *cluster) newClients() {
	for i := range c.cfg.Clients {
		k := &client{slot: i, zone: i % max(1, len(c.cfg.Topology.Zones)), session: 1, target: uint64(i%len(c.nodes) + 1)}
		c.clients = append(c.clients, k)
		k.due = c.gap()
		c.queue.At(k.due, event{kind: evNext, a: uint64(i)})
	}
}

// gap draws the time between two operations of a client: exponential, so that all together ask at the rate.
func (c *cluster) gap() time.Duration {
	mean := float64(time.Second) * float64(c.cfg.Clients) / c.cfg.Rate
	return time.Duration(c.random.ExpFloat64() * mean)
}

func (c *cluster) toClient(e event) {
	k := c.clients[e.a]
	switch e.kind {
	case evNext:
		c.invoke(k)
	case evAnswer:
		if k.busy && e.b >= k.first {
			c.finish(k, check.Done, e.v, e.node)
		}
	case evRefused:
		if k.busy && e.b == k.try {
			k.refused++
			c.ask(k, backoff)
		}
	case evTry:
		switch {
		case !k.busy || e.b != k.try:
		case c.queue.Now()-k.began >= giveUp:
			c.leave(k)
		default:
			c.withdraw(k)
			c.ask(k, 0)
		}
	}
}

// invoke begins an operation.
func (c *cluster) invoke(k *client) {
	now := c.queue.Now()
	c.watch.operations++
	k.op++
	k.busy, k.began, k.first, k.refused = true, now, k.try+1, 0
	k.key, k.read = c.random.IntN(c.cfg.Keys), c.random.IntN(2) == 0
	if !k.read {
		k.seq++
		k.value = c.watch.operations
	}
	if c.cfg.RoundRobin {
		c.turn(k)
	}
	c.checker.Invoke(now, k.id(), k.slot, k.kind(), k.key, k.value)
	c.record(trace.Event{Kind: trace.Invoke, ID: uint64(k.id()), Text: string(k.kind())})
	c.request(k)
}

// id is unique among all clients' operations.
func (k *client) id() check.OpID { return k.op<<16 | check.OpID(k.slot) }

func (k *client) kind() check.OpKind {
	if k.read {
		return check.Read
	}
	return check.Write
}

// turn is a client's to the next node.
func (c *cluster) turn(k *client) {
	for range c.nodes {
		k.target = k.target%uint64(len(c.nodes)) + 1
		if !c.node(k.target).removed {
			return
		}
	}
}

// ask goes on with the next node.
func (c *cluster) ask(k *client, after time.Duration) {
	c.turn(k)
	if k.refused == 0 {
		after = 0
	}
	k.try++
	if after > 0 {
		c.queue.After(after+c.clientDelay(k), event{kind: evRequest, node: k.target, a: uint64(k.slot), b: k.try})
		c.queue.After(after+tryTimeout, event{kind: evTry, a: uint64(k.slot), b: k.try})
		return
	}
	k.try--
	c.request(k)
}

func (c *cluster) request(k *client) {
	k.try++
	c.queue.After(c.clientDelay(k), event{kind: evRequest, node: k.target, a: uint64(k.slot), b: k.try})
	c.queue.After(tryTimeout, event{kind: evTry, a: uint64(k.slot), b: k.try})
}

// clientDelay is one way between a client and the node that it asks.
func (c *cluster) clientDelay(k *client) time.Duration {
	t := &c.cfg.Topology
	return c.net.Takes(t.between(k.zone, t.zoneOf(c.node(k.target).info)))
}

// requested is a request at its node. One that its client has given up is not done: its connection is gone.
func (c *cluster) requested(n *node, e event) {
	k := c.clients[e.a]
	if !k.busy || e.b < k.first {
		return
	}
	q := request{client: k.slot, try: e.b, read: k.read, key: k.key}
	if !k.read {
		q.write = command{k.slot, k.session, k.seq, k.key, k.value}
	}
	n.serve(q)
}

// answer sends a node's answer to a request.
func (c *cluster) answer(_ *node, q *request, value, index uint64) {
	c.queue.After(c.clientDelay(c.clients[q.client]), event{kind: evAnswer, a: uint64(q.client), b: q.try, v: value, node: index})
}

// refuse is a request to a node that is down.
func (c *cluster) refuse(e event) {
	c.queue.After(c.clientDelay(c.clients[e.a]), event{kind: evRefused, a: e.a, b: e.b})
}

// disconnect breaks the connections of a node that went down.
func (c *cluster) disconnect(n *node) {
	for i := range n.requests {
		q := &n.requests[i]
		c.refuse(event{a: uint64(q.client), b: q.try})
	}
	n.requests = nil
}

// withdraw takes back the request that waits longest.
func (c *cluster) withdraw(k *client) {
	if n := c.node(k.target); n.up() && n.paused == 0 {
		n.cancel(k.slot, k.try)
	}
}

func (c *cluster) finish(k *client, how check.Outcome, value, index uint64) {
	now := c.queue.Now()
	k.busy = false
	c.checker.Return(now, k.id(), how, value, index)
	c.record(trace.Event{Kind: trace.Return, ID: uint64(k.id()), Text: string(how), Until: k.began})
	if how == check.Done {
		c.watch.answered(c, now-k.began)
	} else {
		c.watch.unanswered++
	}
	k.due = max(k.due+c.gap(), now-time.Second) // who is behind catches up with a second at most
	c.queue.At(max(k.due, now), event{kind: evNext, a: uint64(k.slot)})
}

// leave gives an operation up. A write may still be done, at any time; the client goes on in a session of its own.
func (c *cluster) leave(k *client) {
	c.withdraw(k)
	if k.read {
		c.finish(k, check.Failed, 0, 0)
		return
	}
	k.session++
	k.seq = 0
	c.finish(k, check.Unknown, 0, 0)
}
