package fault

import (
	"math/rand/v2"
	"slices"
	"sort"
	"time"
)

// Default is a schedule of many faults that follow from chance: all kinds that a correct Raft withstands, most of them about the
// leader and about elections, where consensus goes wrong. It begins when a cluster of etcd's timers usually has a leader, and leaves
// the last fifth of the run calm, so that what was acknowledged is looked for.
func Default(r *rand.Rand, nodes int, duration time.Duration) []Fault {
	n := nemesis{r: r, nodes: nodes}
	end := duration * 4 / 5
	for n.at = n.between(1200, 2200); n.at < end; {
		n.spell(min(end, n.at+spell))
	}
	all := slices.DeleteFunc(n.all, func(f Fault) bool { return f.At >= end })
	for i := range all {
		if f := &all[i]; f.For > 0 {
			f.For = max(10*time.Millisecond, min(f.For, end-f.At))
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].At < all[j].At })
	return all
}

// nemesis makes a schedule, one move after the other.
type nemesis struct {
	r     *rand.Rand
	nodes int
	at    time.Duration
	all   []Fault
	lost  int // members that were wiped or removed
	grown int // members that were added
}

// spell is how long it goes on in one way.
const spell = 10 * time.Second

// spell is a relay or a number of moves, until a time.
func (n *nemesis) spell(until time.Duration) {
	if n.r.IntN(2) == 0 {
		n.relay(until - n.at)
		n.at = until
		return
	}
	for ; n.at < until; n.at += n.between(100, 1400) {
		n.move()
	}
}

// moves are what it may do, and how often against each other.
func (n *nemesis) moves() []struct {
	weight int
	do     func()
} {
	return []struct {
		weight int
		do     func()
	}{
		{4, n.kill},
		{4, n.killAgain},
		{3, n.storm},
		{4, n.cutOff},
		{3, n.overlap},
		{4, n.stall},
		{3, n.lag},
		{3, n.power},
		{3, n.disk},
		{2, n.oneWay},
		{3, n.network},
		{2, n.clocks},
		{2, n.transfer},
		{3, n.members},
		{2, n.grow},
		{1, n.wipe},
	}
}

func (n *nemesis) move() {
	moves := n.moves()
	sum := 0
	for _, m := range moves {
		sum += m.weight
	}
	at := n.r.IntN(sum)
	for _, m := range moves {
		if at -= m.weight; at < 0 {
			m.do()
			return
		}
	}
}

// between is a time, in milliseconds, of ten each.
func (n *nemesis) between(low, high int) time.Duration {
	return time.Duration((low+n.r.IntN(high-low+1))/10*10) * time.Millisecond
}

func (n *nemesis) add(f Fault) { n.all = append(n.all, f) }

func (n *nemesis) one(role Role) []Target { return []Target{{Role: role}} }

// who is mostly the leader.
func (n *nemesis) who() []Target {
	return n.one([]Role{Leader, Leader, Leader, Follower, Random}[n.r.IntN(5)])
}

// kill ends a process for a while.
func (n *nemesis) kill() {
	n.add(Fault{At: n.at, For: n.between(50, 3000), Kind: Kill, From: n.who()})
}

// killAgain lets leaders die shortly behind their election, one after the other, while messages take their time: what a leader of an
// earlier term had given to few waits in the logs, and what was committed has to outlive all of them (figure 8 of the paper).
func (n *nemesis) killAgain() {
	at := n.at
	if n.r.IntN(2) == 0 {
		n.add(Fault{At: at, For: n.between(3000, 6000), Kind: Delay, Amount: n.between(10, 100)})
	}
	if n.r.IntN(2) == 0 {
		n.add(Fault{At: at, For: n.between(3000, 6000), Kind: Partition, From: []Target{{Role: Leader}, {Role: Follower}}})
	}
	n.add(Fault{At: at, For: n.between(300, 2500), Kind: Kill, From: n.one(Leader)})
	for range 2 + n.r.IntN(4) {
		n.add(Fault{At: at, Election: 1, Behind: n.soon(), For: n.between(300, 2500), Kind: []Kind{Kill, Kill, Isolate}[n.r.IntN(3)], From: n.one(Leader)})
		at += n.between(300, 2000)
	}
}

// soon is a while behind an election: of some messages.
func (n *nemesis) soon() time.Duration {
	return time.Duration(n.r.IntN([]int{1, 6, 20, 100, 400}[n.r.IntN(5)])) * time.Millisecond
}

// storm restarts nodes in the midst of an election: what a vote was given to has to be known behind that, and a second candidate of the
// same term asks again.
func (n *nemesis) storm() {
	n.add(Fault{At: n.at, For: n.between(1500, 4000), Kind: []Kind{Kill, Isolate}[n.r.IntN(2)], From: n.one(Leader)})
	n.add(Fault{At: n.at, For: n.between(1500, 4000), Kind: Delay, Amount: n.between(20, 200)})
	for range 2 {
		n.add(Fault{At: n.at, Election: 1, Behind: n.soon(), Kind: Restart, From: n.one(Random)})
	}
	at := n.at + n.between(900, 1300)
	for range 4 + n.r.IntN(6) {
		n.add(Fault{At: at, Kind: Restart, From: n.one(Random)})
		at += n.between(10, 250)
	}
}

