package sshaudit

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// rowsOf lists a table's rows in an order of their own.
func rowsOf(f *failTable) []string {
	list := []string{fmt.Sprint("level ", f.level, " totals ", f.totals)}
	for i := range f.n {
		r := f.row(i)
		list = append(list, fmt.Sprintf("%d %v/%d %q %v %d: %d %d-%d", r.host, r.addr, r.bits, f.user(r), r.reason, r.collapsed, r.count, r.first, r.last))
	}
	slices.Sort(list)
	return list
}

// attack makes failures of some shape, the same for the same seed.
func attack(rng *rand.Rand, n, addresses, names, known int) []failKey {
	list := make([]failKey, n)
	for i := range list {
		k := failKey{failID: failID{
			host: uint32(rng.IntN(3)), reason: ReasonInvalidUser, addr: addr{lo: v4Mark | uint64(rng.IntN(addresses))*257},
		}}
		switch {
		case rng.IntN(3) == 0:
			k.reason, k.user = ReasonPassword, fmt.Appendf(nil, "known%d", rng.IntN(known))
		default:
			k.user = fmt.Appendf(nil, "n%d", rng.IntN(names))
		}
		if rng.IntN(20) == 0 {
			k.addr = addr{hi: 0x20010db800000000 + uint64(rng.IntN(addresses))<<16, lo: uint64(rng.IntN(9))}
		}
		list[i] = k
	}
	return list
}

func TestRowsDoNotDependOnTheOrderOfFailures(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	levels := map[int]bool{}
	for _, shape := range [][4]int{
		{3000, 40, 3, 2}, {3000, 20, 5000, 2}, {3000, 100, 50, 900}, {3000, 900, 3, 2}, {3000, 60000, 3, 2}, {30000, 16 << 20 / 257, 3, 2},
	} {
		list := attack(rng, shape[0], shape[1], shape[2], shape[3])
		table := func(order []failKey, cuts int) *failTable {
			all := newFailTable(maphash.MakeSeed())
			all.limit = 500
			for part := range slices.Chunk(order, max(len(order)/cuts, 1)) {
				f := newFailTable(maphash.MakeSeed())
				f.limit = 500
				for i, k := range part {
					f.add(k, uint64(len(k.user)), uint32(i%7), uint32(i%7))
				}
				all.merge(f, []int{0, 1, 2})
			}
			return all
		}
		first := table(list, 1)
		levels[first.level] = true
		if first.n > 500 && first.level < coarsest {
			t.Errorf("%d rows at level %d", first.n, first.level)
		}
		total := uint64(0)
		for _, k := range list {
			total += uint64(len(k.user))
		}
		sum := uint64(0)
		for i := range first.n {
			sum += first.row(i).count
		}
		if sum != total {
			t.Errorf("the rows sum to %d, not %d", sum, total)
		}
		for range 3 {
			rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			other := table(list, 1+rng.IntN(9))
			if other.level != first.level || other.totals != first.totals || other.n != first.n {
				t.Fatalf("level %d with %d rows, or %d with %d", first.level, first.n, other.level, other.n)
			}
		}
	}
	if len(levels) < 3 {
		t.Errorf("the shapes reach only the levels %v", levels)
	}
}

func TestALogOfFailuresSaysTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := newPartial(DefaultGrace)
	for i := range 3 {
		p.addHost(fmt.Sprint("h", i))
	}
	shared := newSpill(p)
	shared.serve(p)
	whole := newFailTable(p.seed)
	for i, k := range attack(rng, 60_000, 5000, 5000, 9) {
		whole.add(k, 1, uint32(i), uint32(i))
		p.fail(&k, 1, uint32(i), uint32(i))
	}
	if shared.p.fails.n == 0 {
		t.Fatal("nothing was passed on before the end")
	}
	shared.into(p)
	if a, b := rowsOf(whole), rowsOf(p.fails); !slices.Equal(a, b) || whole.totals != p.fails.totals {
		t.Errorf("%d rows, %d by way of a log", len(a), len(b))
	}
}

func TestTablesKeepWhatAMapWould(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	conns, wantConns := connTable{salt: salt(seed)}, map[connKey]*conn{}
	bursts, wantBursts := burstTable{salt: salt(seed)}, map[hostAddr]*burst{}
	for range 200_000 {
		key := keyOf(uint32(rng.IntN(40)), uint16(rng.IntN(40)))
		c := conns.get(key)
		if c != wantConns[key] {
			t.Fatalf("key %d: %p, %p wanted", key, c, wantConns[key])
		}
		peer := hostAddr{rng.IntN(3), addr{0, uint64(rng.IntN(600))}}
		b := bursts.get(peer)
		if b != wantBursts[peer] {
			t.Fatalf("peer %v: %p, %p wanted", peer, b, wantBursts[peer])
		}
		if rng.IntN(2) == 0 {
			if c != nil {
				conns.remove(c)
			}
			delete(wantConns, key)
			if rng.IntN(1000) == 0 {
				bursts.drop(func(b *burst) bool { return b.key.addr.lo < 300 })
				maps.DeleteFunc(wantBursts, func(k hostAddr, _ *burst) bool { return k.addr.lo < 300 })
			}
			continue
		}
		if c == nil {
			wantConns[key] = &conn{key: key}
			conns.put(wantConns[key])
		}
		if b == nil {
			wantBursts[peer] = newBurst()
			bursts.put(peer, wantBursts[peer])
		}
	}
	if len(conns.live) != len(wantConns) || len(bursts.live) != len(wantBursts) {
		t.Errorf("%d connections, %d wanted; %d bursts, %d wanted", len(conns.live), len(wantConns), len(bursts.live), len(wantBursts))
	}
}
