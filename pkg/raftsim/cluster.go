package raftsim

import (
	"math/rand/v2"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/check"
	"github.com/opsctl/opsctl/pkg/raftsim/core"
	"github.com/opsctl/opsctl/pkg/raftsim/disk"
	"github.com/opsctl/opsctl/pkg/raftsim/loop"
	"github.com/opsctl/opsctl/pkg/raftsim/net"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// cluster is a run: its nodes, what is between them, and what watches.
type cluster struct {
	cfg     *Config
	queue   loop.Queue[event]
	random  *rand.Rand
	draws   *core.Draws
	drawing *node // whose core draws next
	net     *net.Net
	nodes   []*node // n1 is the first; those that were removed stay
	clients []*client
	faults  []running
	armed   []armed // faults that wait for an election
	admins  []admin

	checker   *check.Checker
	panicked  *check.Violation
	told      []check.Entry // reused
	sum       uint64        // of all events so far
	recording *trace.Recording
	messages  uint64 // that were sent
	mail      mail
	kept      []kept
	watch     watch
}

// event is something that is due. What a, b and v are depends on the kind. It has no pointers, which the collector would have to
// follow each time that events change places.
type event struct {
	kind eventKind
	life uint32
	node uint64
	a, b uint64
	v    uint64
}

type eventKind uint8

const (
	evTick    eventKind = iota
	evDeliver           // message v to node; a is its number
	evSynced
	evReread  // a is the context
	evRequest // client a's try b arrives at node
	evAnswer  // the answer to it arrives at the client: node is unused
	evRefused // the connection to a node that went down breaks
	evTry     // client a has waited long enough for try b
	evNext    // client a may begin another operation
	evFault   // fault a begins
	evHeal    // fault a ends
	evAdmin   // change a is tried
	evLost    // a message of node's to a was refused; b is 1 for a snapshot
	evCrash   // node ends in the midst of a write
	evGone    // node a, which was removed, ends
)

// set puts the cluster up.
func (c *cluster) set(draws *core.Draws) {
	cfg := c.cfg
	c.random = rand.New(rand.NewPCG(cfg.Seed, 0x6f707363746c)) //nolint:gosec // a simulation has to be repeatable
	c.draws, c.checker = draws, check.New()
	c.watch = watch{firstFault: -1, recovered: -1, served: -1}
	draws.Begin(cfg.Seed, cfg.electionChoices())
	t := &cfg.Topology
	c.net = net.New(net.Options{Jitter: t.Jitter, Loss: t.Loss, Dup: t.Dup, Reorder: t.Reorder}, c.random, func(from, to uint64) time.Duration {
		return t.oneWay(c.nodes[from-1].info, c.nodes[to-1].info)
	})
	if cfg.Record > 0 {
		c.recording = c.newRecording()
	}
	for i := range t.Nodes {
		c.add(&t.Nodes[i], disk.New(c.beginning(c.founders())))
	}
	for _, n := range c.nodes {
		c.checker.Snapshot(0, n.id, 1, 1, 0)
		n.start()
	}
	c.newClients()
	for i := range cfg.Faults {
		c.queue.At(cfg.Faults[i].At, event{kind: evFault, a: uint64(i)})
	}
}

// beginning is the snapshot that all members of a new cluster start from: nothing, and who they are.
func (c *cluster) beginning(voters []uint64) *core.Snapshot {
	return core.NewSnapshot(1, 1, voters, nil, newMachine(c.cfg.Keys, c.cfg.Clients).encode(0))
}

func (c *cluster) add(info *Node, d *disk.Disk) *node {
	n := &node{id: uint64(len(c.nodes) + 1), info: info, c: c, disk: d, tick: c.cfg.tick()}
	c.nodes = append(c.nodes, n)
	return n
}

func (c *cluster) node(id uint64) *node {
	if id == 0 || id > uint64(len(c.nodes)) {
		return nil
	}
	return c.nodes[id-1]
}

// step does the next event.
func (c *cluster) step() {
	e := c.queue.Pop()
	c.mix(uint64(c.queue.Now()), uint64(e.kind)|e.node<<8|uint64(e.life)<<32, e.a, e.b)
	switch e.kind {
	case evTick, evDeliver, evSynced, evReread, evRequest, evLost, evCrash:
		c.toNode(e)
	case evAnswer, evRefused, evTry, evNext:
		c.toClient(e)
	case evFault:
		c.begin(int(e.a), e.b == 1)
	case evHeal:
		c.heal(int(e.a))
	case evAdmin:
		c.administer(int(e.a), e.b == 0)
	case evGone:
		c.gone(c.node(e.a))
	}
}

// mix adds to the run's sum.
func (c *cluster) mix(values ...uint64) {
	s := c.sum
	for _, v := range values {
		s = (s ^ v) * 0x9fb21c651e98df25
		s ^= s >> 29
	}
	c.sum = s
}

// toNode gives an event to a node that runs.
func (c *cluster) toNode(e event) {
	n := c.node(e.node)
	switch e.kind {
	case evDeliver:
		c.arrived(n, e)
		return
	case evRequest:
		if !n.up() {
			c.refuse(e)
			return
		}
	default:
		if e.life != n.life || !n.up() {
			return
		}
		switch e.kind {
		case evTick:
			c.drawing = n
			n.ticked()
			return
		case evCrash:
			c.crash(n)
			return
		}
	}
	if n.paused > 0 {
		n.inbox = append(n.inbox, e)
		return
	}
	c.handle(n, e)
}

// timeoutNow is raftpb's MsgTimeoutNow, with which a leader hands over.
const timeoutNow = 14

// handle has a node take an event.
func (c *cluster) handle(n *node, e event) {
	c.drawing = n
	switch e.kind {
	case evDeliver:
		m := c.mail.take(e.v)
		c.watch.handing = core.Type(m) == timeoutNow
		n.core.Step(m)
		c.watch.handing = false
		n.drain()
	case evSynced:
		n.synced()
	case evReread:
		n.reread(e.a)
	case evRequest:
		c.requested(n, e)
	case evLost:
		n.core.ReportUnreachable(e.a)
		if e.b == 1 {
			n.core.ReportSnapshot(e.a, false)
		}
		n.drain()
	}
}

// send gives a message to the network.
func (c *cluster) send(n *node, m *core.Message) {
	c.messages++
	number, to := c.messages, core.To(m)
	core.Seal(m)
	if core.Accepts(m) && core.Term(m) == n.term { // one of a former term is of a log that may have been replaced since
		c.checker.Acknowledge(n.id, core.Index(m))
	}
	c.mix(uint64(core.Type(m))|n.id<<8|to<<16, core.Term(m), core.Index(m), uint64(len(core.Entries(m))))
	target := c.node(to)
	if target == nil {
		return
	}
	if c.recording != nil {
		c.record(trace.Event{Kind: trace.Send, Node: n.id, Peer: to, ID: number, Term: core.Term(m), Index: core.Index(m), Message: core.TypeName(m)})
	}
	if c.keeps(n.id, to, event{kind: evDeliver, node: to, a: number}, m) {
		return
	}
	fate := c.net.Send(c.queue.Now(), n.id, to)
	if fate.Copies == 0 {
		c.dropped(n, m, number, fate.Why)
		return
	}
	for i := range fate.Copies {
		if i > 0 {
			m = core.Copy(m)
		}
		c.queue.At(fate.Arrive[i], event{kind: evDeliver, node: to, a: number, v: c.mail.put(m)})
	}
}

// arrived is a message at its node.
func (c *cluster) arrived(n *node, e event) {
	m := c.mail.at(e.v)
	from := c.node(core.From(m))
	if !n.up() {
		c.dropped(from, c.mail.take(e.v), e.a, "the node is down")
		return
	}
	if c.keeps(from.id, n.id, e, nil) {
		return
	}
	if c.net.IsCut(from.id, n.id) {
		c.dropped(from, c.mail.take(e.v), e.a, "the network was partitioned while it was under way")
		return
	}
	if c.recording != nil {
		c.record(trace.Event{Kind: trace.Receive, Node: n.id, Peer: from.id, ID: e.a, Message: core.TypeName(m)})
	}
	if core.IsSnapshot(m) && from.up() && from.paused == 0 {
		c.drawing = from
		from.core.ReportSnapshot(n.id, true)
		from.drain()
	}
	if n.paused > 0 {
		n.inbox = append(n.inbox, e)
		return
	}
	c.handle(n, e)
}

// dropped is a message that does not arrive. The sender learns of it where its connection is refused, and always of a snapshot,
// which is a request of its own.
func (c *cluster) dropped(n *node, m *core.Message, number uint64, why string) {
	if c.recording != nil {
		c.record(trace.Event{Kind: trace.Drop, Node: n.id, Peer: core.To(m), ID: number, Message: core.TypeName(m), Text: why})
	}
	snapshot := core.IsSnapshot(m)
	if target := c.node(core.To(m)); n.up() && (snapshot || !target.up()) {
		e := event{kind: evLost, node: n.id, life: n.life, a: target.id}
		if snapshot {
			e.b = 1
		}
		c.queue.After(c.cfg.Topology.oneWay(target.info, n.info), e)
	}
}

// crash ends a node's process. Of what was being written, something may be on the disk.
func (c *cluster) crash(n *node) { c.end(n, "was killed") }

// end is the end of a node's process, and why.
func (c *cluster) end(n *node, why string) {
	if !n.up() {
		return
	}
	c.tear(n)
	c.hangUp(n)
	n.core = nil
	n.life++
	n.paused = 0
	c.record(trace.Event{Kind: trace.Crash, Node: n.id, Index: n.disk.Last()})
	c.disconnect(n)
	c.watch.down(c, n, why)
}

// tear decides what of the write under way is durable, and tells the checker what the log is now.
func (c *cluster) tear(n *node) {
	var w *core.Ready
	switch {
	case n.busy:
		w = &n.work
	case len(n.writes) > 0:
		w = &n.writes[0]
	}
	if w != nil {
		if part := c.random.IntN(len(w.Entries) + 2); part > len(w.Entries) {
			n.save(w)
		} else {
			n.disk.Tear(&disk.Write{Snapshot: w.Snapshot, Entries: w.Entries}, part)
		}
	}
	c.reload(n)
}

// reload tells the checker of a log as the disk has it: what was in memory alone is gone, and what it was to replace is back.
func (c *cluster) reload(n *node) {
	first, last := n.disk.First(), n.disk.Last()
	c.checker.Crash(n.id, first-1, n.base)
	if last >= first {
		entries, _ := n.disk.Entries(first, last+1, 1<<62)
		n.tell(entries, false)
	}
	c.checker.Restart(c.queue.Now(), n.id)
}

// restart begins a process on the disk of one that ended.
func (c *cluster) restart(n *node) {
	if n.up() || n.removed || n.lost {
		return
	}
	c.record(trace.Event{Kind: trace.Restart, Node: n.id})
	n.start()
}

// pause stops a process as SIGSTOP does: what arrives waits.
func (c *cluster) pause(n *node) {
	if n.paused++; n.paused == 1 {
		c.record(trace.Event{Kind: trace.Pause, Node: n.id})
		c.watch.down(c, n, "was paused")
	}
}

// resume lets it go on.
func (c *cluster) resume(n *node) {
	if n.paused == 0 {
		return
	}
	if n.paused--; n.paused > 0 || !n.up() {
		return
	}
	c.record(trace.Event{Kind: trace.Resume, Node: n.id})
	c.watch.resumed(c, n)
	inbox := c.backlog(n.inbox)
	n.inbox = nil
	if n.missedTick {
		n.missedTick = false
		c.drawing = n
		n.core.Tick()
		n.drain()
	}
	for _, e := range inbox {
		if n.up() && (e.kind == evDeliver || e.kind == evRequest || e.life == n.life) {
			c.handle(n, e)
		}
	}
}

// Became is the core's: see core.Observer.
func (n *node) Became(role core.Role, term uint64) {
	n.role, n.term = role, term
	if role == core.Leader {
		n.elected = term
		n.c.checker.Elect(n.c.queue.Now(), n.id, term)
		n.c.hurry()
		n.c.elected()
	}
	c := n.c
	c.mix(n.id, term, uint64(len(role)))
	c.record(trace.Event{Kind: trace.Role, Node: n.id, Term: term, Peer: n.leader, Text: string(role)})
	if role != core.PreCandidate { // which goes on with the timeout that it had
		n.timeout = c.cfg.electionTicks() + c.draws.Last()
	}
	c.record(trace.Event{Kind: trace.Timer, Node: n.id, Until: c.queue.Now() + time.Duration(n.timeout)*n.tick})
	c.watch.became(c, n, role, term)
}

// Voted is the core's.
func (n *node) Voted(b core.Ballot) {
	n.c.watch.voted(n.c, n, &b)
	text := b.Why
	if b.Granted {
		text = "granted"
	}
	kind := "Vote"
	if b.Pre {
		kind = "PreVote"
	}
	n.c.record(trace.Event{Kind: trace.Vote, Node: n.id, Peer: b.Candidate, Term: b.Term, Message: kind, Text: text})
}

// LostQuorum is the core's.
func (n *node) LostQuorum() { n.c.watch.lostQuorum(n.c, n) }

// founders are the members that the cluster began with.
func (c *cluster) founders() []uint64 {
	ids := make([]uint64, len(c.cfg.Topology.Nodes))
	for i := range ids {
		ids[i] = uint64(i + 1)
	}
	return ids
}