// cutOff takes the leader away from all others, or from all but one: it goes on for a while, and its clients ask it.
func (n *nemesis) cutOff() {
	f := Fault{At: n.late(), For: n.between(500, 4000), Kind: Isolate, From: n.one(Leader)}
	if n.r.IntN(3) == 0 {
		f.Kind, f.From = Partition, []Target{{Role: Leader}, {Role: Follower}}
	}
	n.add(f)
}

// overlap cuts the cluster in two, and in two others before that is mended.
func (n *nemesis) overlap() {
	at := n.at
	for range 2 {
		n.add(Fault{At: at, For: n.between(500, 3000), Kind: Partition, From: n.one([]Role{Minority, Majority}[n.r.IntN(2)])})
		at += n.between(100, 1500)
	}
}

// late is when a fault strikes that messages under way make worse: now, or a while behind now, from when on they take their time.
func (n *nemesis) late() time.Duration {
	if n.r.IntN(2) == 0 {
		return n.at
	}
	at := n.at + n.between(50, 600)
	slow := [][]Target{nil, n.one(Random), n.one(Leader)}[n.r.IntN(3)]
	n.add(Fault{At: n.at, For: at - n.at + n.between(0, 1000), Kind: Delay, Amount: n.between(10, 300), From: slow})
	return at
}

// stall has a leader stand still while messages are doubled and late, and longer than it takes to elect another: it wakes up with a
// lease, with questions and with answers that are old.
func (n *nemesis) stall() {
	long, at := n.between(300, 3500), n.late()
	n.add(Fault{At: at, For: long, Kind: Pause, From: n.one([]Role{Leader, Leader, Random}[n.r.IntN(3)])})
	if n.r.IntN(2) == 0 {
		n.add(Fault{At: n.at, For: long + n.between(100, 1000), Kind: Dup, Factor: 0.1 + float64(n.r.IntN(5))/10})
	}
}

// lag keeps a follower away so long that it needs a snapshot, and lets the leader change about when it comes back.
func (n *nemesis) lag() {
	long := n.between(1500, 4000)
	n.add(Fault{At: n.at, For: long, Kind: []Kind{Kill, Isolate, Pause}[n.r.IntN(3)], From: n.one(Follower)})
	n.add(Fault{At: n.at + long + n.between(0, 200), For: n.between(500, 2000), Kind: []Kind{Kill, Isolate, Restart}[n.r.IntN(3)], From: n.one(Leader)})
	if last := &n.all[len(n.all)-1]; last.Kind == Restart {
		last.For = 0
	}
}

// power takes all nodes down at once, or a majority: only what disks have is left.
func (n *nemesis) power() {
	f := Fault{At: n.at, For: n.between(50, 600), Kind: Kill, From: n.one(Majority)}
	if n.r.IntN(2) == 0 {
		f.From = []Target{{Role: Majority}, {Role: Minority}, {Role: Leader}}
	}
	n.add(f)
}

// disk makes disks slow, and ends processes in the midst of writes.
func (n *nemesis) disk() {
	for range 1 + n.r.IntN(3) {
		n.add(Fault{At: n.at, For: n.between(500, 3000), Kind: SlowDisk, From: n.one(Random), Amount: n.between(10, 400)})
	}
	for range 1 + n.r.IntN(2) {
		n.add(Fault{At: n.at + n.between(50, 1000), For: n.between(50, 1500), Kind: TornFsync, From: n.who()})
	}
}

// oneWay lets a node speak and not hear, or the other way round.
func (n *nemesis) oneWay() {
	f := Fault{At: n.at, For: n.between(500, 3000), Kind: OneWay, From: n.one(Leader), To: n.one([]Role{Follower, Majority}[n.r.IntN(2)])}
	if n.r.IntN(2) == 0 {
		f.From, f.To = f.To, f.From
	}
	n.add(f)
}

// network makes all links bad.
func (n *nemesis) network() {
	switch long := n.between(500, 3000); n.r.IntN(3) {
	case 0:
		n.add(Fault{At: n.at, For: long, Kind: Loss, Factor: float64(1+n.r.IntN(30)) / 100})
	case 1:
		n.add(Fault{At: n.at, For: long, Kind: Dup, Factor: float64(5+n.r.IntN(50)) / 100})
	default:
		n.add(Fault{At: n.at, For: long, Kind: Delay, Amount: n.between(10, 150), From: n.one(Random)})
	}
}

// clocks lets clocks run apart.
func (n *nemesis) clocks() {
	n.add(Fault{At: n.at, For: n.between(1000, 4000), Kind: ClockDrift, From: n.who(), Factor: []float64{0.25, 0.5, 0.8, 1.25, 2, 4}[n.r.IntN(6)]})
	if n.r.IntN(2) == 0 {
		n.add(Fault{At: n.at, Kind: ClockSkew, From: n.one(Random), Amount: n.between(50, 1500)})
	}
}

// transfer has the leader hand over, perhaps while it dies.
func (n *nemesis) transfer() {
	n.add(Fault{At: n.at, Kind: Transfer})
	if n.r.IntN(2) == 0 {
		n.add(Fault{At: n.at + n.between(0, 100), For: n.between(300, 1500), Kind: Kill, From: n.one(Leader)})
	}
}
