// Package core is the consensus core that is simulated, go.etcd.io/raft/v3, behind the few calls that a simulation needs. Its
// raftpb.go alone knows how messages and entries are made: another version of the core needs another one of it, and nothing else.
package core

import (
	"cmp"

	"go.etcd.io/raft/v3"
)

// ToAppend and ToApply are where messages to a node's own disk and machine go with [Config.AsyncStorageWrites].
const (
	ToAppend = raft.LocalAppendThread
	ToApply  = raft.LocalApplyThread
)

// Hard is what a node has to keep besides its log.
type Hard struct{ Term, Vote, Commit uint64 }

// Storage is the log as a node has it on its disk: raft.Storage without its errors for what cannot happen here.
type Storage interface {
	// Initial is what was kept, and the members as of Applied.
	Initial() (h Hard, voters, learners []uint64)
	// Entries are those from lo on and before hi, of at most size bytes but at least one; ok is false below First.
	Entries(lo, hi, size uint64) (entries []*Entry, ok bool)
	// Term is an entry's, from First-1 on; ok is false for what is not there any more.
	Term(index uint64) (term uint64, ok bool)
	First() uint64
	Last() uint64
	// Snapshot is the last one; nil where there is none yet.
	Snapshot() *Snapshot
}

// Config is of a node that starts.
type Config struct {
	ID                           uint64
	ElectionTicks, HeartbeatTick int
	Storage                      Storage
	Applied                      uint64
	PreVote, CheckQuorum         bool
	LeaseReads                   bool
	AsyncStorageWrites           bool
	MaxMessage                   uint64 // bytes of entries in a message; 0 for etcd's
	Observer                     Observer
}

// etcd's (server/etcdserver/raft.go): maxSizePerMsg, maxInflightMsgs.
const (
	maxSizePerMsg   = 1 << 20
	maxInflightMsgs = 4096 / 8
)

// Node is a core that runs.
type Node struct {
	raw     *raft.RawNode
	asynced bool
}

// New starts a node from what its disk has. It panics where the core does: with a disk that contradicts itself.
func New(c *Config) (*Node, error) {
	readOnly := raft.ReadOnlySafe
	if c.LeaseReads {
		readOnly = raft.ReadOnlyLeaseBased
	}
	raw, err := raft.NewRawNode(&raft.Config{
		ID: c.ID, ElectionTick: c.ElectionTicks, HeartbeatTick: c.HeartbeatTick, Storage: storage{c.Storage}, Applied: c.Applied,
		MaxSizePerMsg: cmp.Or(c.MaxMessage, maxSizePerMsg), MaxInflightMsgs: maxInflightMsgs, CheckQuorum: c.CheckQuorum, PreVote: c.PreVote,
		ReadOnlyOption: readOnly, AsyncStorageWrites: c.AsyncStorageWrites, Logger: &listener{observer: c.Observer},
	})
	if err != nil {
		return nil, err
	}
	return &Node{raw: raw, asynced: c.AsyncStorageWrites}, nil
}

// Tick is the passing of one tick.
func (n *Node) Tick() { n.raw.Tick() }

// Propose asks for an entry; false where there is no leader to ask.
func (n *Node) Propose(data []byte) bool { return n.raw.Propose(data) == nil }

// ReadIndex asks which index the machine has to be at before it may answer: the answer is in a [Ready], or never comes.
func (n *Node) ReadIndex(context []byte) { n.raw.ReadIndex(context) }

// Campaign starts an election.
func (n *Node) Campaign() { _ = n.raw.Campaign() }

// TransferLeader has the leader hand over.
func (n *Node) TransferLeader(to uint64) { n.raw.TransferLeader(to) }

// ReportUnreachable says that messages to a node get lost, ReportSnapshot whether one has arrived.
func (n *Node) ReportUnreachable(id uint64) { n.raw.ReportUnreachable(id) }

// ReportSnapshot says how sending a snapshot ended.
func (n *Node) ReportSnapshot(id uint64, arrived bool) {
	status := raft.SnapshotFinish
	if !arrived {
		status = raft.SnapshotFailure
	}
	n.raw.ReportSnapshot(id, status)
}

// Change is one of the members.
type Change struct {
	Node uint64
	Kind ChangeKind
}

// ChangeKind is what a [Change] does.
type ChangeKind byte

// Kinds of changes.
const (
	AddVoter ChangeKind = iota
	AddLearner
	Remove
)

// Ready is what has to be done now: [raft.Ready] with the messages apart from what they are about.
type Ready struct {
	Leader    uint64 // known leader, where LeaderSet
	LeaderSet bool
	Hard      Hard
	HardSet   bool // Hard is new
	Sync      bool // the disk must have it before what depends on it
	Entries   []*Entry
	Snapshot  *Snapshot // nil for none
	Committed []*Entry
	Messages  []*Message
	Reads     []Read
}

// Read is the answer to ReadIndex.
type Read struct {
	Index   uint64
	Context []byte
}

// Advance says that what the last Ready wanted is done.
func (n *Node) Advance() { n.raw.Advance(raft.Ready{}) }
