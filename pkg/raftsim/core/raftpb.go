package core

import (
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

type (
	// Message is what nodes send each other. Who sends one twice sends a [Copy].
	Message = pb.Message
	// Entry is one of the log, which nobody changes.
	Entry = pb.Entry
	// Snapshot is a machine as of an entry.
	Snapshot = pb.Snapshot
)

// Version is of the module that is simulated.
const Version = "go.etcd.io/raft/v3 v3.7.0"

// Step takes a message. What the core does not want of it is dropped, as a server does.
func (n *Node) Step(m *Message) { _ = n.raw.Step(m) }

// ProposeChange asks for a change of the members; false where there is no leader to ask. A leader that has one under way puts an
// empty entry in its place.
func (n *Node) ProposeChange(c Change) bool {
	kind := [...]pb.ConfChangeType{pb.ConfChangeAddNode, pb.ConfChangeAddLearnerNode, pb.ConfChangeRemoveNode}[c.Kind]
	return n.raw.ProposeConfChange(&pb.ConfChange{Type: kind.Enum(), NodeId: &c.Node}) == nil
}

// ApplyChange makes an entry's change known to the core, as applying it does, and returns the members from now on. changed is what
// it was about; the zero one for an entry that says nothing.
func (n *Node) ApplyChange(e *Entry) (changed Change, voters, learners []uint64) {
	var cc pb.ConfChange
	if err := proto.Unmarshal(e.GetData(), &cc); err != nil {
		panic("an entry that is no change of members: " + err.Error())
	}
	changed.Node = cc.GetNodeId()
	switch cc.GetType() {
	case pb.ConfChangeAddLearnerNode:
		changed.Kind = AddLearner
	case pb.ConfChangeRemoveNode:
		changed.Kind = Remove
	default:
	}
	state := n.raw.ApplyConfChange(&cc)
	return changed, state.GetVoters(), state.GetLearners()
}

// Ready takes what has to be done; ok is false when nothing has. Without AsyncStorageWrites Advance must follow before the next one.
func (n *Node) Ready(r *Ready) (ok bool) {
	if !n.raw.HasReady() {
		return false
	}
	got := n.raw.Ready()
	*r = Ready{Sync: got.MustSync, Entries: got.Entries, Committed: got.CommittedEntries, Messages: got.Messages, Reads: r.Reads[:0]}
	if got.SoftState != nil {
		r.Leader, r.LeaderSet = got.Lead, true
	}
	if !raft.IsEmptyHardState(got.HardState) {
		r.Hard, r.HardSet = Hard{got.GetTerm(), got.GetVote(), got.GetCommit()}, true
	}
	if !raft.IsEmptySnap(got.Snapshot) {
		r.Snapshot = got.Snapshot
	}
	for _, state := range got.ReadStates {
		r.Reads = append(r.Reads, Read{state.Index, state.RequestCtx})
	}
	return true
}

// storage is a Storage as the core wants it.
type storage struct{ Storage }

func (s storage) InitialState() (*pb.HardState, *pb.ConfState, error) {
	h, voters, learners := s.Initial()
	return &pb.HardState{Term: &h.Term, Vote: &h.Vote, Commit: &h.Commit}, &pb.ConfState{Voters: voters, Learners: learners}, nil
}

func (s storage) Entries(lo, hi, size uint64) ([]*pb.Entry, error) {
	entries, ok := s.Storage.Entries(lo, hi, size)
	if !ok {
		return nil, raft.ErrCompacted
	}
	return entries, nil
}

func (s storage) Term(index uint64) (uint64, error) {
	if index > s.Last() {
		return 0, raft.ErrUnavailable
	}
	term, ok := s.Storage.Term(index)
	if !ok {
		return 0, raft.ErrCompacted
	}
	return term, nil
}

func (s storage) FirstIndex() (uint64, error) { return s.First(), nil }
func (s storage) LastIndex() (uint64, error)  { return s.Last(), nil }

func (s storage) Snapshot() (*pb.Snapshot, error) {
	if snap := s.Storage.Snapshot(); snap != nil {
		return snap, nil
	}
	return nil, raft.ErrSnapshotTemporarilyUnavailable
}

// NewSnapshot makes one: the machine's state as of an entry, and the members then.
func NewSnapshot(index, term uint64, voters, learners []uint64, data []byte) *Snapshot {
	state := &pb.ConfState{Voters: slices.Clone(voters), Learners: slices.Clone(learners)}
	return &pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{Index: &index, Term: &term, ConfState: state}}
}

