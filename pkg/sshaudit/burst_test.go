package sshaudit

import "testing"

// TestABurstOverACutOutlastsIdleness cuts a burst in two: its second half must not be
// forgotten when the same address has failed once more, much later, and many others since.
func TestABurstOverACutOutlastsIdleness(t *testing.T) {
	const cut = 1_700_000_000
	fail := func(p *Partial, at uint32, address uint64) {
		p.hosts[p.host([]byte("web01"))].see(at)
		c := &conn{addr: addr{lo: v4Mark | address}, attempts: []attempt{{at, 1, ReasonPassword, pos{1, at - cut + 1000}}}}
		p.addBurst(0, c)
	}
	left, right := newPartial(DefaultGrace), newPartial(DefaultGrace)
	for i := range uint32(burstSize / 2) {
		fail(left, cut-10*i, 1)
		fail(right, cut+10*i, 1)
	}
	fail(right, cut+3600, 1)
	for i := range uint32(4 * minIdle) {
		fail(right, cut+2*3600+i*60, 1000+uint64(i))
	}
	left.pieces.add(&piece{file: "log", first: true})
	right.pieces = left.pieces
	left.merge(right)
	b := left.bursts.get(hostAddr{0, addr{lo: v4Mark | 1}})
	if b == nil || b.detected != cut+10*(burstSize/2-1) {
		t.Errorf("the burst is %+v", b)
	}
}
