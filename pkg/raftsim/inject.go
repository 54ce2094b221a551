package raftsim

import (
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
	"github.com/opsctl/opsctl/pkg/raftsim/disk"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// running is a fault that has begun, with the nodes that it was resolved to, so that its end takes back what its beginning did.
type running struct {
	fault    *fault.Fault
	index    int
	from, to []*node
}

// begin does a fault.
func (c *cluster) begin(i int, elected bool) {
	f := &c.cfg.Faults[i]
	if f.Election > 0 && !elected {
		c.armed = append(c.armed, armed{i, f.Election})
		return
	}
	if c.watch.firstFault < 0 {
		c.watch.firstFault = c.queue.Now()
	}
	r := running{fault: f, index: i, from: c.resolve(f.From)}
	switch {
	case len(f.To) > 0:
		r.to = c.resolve(f.To)
	case len(f.From) == 0: // all links, and a transfer to anybody
		r.to = r.from
	default:
		r.to = c.others(r.from)
	}
	if why := c.futile(&r); why != "" {
		c.watch.missed = append(c.watch.missed, Miss{i, why})
	}
	c.record(trace.Event{Kind: trace.Fault, Text: c.describe(&r)})
	c.inject(&r)
	if f.For > 0 || f.Until {
		c.faults = append(c.faults, r)
	}
	if f.For > 0 {
		c.queue.After(f.For, event{kind: evHeal, a: uint64(i)})
	}
}

// futile is why a fault can do nothing now, "" for one that can.
func (c *cluster) futile(r *running) string {
	switch kind := r.fault.Kind; {
	case kind == fault.AddMember:
		return ""
	case len(r.from) == 0 || len(r.fault.To) > 0 && len(r.to) == 0:
		return "it met no member"
	case kind == fault.Transfer && c.watch.leader == nil:
		return "there was no leader to hand over"
	case kind == fault.Transfer && c.watch.leader.paused > 0:
		return "the leader was paused"
	case kind == fault.Transfer && len(c.heirs(r)) == 0:
		return "there was nobody to take over"
	case (kind == fault.Kill || kind == fault.Pause) && !slices.ContainsFunc(r.from, (*node).up):
		return "nothing of it was up"
	}
	return ""
}

// armed is a fault that waits for so many elections.
type armed struct{ index, elections int }

// elected has the faults begin that wait for an election, and those end that last until one.
func (c *cluster) elected() {
	waiting := c.armed[:0]
	for _, a := range c.armed {
		if a.elections--; a.elections > 0 {
			waiting = append(waiting, a)
			continue
		}
		c.queue.After(c.cfg.Faults[a.index].Behind, event{kind: evFault, a: uint64(a.index), b: 1})
	}
	c.armed = waiting
	for i := range c.faults {
		if r := &c.faults[i]; r.fault.Until {
			c.queue.After(0, event{kind: evHeal, a: uint64(r.index)})
		}
	}
}

// heal ends one.
func (c *cluster) heal(i int) {
	at := slices.IndexFunc(c.faults, func(r running) bool { return r.index == i })
	if at < 0 {
		return
	}
	r := c.faults[at]
	c.faults = slices.Delete(c.faults, at, at+1)
	c.record(trace.Event{Kind: trace.Heal, Text: c.describe(&r)})
	c.undo(&r)
}

// resolve finds the nodes that targets stand for now; all members for none. Nodes that left are none.
func (c *cluster) resolve(targets []fault.Target) (found []*node) {
	members := c.members()
	if len(targets) == 0 {
		return members
	}
	for _, t := range targets {
		for _, n := range c.pick(t, members) {
			if !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
	}
	return found
}

func (c *cluster) members() (all []*node) {
	for _, n := range c.nodes {
		if !n.removed {
			all = append(all, n)
		}
	}
	return all
}

func (c *cluster) pick(t fault.Target, members []*node) []*node {
	switch {
	case t.Node != 0:
		return slices.DeleteFunc(slices.Clone(members), func(n *node) bool { return n.id != t.Node })
	case t.Zone == fault.LeadersZone && c.watch.leader != nil:
		t.Zone = c.watch.leader.info.Zone
		return c.pick(t, members)
	case t.Zone != "":
		return slices.DeleteFunc(slices.Clone(members), func(n *node) bool { return n.info.Zone != t.Zone })
	}
	if len(members) == 0 {
		return nil
	}
	one := func(of []*node) []*node {
		if len(of) == 0 {
			return nil
		}
		return []*node{of[c.random.IntN(len(of))]}
	}
	switch t.Role {
	case fault.Leader:
		if c.watch.leader != nil {
			return []*node{c.watch.leader}
		}
		return one(members)
	case fault.Follower:
		return one(slices.DeleteFunc(slices.Clone(members), func(n *node) bool { return n == c.watch.leader }))
	case fault.Majority, fault.Minority:
		n := len(members)/2 + 1
		if t.Role == fault.Minority {
			n = (len(members) - 1) / 2
		}
		shuffled := slices.Clone(members)
		c.random.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		return shuffled[:n]
	default:
		return one(members)
	}
}

func (c *cluster) others(of []*node) []*node {
	return slices.DeleteFunc(c.members(), func(n *node) bool { return slices.Contains(of, n) })
}

// inject does what a fault does to the nodes that it was resolved to.
func (c *cluster) inject(r *running) {
	f := r.fault
	switch f.Kind {
	case fault.Partition, fault.Isolate:
		r.links(func(a, b *node) { c.net.Cut(a.id, b.id); c.net.Cut(b.id, a.id) })
	case fault.OneWay:
		r.links(func(a, b *node) { c.net.Cut(a.id, b.id) })
	case fault.Delay:
		r.links(func(a, b *node) { c.net.Slow(a.id, b.id, f.Amount) })
	case fault.Loss:
		r.links(func(a, b *node) { c.net.Lose(a.id, b.id, f.Factor) })
	case fault.Dup:
		r.links(func(a, b *node) { c.net.Double(a.id, b.id, f.Factor) })
	case fault.AddMember:
		c.join(&c.cfg.Topology.Nodes[0])
	case fault.Transfer:
		c.transfer(r)
	default:
		for _, n := range r.from {
			c.injectNode(f, n)
		}
	}
}

func (c *cluster) injectNode(f *fault.Fault, n *node) {
	switch f.Kind {
	case fault.Kill:
		c.crash(n)
	case fault.Restart:
		c.crash(n)
		c.restart(n)
	case fault.TornFsync:
		if n.busy || len(n.writes) > 0 {
			c.crash(n)
		} else {
			n.tearNext = n.up()
		}
	case fault.Wipe:
		c.crash(n)
		c.replace(n)
	case fault.Pause:
		if n.up() {
			c.pause(n)
		}
	case fault.SlowDisk:
		n.slow += f.Amount
	case fault.ClockSkew:
		n.skew += f.Amount
	case fault.ClockDrift:
		n.tick = time.Duration(float64(c.cfg.tick()) / f.Factor)
	case fault.RemoveMember:
		c.propose(core.Change{Node: n.id, Kind: core.Remove})
	default:
	}
}

// undo takes a fault back.
func (c *cluster) undo(r *running) {
	f := r.fault
	switch f.Kind {
	case fault.Partition, fault.Isolate:
		r.links(func(a, b *node) { c.mend(a, b); c.mend(b, a) })
	case fault.OneWay:
		r.links(func(a, b *node) { c.mend(a, b) })
	case fault.Delay:
		r.links(func(a, b *node) { c.net.Slow(a.id, b.id, -f.Amount) })
	case fault.Loss:
		r.links(func(a, b *node) { c.net.Lose(a.id, b.id, -f.Factor) })
	case fault.Dup:
		r.links(func(a, b *node) { c.net.Double(a.id, b.id, -f.Factor) })
	default:
		for _, n := range r.from {
			c.undoNode(f, n)
		}
	}
}

func (c *cluster) undoNode(f *fault.Fault, n *node) {
	switch f.Kind {
	case fault.Kill, fault.TornFsync:
		n.tearNext = false
		c.restart(n)
	case fault.Pause:
		c.resume(n)
	case fault.SlowDisk:
		n.slow -= f.Amount
	case fault.ClockDrift:
		n.tick = c.cfg.tick()
	default:
	}
}

// links are the pairs of a node of one side and one of the other.
func (r *running) links(do func(a, b *node)) {
	for _, a := range r.from {
		for _, b := range r.to {
			if a != b {
				do(a, b)
			}
		}
	}
}

// transfer asks the leader to hand over: to a node that was named, or to any.
func (c *cluster) transfer(r *running) {
	leader := c.watch.leader
	if leader == nil || leader.paused > 0 {
		return
	}
	to := c.heirs(r)
	if len(to) == 0 {
		return
	}
	c.drawing = leader
	leader.core.TransferLeader(to[c.random.IntN(len(to))].id)
	leader.drain()
}

// heirs are the nodes that a transfer can make the leader.
func (c *cluster) heirs(r *running) []*node {
	return slices.DeleteFunc(slices.Clone(r.to), func(n *node) bool { return n == c.watch.leader || !n.up() })
}

// admin is an operator's change of the members, which is tried until somebody has applied it.
type admin struct {
	change core.Change
	done   bool
	then   func() // what the operator does then; nil for nothing
}

// How long an operator waits for a change.
const (
	adminRetry = 500 * time.Millisecond
	adminHurry = 10 * time.Millisecond // for a leader that is new
)

// propose has an operator begin a change.
func (c *cluster) propose(change core.Change) {
	c.operate(admin{change: change})
}

// operate begins a change; not at once, for what asks for it may be in the midst of a node's work.
func (c *cluster) operate(a admin) {
	c.admins = append(c.admins, a)
	c.queue.After(0, event{kind: evAdmin, a: uint64(len(c.admins) - 1)})
}

// hurry has the operators whose changes wait ask a new leader: within some milliseconds, as their tools do.
func (c *cluster) hurry() {
	for i := range c.admins {
		if !c.admins[i].done {
			c.queue.After(time.Duration(c.random.Int64N(int64(adminHurry))), event{kind: evAdmin, a: uint64(i), b: 1})
		}
	}
}

// administer has an operator ask whoever says that it leads; again says that it asks once more later.
func (c *cluster) administer(i int, again bool) {
	a := &c.admins[i]
	if a.done {
		return
	}
	for _, n := range c.nodes {
		if n.up() && n.paused == 0 && n.role == core.Leader {
			c.drawing = n
			n.core.ProposeChange(a.change)
			n.drain()
		}
	}
	if again {
		c.queue.After(adminRetry, event{kind: evAdmin, a: uint64(i)})
	}
}

// join has an operator add a node with an empty disk.
func (c *cluster) join(like *Node) {
	n := c.add(like, disk.New(nil))
	c.propose(core.Change{Node: n.id, Kind: core.AddVoter})
}

// replace has an operator remove a node whose disk is lost, and add one in its place, under an id of its own: the lost one may have
// voted, or acknowledged what nobody else has.
func (c *cluster) replace(n *node) {
	n.lost = true
	c.operate(admin{change: core.Change{Node: n.id, Kind: core.Remove}, then: func() { c.join(n.info) }})
}

// removedStops is how long the process of a member that was removed still runs where it does not learn of that itself.
const removedStops = 5 * time.Second

// gone stops a member that was removed, for good.
func (c *cluster) gone(n *node) {
	if n.removed {
		return
	}
	c.end(n, "was removed from the cluster")
	n.removed = true
	c.record(trace.Event{Kind: trace.Leave, Node: n.id})
}

// changed is a change of the members that a node has applied. The first to do so tells the operators.
func (c *cluster) changed(by *node, change core.Change) {
	for i := range c.admins {
		if a := &c.admins[i]; a.change == change && !a.done {
			a.done = true
			if a.then != nil {
				a.then()
			}
		}
	}
	n := c.node(change.Node)
	switch {
	case n == nil:
	case change.Kind == core.Remove:
		after := removedStops
		if n == by || !n.up() {
			after = 0
		}
		c.queue.After(after, event{kind: evGone, a: n.id})
	case !n.up() && !n.removed && !n.lost && n.life == 0:
		c.record(trace.Event{Kind: trace.Join, Node: n.id})
		n.start()
	}
}