// From is who sent a message.
func From(m *Message) uint64 { return m.GetFrom() }

// To is whom a message is for.
func To(m *Message) uint64 { return m.GetTo() }

// Term is the term of its sender; 0 for what has none.
func Term(m *Message) uint64 { return m.GetTerm() }

// Index is the place in the log that a message is about.
func Index(m *Message) uint64 { return m.GetIndex() }

// Entries are those that a message carries.
func Entries(m *Message) []*Entry { return m.GetEntries() }

// Responses are what is to be sent when the disk or the machine is done with a message.
func Responses(m *Message) []*Message { return m.GetResponses() }

// Type is a message's number, of [TypeName].
func Type(m *Message) int { return int(m.GetType()) }

// TypeName is a message's type without Msg: App, Heartbeat, PreVoteResp.
func TypeName(m *Message) string { return m.GetType().String()[len("Msg"):] }

// IsSnapshot says whether a message carries a snapshot, IsAppend whether it carries entries or none.
func IsSnapshot(m *Message) bool { return m.GetType() == pb.MsgSnap }

// AsksForVote says whether a message wants a vote that counts.
func AsksForVote(m *Message) bool { return m.GetType() == pb.MsgVote }

// Accepts says whether a message tells a leader that its entries are in the log.
func Accepts(m *Message) bool { return m.GetType() == pb.MsgAppResp && !m.GetReject() }

// AppendWork is what a message to the own disk asks for.
func AppendWork(m *Message, r *Ready) {
	*r = Ready{Entries: m.GetEntries(), Messages: m.GetResponses()}
	if m.GetTerm() != 0 || m.GetVote() != 0 || m.GetCommit() != 0 {
		r.Hard, r.HardSet = Hard{m.GetTerm(), m.GetVote(), m.GetCommit()}, true
	}
	if s := m.GetSnapshot(); s != nil && s.GetMetadata().GetIndex() != 0 {
		r.Snapshot = s
	}
}

// Copy is a message that can be stepped beside the original: the core changes those that it passes on.
func Copy(m *Message) *Message {
	return &pb.Message{
		Type: m.Type, To: m.To, From: m.From, Term: m.Term, LogTerm: m.LogTerm, Index: m.Index, Entries: slices.Clone(m.Entries), Commit: m.Commit,
		Vote: m.Vote, Snapshot: m.Snapshot, Reject: m.Reject, RejectHint: m.RejectHint, Context: m.Context,
	}
}

// Seal keeps the sender's log apart from the receiver's, which share a message's entries: an append to one must not write into the
// other's array.
func Seal(m *Message) { m.Entries = slices.Clip(m.Entries) }

// EntryIndex is an entry's place in the log.
func EntryIndex(e *Entry) uint64 { return e.GetIndex() }

// EntryTerm is the term that it was proposed in.
func EntryTerm(e *Entry) uint64 { return e.GetTerm() }

// EntryData is what it carries.
func EntryData(e *Entry) []byte { return e.GetData() }

// IsChange says whether an entry changes the members.
func IsChange(e *Entry) bool { return e.GetType() == pb.EntryConfChange }

// SnapshotIndex is the last entry that a snapshot covers.
func SnapshotIndex(s *Snapshot) uint64 { return s.GetMetadata().GetIndex() }

// SnapshotTerm is that entry's term.
func SnapshotTerm(s *Snapshot) uint64 { return s.GetMetadata().GetTerm() }

// SnapshotData is the machine.
func SnapshotData(s *Snapshot) []byte { return s.GetData() }

// SnapshotMembers are those as of its index.
func SnapshotMembers(s *Snapshot) (voters, learners []uint64) {
	state := s.GetMetadata().GetConfState()
	return state.GetVoters(), state.GetLearners()
}

// SetSnapshot gives a message another snapshot than the core did, a later one.
func SetSnapshot(m *Message, s *Snapshot) { m.Snapshot = s }
