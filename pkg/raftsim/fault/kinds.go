package fault

// shape is what a kind of fault is written with.
type shape struct {
	group   string // its heading in the help
	kind    Kind
	targets string // a target... constant
	by      string // "" for no amount; byDuration, byShare or bySpeed
	lasts   bool   // it has an end
	says    string
	example string
}

// Headings of the help.
const (
	ofProcesses = "Processes"
	ofNetwork   = "Network"
	ofDisks     = "Disks and clocks"
	ofMembers   = "Members"
)

// shapes are all kinds, in the order of the help.
func shapes() []shape {
	return []shape{
		{ofProcesses, Kill, targetNodes, "", true, "it ends, and starts again at the end of TIME", "kill leader @10s for 5s"},
		{ofProcesses, Restart, targetNodes, "", false, "it ends, and starts again at once", "restart n2 @10s"},
		{ofProcesses, Pause, targetNodes, "", true, "it stands still (SIGSTOP); what is sent to it waits", "pause leader @10s for 3s"},
		{ofNetwork, Partition, targetSides, "", true, "two sides do not reach each other; all others are the\nother side where only one is named", "partition n1,n2 | n3,n4,n5 @10s for 5s"},
		{ofNetwork, Isolate, targetNodes, "", true, "it reaches no other node, and none reaches it", "isolate leader @10s for 5s"},
		{ofNetwork, OneWay, targetLink, "", true, "messages in one direction are lost", "one-way leader -> n2 @10s for 5s"},
		{ofNetwork, Delay, targetLink, byDuration, true, "messages take longer; those that a node sends to anybody\nwhere -> is left out", "delay n1 -> n2 by 50ms @10s for 5s"},
		{ofNetwork, Loss, targetLink, byShare, true, "a share of the messages is lost", "loss all by 5% @10s for 5s"},
		{ofNetwork, Dup, targetLink, byShare, true, "a share of the messages arrives twice", "dup all by 20% @10s for 5s"},
		{ofDisks, SlowDisk, targetNodes, byDuration, true, "each fsync takes longer", "slow-disk n3 by 100ms @10s for 5s"},
		{ofDisks, TornFsync, targetNodes, "", true, "the process ends in the midst of its next write to the\ndisk, of which a part may be there; it starts again at\nthe end of TIME", "torn-fsync follower @10s for 2s"},
		{ofDisks, Wipe, targetNodes, "", false, "the disk is lost: the member is removed, and another\njoins in its place", "wipe n3 @10s"},
		{ofDisks, ClockSkew, targetNodes, byDuration, false, "the next tick of its clock comes later", "clock-skew n1 by 300ms @10s"},
		{ofDisks, ClockDrift, targetNodes, bySpeed, true, "its clock runs so many times as fast", "clock-drift n1 by 1.5x @10s for 5s"},
		{ofMembers, AddMember, targetNone, "", false, "a node with an empty disk joins", "add-member @10s"},
		{ofMembers, RemoveMember, targetNodes, "", false, "a member leaves", "remove-member n2 @10s"},
		{ofMembers, Transfer, targetTo, "", false, "the leader hands over: to a node that is named, or to any", "transfer to n3 @10s"},
	}
}

// What faults are done to, as they are written.
const (
	targetNodes = "nodes" // A
	targetNone  = "none"
	targetSides = "sides" // A, or A | B
	targetLink  = "link"  // all, A, or A -> B
	targetTo    = "to"    // nothing, or to A

	byDuration = "duration"
	byShare    = "share"
	bySpeed    = "speed"
)

func shapeOf(k Kind) (s shape, found bool) {
	for _, s := range shapes() {
		if s.kind == k {
			return s, true
		}
	}
	return shape{}, false
}

func roles() []Role { return []Role{Leader, Follower, Random, Majority, Minority} }
