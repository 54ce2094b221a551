package fault

// members changes the members while leaders change: two changes of which none is committed yet, at two leaders, may make two majorities
// that have no node in common (Ongaro, bug in single-server membership changes, raft-dev, 2015).
func (n *nemesis) members() {
	if n.lost >= 2 || n.grown >= mostGrown {
		n.kill()
		return
	}
	n.grown++
	n.add(Fault{At: n.at, Kind: AddMember})
	if n.nodes >= 3 && n.r.IntN(3) > 0 {
		n.lost++
		n.add(Fault{At: n.at + n.between(0, 400), Kind: RemoveMember, From: n.one(Random)})
	}
	at := n.at + n.between(0, 100)
	for range 1 + n.r.IntN(3) {
		f := Fault{At: at, For: n.between(1000, 3500), Kind: []Kind{Isolate, Kill, Partition}[n.r.IntN(3)], From: n.one(Leader)}
		if f.Kind == Partition {
			f.From = append(f.From, Target{Role: Follower})
		}
		n.add(f)
		at += n.between(0, 500)
		n.add(Fault{At: at, Election: 1, Behind: n.soon(), For: n.between(500, 3000), Kind: []Kind{Isolate, Kill, Pause}[n.r.IntN(3)], From: n.one(Leader)})
	}
}

// mostGrown is how many members a run adds, however long it is: a cluster of fifty is no longer what anybody runs.
const mostGrown = 8

// grow adds members until those of the beginning are no majority any more, restarts all from what they have, or who was one, and cuts
// the cluster in two: each node has to know the members of now, from its log or from a snapshot.
func (n *nemesis) grow() {
	if n.grown >= mostGrown {
		n.kill()
		return
	}
	n.grown += 2
	at := n.at
	for range 2 {
		n.add(Fault{At: at, Kind: AddMember})
		at += n.between(300, 900)
	}
	at += n.between(300, 1500)
	again, apart := n.between(50, 300), n.between(2000, 4500)
	if n.r.IntN(2) == 0 {
		former := n.former()
		n.add(Fault{At: at, For: again, Kind: Kill, From: former})
		n.add(Fault{At: at, For: apart, Kind: Partition, From: former})
		return
	}
	n.add(Fault{At: at, For: again, Kind: Kill, From: []Target{{Role: Majority}, {Role: Minority}, {Role: Leader}}})
	n.add(Fault{At: at + n.between(0, 400), For: apart, Kind: Partition, From: [][]Target{n.one(Minority), n.former()}[n.r.IntN(2)]})
}

// former are as many nodes as made a majority in the beginning.
func (n *nemesis) former() (all []Target) {
	first := n.r.IntN(n.nodes)
	for i := range n.nodes/2 + 1 {
		all = append(all, Target{Node: uint64((first+i)%n.nodes + 1)})
	}
	return all
}

// wipe loses a disk.
func (n *nemesis) wipe() {
	if n.lost >= 2 || n.nodes < 3 {
		n.kill()
		return
	}
	n.lost++
	n.add(Fault{At: n.at, Kind: Wipe, From: n.one(Random)})
}
