package sshaudit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestTheSieveLosesNoBurst counts the same failures with a sieve and without: of many
// addresses that fail seldom, and of some at rates about that of a burst. The clock is
// set back once.
func TestTheSieveLosesNoBurst(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 4))
	with, without := newPartial(DefaultGrace), newPartial(DefaultGrace)
	with.sieve = newBurstSieve()
	looks, waiting, tried := 0, 0, map[addr]bool{}
	for line := range uint32(60000) {
		now := 1_700_000_000 + line*3
		if line > 40000 {
			now -= 3600
		}
		c := &conn{addr: addr{lo: v4Mark | uint64(rng.IntN(3000))}}
		if of := line / 400; line%(20+of%60) == 0 {
			c.addr.lo = v4Mark | uint64(10000+of)
		}
		tried[c.addr] = true
		for range rng.IntN(3) + 1 {
			c.attempts = append(c.attempts, attempt{now - uint32(rng.IntN(200)), uint32(rng.IntN(2) + 1), ReasonPassword, pos{1, line + 1}})
		}
		for _, p := range []*Partial{with, without} {
			p.hosts[p.host([]byte("web01"))].see(now)
			p.addBurst(0, c)
		}
		if len(with.sieve.waiting) < waiting {
			looks++
		}
		waiting = len(with.sieve.waiting)
		if line == 40000 && (looks < 5 || len(with.bursts.live) > len(tried)/4) {
			t.Errorf("%d looks at what is old, %d of %d addresses in the table", looks, len(with.bursts.live), len(tried))
		}
	}
	with.endSieve()
	bursts := 0
	for a := range tried {
		got, want := relevant(with, a), relevant(without, a)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: %v with a sieve, %v without", a, got, want)
		}
		bursts += boolInt(want.detected != 0)
	}
	if bursts < 20 || bursts > 130 {
		t.Errorf("%d bursts of 150 addresses that try: too sharp a test, or too blunt a one", bursts)
	}
}

// relevant gives what a later part or an earlier one may ask of an address's burst.
func relevant(p *Partial, a addr) burst {
	b := p.bursts.get(hostAddr{0, a})
	if b == nil {
		return burst{}
	}
	r := burst{detected: b.detected, at: b.at}
	for _, tc := range b.times {
		if tc.time <= p.headEnd(0) || b.detected == 0 && !p.tooOld(0, tc.time) {
			r.times = append(r.times, tc)
		}
	}
	return r
}
