package raftsim

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/check"
	"github.com/opsctl/opsctl/pkg/raftsim/core"
	"github.com/opsctl/opsctl/pkg/raftsim/disk"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// node is a member: a core, its disk and its machine. What it does has the order of etcd's server (server/etcdserver/raft.go).
type node struct {
	id   uint64
	info *Node
	c    *cluster

	core        *core.Node // nil while it is down
	disk        *disk.Disk
	machine     *machine
	applied     uint64
	chain       uint64 // the checker's of what is applied
	base        uint64 // the checker's chain of what the disk has no entries of any more
	appliedTerm uint64
	voters      []uint64 // as of applied
	snapped     uint64   // index of the last snapshot

	role         core.Role
	term, leader uint64
	elected      uint64 // term that it became leader of and that is not checked yet; 0 for none
	life         uint32 // grows with each crash: events of a former life are void
	paused       int    // by how many faults
	inbox        []event
	missedTick   bool

	tick     time.Duration // between two, with its clock's drift
	skew     time.Duration // that the next one comes later
	timeout  int           // of the election, in ticks
	tearNext bool          // it ends in the midst of its next write
	lost     bool          // its disk is, and it does not come back
	slow     time.Duration // what faults add to an fsync
	removed  bool
	busy     bool // the disk has work, and Advance must wait for it
	late     bool // the messages of work wait for the disk as well
	work     core.Ready
	writes   []core.Ready // of the profile async, in order
	requests []request    // that are not answered yet
	reads    uint64       // contexts that were made
}

// request is what a client asked this node for.
type request struct {
	client  int
	try     uint64
	write   command // where write is wanted
	read    bool
	key     int
	context uint64 // of a read
	index   uint64 // that the machine must be at; 0: not known yet
	waits   bool   // for a leader
}

// start gives the node a core on what its disk has.
func (n *node) start() {
	c := n.c
	n.machine, n.applied, n.chain = newMachine(c.cfg.Keys, c.cfg.Clients), 0, 0
	n.voters, n.snapped = nil, 0
	if s := n.disk.Snapshot(); s != nil {
		n.restore(s)
	}
	n.role, n.leader, n.busy, n.work, n.writes = core.Follower, 0, false, core.Ready{}, nil
	n.requests, n.inbox, n.elected, n.missedTick = nil, nil, 0, false
	c.drawing = n
	made, err := core.New(&core.Config{
		ID: n.id, ElectionTicks: c.cfg.electionTicks(), HeartbeatTick: int(c.cfg.HeartbeatInterval / c.cfg.tick()), Storage: n.disk, Applied: n.applied, PreVote: c.cfg.PreVote,
		CheckQuorum: c.cfg.CheckQuorum, LeaseReads: c.cfg.Reads == ReadLease, AsyncStorageWrites: c.cfg.Profile != Etcd, MaxMessage: c.cfg.MaxMessage, Observer: n,
	})
	if err != nil {
		panic(err) // Check has refused what could be wrong
	}
	n.core = made
	n.nextTick(time.Duration(c.random.Int64N(int64(n.tick))))
	n.drain()
}

func (n *node) up() bool { return n.core != nil }

func (n *node) nextTick(in time.Duration) {
	n.c.queue.After(in, event{kind: evTick, node: n.id, life: n.life})
}

// ticked is a tick of the node's clock. A paused process misses its ticks but one (time.Ticker).
func (n *node) ticked() {
	n.nextTick(n.tick + n.skew)
	n.skew = 0
	if n.paused > 0 {
		n.missedTick = true
		return
	}
	n.core.Tick()
	n.drain()
}

// drain does what the core wants done, until it waits for the disk.
func (n *node) drain() {
	if n.c.cfg.Profile != Etcd {
		n.drainAsync()
		return
	}
	for n.up() && !n.busy && n.core.Ready(&n.work) {
		n.ready(&n.work)
	}
}

// ready does one Ready of the profile etcd.
func (n *node) ready(r *core.Ready) {
	leads := n.role == core.Leader
	n.learn(r)
	if leads {
		n.send(r.Messages)
	}
	if r.Snapshot == nil {
		n.apply(r.Committed)
	}
	if r.Sync || r.Snapshot != nil {
		n.busy, n.late = true, !leads
		n.sync()
		return
	}
	n.save(r)
	if !leads {
		n.send(r.Messages)
	}
	n.compact()
	n.core.Advance()
}

