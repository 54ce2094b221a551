package fault

import "time"

// relay strikes every leader behind its election, and lets the one before it come back as soon as there is another: one with entries
// that few have, or that nobody else knows to be committed, comes and goes before the others learn of them (figure 8 of the paper).
// Mostly the members change as well.
func (n *nemesis) relay(long time.Duration) {
	for range 1 + n.r.IntN(2) {
		switch n.r.IntN(6) {
		case 0:
			n.add(Fault{At: n.at, For: long, Kind: Loss, Factor: float64(10+n.r.IntN(50)) / 100})
		case 1, 2:
			n.add(Fault{At: n.at, For: long, Kind: SlowDisk, From: n.one(Majority), Amount: n.between(10, 300)})
		case 3, 4:
			n.add(Fault{At: n.at, For: long, Kind: Delay, Amount: n.between(10, 60)})
		default:
		}
	}
	if n.nodes >= 3 && n.lost == 0 && n.grown+2 <= mostGrown && n.r.IntN(3) > 0 {
		n.exchange()
	}
	if n.r.IntN(2) == 0 {
		n.outage()
	} else {
		n.struck(Fault{At: n.at + n.soon()})
	}
	for i := range 8 {
		n.struck(Fault{At: n.at, Election: i + 1, Behind: n.soon()})
	}
}

// exchange has two operators change the members: one of them now, the other as soon as there is another leader.
func (n *nemesis) exchange() {
	for election := range 2 {
		f := Fault{At: n.at, Election: election, Kind: RemoveMember, From: n.one([]Role{Follower, Follower, Random}[n.r.IntN(3)])}
		if n.r.IntN(5) == 0 {
			f.Kind, f.From = AddMember, nil
			n.grown++
		} else {
			n.lost++
		}
		n.add(f)
	}
}

// outage leaves nobody a majority for a while, and the leader alone with what it is asked for: it may be elected once more.
func (n *nemesis) outage() {
	long := n.between(1000, 3000)
	n.add(Fault{At: n.at, For: long, Kind: Isolate, From: n.one(Leader)})
	n.add(Fault{At: n.at, For: long, Kind: Kill, From: n.one(Minority)})
}

// struck takes the leader from the others, or from all but one, until there is another.
func (n *nemesis) struck(f Fault) {
	f.For, f.Until, f.From = n.between(2000, 5000), true, n.one(Leader)
	if n.r.IntN(4) == 0 {
		f.From = append(f.From, Target{Role: Follower})
	}
	f.Kind = []Kind{Isolate, Partition, OneWay, OneWay, OneWay, Kill}[n.r.IntN(6)]
	if f.Kind == Kill || f.Kind == Isolate {
		f.From = f.From[:1]
	}
	n.add(f)
}
