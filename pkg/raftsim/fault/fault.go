// Package fault is what can be done to a simulated cluster: faults, schedules of them, and the text that both are written in.
package fault

import "time"

// Kind is what a fault does.
type Kind string

// Kinds of faults, and what a [Fault] of each has.
const (
	Kill         Kind = "kill"          // the process ends; For: it is restarted then
	Restart      Kind = "restart"       // it ends, and starts again at once
	Wipe         Kind = "wipe"          // it ends, its disk is emptied, and it joins under a new id once the old one is removed
	TornFsync    Kind = "torn-fsync"    // it ends in the midst of its next write to the disk; For: it is restarted then
	Partition    Kind = "partition"     // From and To do not reach each other; no To: all others
	OneWay       Kind = "one-way"       // From does not reach To
	Isolate      Kind = "isolate"       // From reaches nobody, nor is reached
	Pause        Kind = "pause"         // the process stands still, as with SIGSTOP; what is sent to it waits
	SlowDisk     Kind = "slow-disk"     // Amount is added to each fsync
	ClockSkew    Kind = "clock-skew"    // the next tick comes Amount later
	ClockDrift   Kind = "clock-drift"   // the clock runs Factor times as fast
	Delay        Kind = "delay"         // Amount is added to what messages from From to To take
	Loss         Kind = "loss"          // a share of them, Factor, is lost
	Dup          Kind = "dup"           // a share of them arrives twice
	AddMember    Kind = "add-member"    // a node with an empty disk joins
	RemoveMember Kind = "remove-member" // From leaves
	Transfer     Kind = "transfer"      // the leader hands over, to To where it is named
)

// Role stands for nodes that are chosen when the fault begins.
type Role string

// Roles.
const (
	Leader   Role = "leader"
	Follower Role = "follower"
	Random   Role = "random"   // any member
	Majority Role = "majority" // as few members as make one, chosen at random
	Minority Role = "minority" // the most that make none
)

// LeadersZone stands for the zone of who leads when the fault begins.
const LeadersZone = "leader"

// Target is a node, the nodes of a zone, or a role; one of them is set.
type Target struct {
	Node uint64
	Zone string
	Role Role
}

// Fault is one thing that is done to a cluster.
type Fault struct {
	At       time.Duration // when it begins, since the start
	For      time.Duration // how long it lasts at most; 0: for good
	Kind     Kind
	From, To []Target
	Amount   time.Duration
	// Election says that it begins Behind an election that somebody wins from At on, 1 for the first: what goes wrong goes wrong then. It
	// is 0 for what begins at At.
	Election int
	Behind   time.Duration
	// Until says that it ends with the next election that somebody wins.
	Until  bool
	Factor float64
}

// Under says whether it has begun at a time and is not over; false for what is over at once, and for what waits for elections.
func (f *Fault) Under(at time.Duration) bool {
	s, _ := shapeOf(f.Kind)
	return s.lasts && f.Election == 0 && !f.Until && f.At <= at && (f.For == 0 || f.At+f.For > at)
}