// sync begins to write what is first.
func (n *node) sync() {
	done := n.c.queue.Now() + n.fsync()
	if n.tearNext {
		n.tearNext = false
		n.c.queue.At(n.c.queue.Now()+(done-n.c.queue.Now())/2, event{kind: evCrash, node: n.id, life: n.life})
	}
	n.c.record(trace.Event{Kind: trace.Sync, Node: n.id, Until: done})
	n.c.queue.At(done, event{kind: evSynced, node: n.id, life: n.life})
}

// synced is the end of the write that sync began.
func (n *node) synced() {
	if n.c.cfg.Profile != Etcd {
		n.syncedAsync()
		return
	}
	r := &n.work
	n.save(r)
	if r.Snapshot != nil {
		n.install(r.Snapshot)
		n.apply(r.Committed)
	}
	if n.late {
		n.send(r.Messages)
	}
	n.busy = false
	n.compact()
	n.core.Advance()
	n.drain()
}

// save makes what a Ready has durable.
func (n *node) save(r *core.Ready) {
	n.disk.Save(&disk.Write{Hard: r.Hard, HardSet: r.HardSet, Snapshot: r.Snapshot, Entries: r.Entries})
	if r.Snapshot != nil && n.disk.First() == core.SnapshotIndex(r.Snapshot)+1 {
		n.base = chainOf(r.Snapshot)
	}
	if len(r.Entries) > 0 || r.Snapshot != nil {
		n.c.record(trace.Event{Kind: trace.Durable, Node: n.id, Index: n.disk.Last()})
	}
}

// fsync draws how long one takes: log-normal through the median and the 99th percentile.
func (n *node) fsync() time.Duration {
	l := n.info.Fsync
	if l.P99 <= l.Median {
		return l.Median + n.slow
	}
	const z99 = 2.3263478740408408
	sigma := math.Log(float64(l.P99)/float64(l.Median)) / z99
	return time.Duration(float64(l.Median)*math.Exp(sigma*n.c.random.NormFloat64())) + n.slow
}

// learn takes over what a Ready says of the node, and tells the checker.
func (n *node) learn(r *core.Ready) {
	c, now := n.c, n.c.queue.Now()
	if r.HardSet {
		n.term = r.Hard.Term
	}
	if s := r.Snapshot; s != nil {
		c.checker.Snapshot(now, n.id, core.SnapshotIndex(s), core.SnapshotTerm(s), chainOf(s))
	}
	n.appended(r.Entries)
	if n.elected != 0 && n.elected == n.term && n.role == core.Leader {
		c.checker.Lead(now, n.id, n.term)
	}
	n.elected = 0
	if r.HardSet && r.Hard.Commit > 0 {
		c.checker.Commit(now, n.id, r.Hard.Term, r.Hard.Commit)
		c.record(trace.Event{Kind: trace.Commit, Node: n.id, Index: r.Hard.Commit})
	}
	for i := range r.Reads {
		n.readable(&r.Reads[i])
	}
	if r.LeaderSet {
		n.leader = r.Leader
		if n.leader != 0 {
			n.again()
		}
	}
}

// appended tells the checker of new entries: those of the term that the node leads are its own, those before came from others.
func (n *node) appended(entries []*core.Entry) {
	if len(entries) == 0 {
		return
	}
	own := len(entries)
	for n.role == core.Leader && own > 0 && core.EntryTerm(entries[own-1]) == n.term {
		own--
	}
	n.tell(entries[:own], false)
	n.tell(entries[own:], true)
	last := entries[len(entries)-1]
	n.c.record(trace.Event{Kind: trace.Append, Node: n.id, Term: core.EntryTerm(last), Index: core.EntryIndex(last)})
}

func (n *node) tell(entries []*core.Entry, leader bool) {
	if len(entries) == 0 {
		return
	}
	told := n.c.told[:0]
	for _, e := range entries {
		told = append(told, check.Entry{Term: core.EntryTerm(e), Sum: sumOf(e)})
	}
	n.c.told = told
	n.c.checker.Append(n.c.queue.Now(), n.id, leader, core.EntryIndex(entries[0]), told)
}

