// Package trace holds what happened in a simulated run, in the order in which it happened, for those who show it.
package trace

import "time"

// Recording is a run as views need it. Times are virtual, since its start.
type Recording struct {
	Seed              uint64        `json:"seed"`
	Duration          time.Duration `json:"durationNanos"`
	HeartbeatInterval time.Duration `json:"heartbeatNanos"`
	ElectionTimeout   time.Duration `json:"electionNanos"`
	Nodes             []Node        `json:"nodes"`
	Events            []Event       `json:"events"`
	// Omitted are the events behind the last of Events, which were too many to keep.
	Omitted int `json:"omitted"`
	// Sentence says in words how the run ended, and why.
	Sentence string `json:"sentence"`
}

// Node is a member of the cluster, or becomes one.
type Node struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
	Zone string `json:"zone,omitempty"`
}

// Kind is what an event is about.
type Kind string

// Kinds of events, and what an [Event] of each has beside At and Node.
const (
	Send     Kind = "send"     // a message leaves for Peer: Message, ID, Term, Index
	Receive  Kind = "receive"  // it arrives from Peer: Message, ID
	Drop     Kind = "drop"     // it does not: Message, ID, Text says why; Node sent it to Peer
	Role     Kind = "role"     // Text is follower, pre-candidate, candidate, leader or learner; Term, and Peer is the leader it knows
	Vote     Kind = "vote"     // Node answers Peer's request: Message, Term, Text is granted or why not
	Timer    Kind = "timer"    // the election timer was set anew: Until
	Append   Kind = "append"   // its log now ends with Index of Term; what it had from there on is gone
	Sync     Kind = "sync"     // it waits for its disk: Until
	Durable  Kind = "durable"  // the disk has the log up to Index
	Commit   Kind = "commit"   // it knows Index as committed
	Apply    Kind = "apply"    // its machine is at Index
	Snapshot Kind = "snapshot" // it took one at Index, or was sent one by Peer
	Crash    Kind = "crash"    // it ends; Index is what the disk has of its log
	Restart  Kind = "restart"
	Pause    Kind = "pause"
	Resume   Kind = "resume"
	Join     Kind = "join"  // it is a member from now on
	Leave    Kind = "leave" // it is none any more
	Fault    Kind = "fault" // Text is the fault that begins; no Node
	Heal     Kind = "heal"  // Text is the fault that ends; no Node
	Invoke   Kind = "invoke"
	Return   Kind = "return"   // Text is done, failed or unknown; ID joins it with its Invoke, Until is when that was
	Violated Kind = "violated" // an invariant does not hold: Text
)

// Event is one thing that happened to a node.
type Event struct {
	At   time.Duration `json:"at"`
	Kind Kind          `json:"kind"`
	Node uint64        `json:"node,omitempty"`
	Peer uint64        `json:"peer,omitempty"`
	ID   uint64        `json:"id,omitempty"`
	Term uint64        `json:"term,omitempty"`
	// Index is a place in the log.
	Index uint64 `json:"index,omitempty"`
	// Message is a message's type as raftpb names it, without Msg: App, Heartbeat, PreVoteResp.
	Message string        `json:"message,omitempty"`
	Until   time.Duration `json:"until,omitempty"`
	Text    string        `json:"text,omitempty"`
}