// sumOf stands for an entry's data.
func sumOf(e *core.Entry) uint64 {
	b := core.EntryData(e)
	sum := uint64(len(b)) * 0x9e3779b97f4a7c15
	for ; len(b) >= 8; b = b[8:] {
		sum = (sum ^ binary.LittleEndian.Uint64(b)) * 0xff51afd7ed558ccd
		sum ^= sum >> 32
	}
	for _, x := range b {
		sum = (sum ^ uint64(x)) * 0x100000001b3
	}
	return sum
}

// send gives messages to the network.
func (n *node) send(messages []*core.Message) {
	for _, m := range messages {
		if core.IsSnapshot(m) {
			core.SetSnapshot(m, n.snapshot()) // etcd sends its machine as it is now (server.go, createMergedSnapshotMessage)
		}
		n.c.send(n, m)
	}
}

// apply gives committed entries to the machine.
func (n *node) apply(entries []*core.Entry) {
	for _, e := range entries {
		index := core.EntryIndex(e)
		if index <= n.applied {
			continue
		}
		entry := check.Entry{Term: core.EntryTerm(e), Sum: sumOf(e)}
		n.applied, n.appliedTerm, n.chain = index, entry.Term, check.Next(n.chain, entry)
		n.c.checker.Apply(n.c.queue.Now(), n.id, index, entry.Term, entry.Sum)
		if core.IsChange(e) {
			n.change(e)
		} else if command, ok := decodeCommand(core.EntryData(e)); ok {
			n.write(command, index)
		}
	}
	if len(entries) == 0 {
		return
	}
	n.c.record(trace.Event{Kind: trace.Apply, Node: n.id, Index: n.applied})
	n.answerReads()
}

// change applies a change of the members.
func (n *node) change(e *core.Entry) {
	changed, voters, _ := n.core.ApplyChange(e)
	n.voters = voters
	n.c.changed(n, changed)
}

// write does a client's write, and answers it where it was asked here.
func (n *node) write(command command, index uint64) {
	at, applied := n.machine.apply(command, index)
	if !applied {
		return
	}
	for i := range n.requests {
		q := &n.requests[i]
		if !q.read && q.client == command.client && q.write.session == command.session && q.write.seq == command.seq {
			n.c.answer(n, q, command.value, at)
			n.forget(i)
			return
		}
	}
}

func (n *node) forget(i int) {
	last := len(n.requests) - 1
	n.requests[i] = n.requests[last]
	n.requests = n.requests[:last]
}

// compact takes a snapshot when it is time, and cuts the log, but for what those who lag a little may want. What is applied is on
// the disk then, and known there as committed.
func (n *node) compact() {
	if n.applied-n.snapped < n.c.cfg.SnapshotEntries || n.applied > min(n.disk.Last(), n.disk.Hard().Commit) {
		return
	}
	s := n.snapshot()
	n.disk.Keep(s)
	n.snapped = n.applied
	n.c.record(trace.Event{Kind: trace.Snapshot, Node: n.id, Index: n.applied})
	keep := n.c.cfg.SnapshotKeep
	if n.applied < keep+n.disk.First() {
		return
	}
	// Where a snapshot of another node is about to replace the log, there is nothing to cut.
	if base, ok := n.c.checker.Chain(n.id, n.applied-keep); ok {
		n.base = base
		n.disk.Compact(n.applied - keep)
		n.c.checker.Compact(n.id, n.applied-keep)
	}
}

// snapshot is one of the machine as it is now.
func (n *node) snapshot() *core.Snapshot {
	return core.NewSnapshot(n.applied, n.appliedTerm, n.voters, nil, n.machine.encode(n.chain))
}

// restore takes the machine from a snapshot.
func (n *node) restore(s *core.Snapshot) {
	n.machine, n.chain = decodeMachine(core.SnapshotData(s))
	n.applied, n.appliedTerm, n.snapped = core.SnapshotIndex(s), core.SnapshotTerm(s), core.SnapshotIndex(s)
	n.voters, _ = core.SnapshotMembers(s)
}

// chainOf is the checker's chain that a snapshot's machine was made from.
func chainOf(s *core.Snapshot) uint64 {
	_, chain := decodeMachine(core.SnapshotData(s))
	return chain
}

// install is restore of a snapshot that another node sent.
func (n *node) install(s *core.Snapshot) {
	n.restore(s)
	n.c.record(trace.Event{Kind: trace.Snapshot, Node: n.id, Index: n.applied, Peer: n.leader})
	n.answerReads()
}
