package sshaudit

import "slices"

// minIdle is the number of addresses below which none is forgotten.
const minIdle = 1 << 11

// burst looks for burstSize failures of one address on one host within burstSpan
// seconds. It keeps only the times that a later failure, or one of the part
// before this one, can still complete to a burst.
type burst struct {
	key      hostAddr
	next     *burst // see burstTable
	detected uint32 // time of the failure that completed the earliest burst, 0 for none
	sum      uint32 // of the counts in times
	times    []timeCount
	at       pos          // the line of the failure that completed the earliest burst
	few      [3]timeCount // holds times while they are few: most addresses fail seldom
}

// newBurst takes a burst that was dropped, or makes one.
func (p *Partial) newBurst() *burst {
	n := len(p.idle)
	if n == 0 {
		return newBurst()
	}
	b := p.idle[n-1]
	p.idle = p.idle[:n-1]
	*b = burst{times: b.times[:0]}
	return b
}

func newBurst() *burst {
	b := &burst{}
	b.times = b.few[:0]
	return b
}

// timeCount counts the failures of one second; at is the first one's line.
type timeCount struct {
	time, count uint32
	at          pos
}

// burstSlack is how much later than its time a failure may be counted: the
// grace of its connection and the sweep that closed it.
func (p *Partial) burstSlack() uint32 { return p.grace + 2*sweepEvery }

// tooOld tells whether no failure that is yet to be counted can be in a burst with one
// of time t.
func (p *Partial) tooOld(host int, t uint32) bool {
	return t+burstSpan+p.burstSlack() < p.hosts[host].to
}

// addBurst counts the failures of one connection.
func (p *Partial) addBurst(host int, c *conn) {
	key := hostAddr{host, c.addr}
	if p.sieve != nil && p.sift(key, c.attempts) {
		return
	}
	for i := range c.attempts {
		a := &c.attempts[i]
		p.tries = append(p.tries, timeCount{a.time, a.count, a.at})
	}
	p.addTries(key, p.tries...)
	p.tries = p.tries[:0]
}

// addTries adds failures of an address to the table.
func (p *Partial) addTries(key hostAddr, tries ...timeCount) {
	b := p.bursts.get(key)
	if b == nil {
		if len(p.bursts.live) >= p.sweep {
			p.dropIdle()
		}
		b = p.newBurst()
		p.bursts.put(key, b)
	}
	added := false
	for _, tc := range tries {
		if b.detected == 0 || tc.time <= b.detected {
			b.insert(tc)
			added = true
		}
	}
	if added {
		b.detect()
	}
	if len(b.times) > 0 {
		b.prune(p.headEnd(key.host), p.hosts[key.host].to, p.burstSlack())
	}
}

// headEnd is the last time whose failures may complete a burst that the part
// before this one began.
func (p *Partial) headEnd(host int) uint32 {
	return p.hosts[host].start + burstSpan + p.burstSlack()
}

// insert keeps the times sorted.
func (b *burst) insert(tc timeCount) {
	b.sum += tc.count
	i := len(b.times)
	if i == 0 || b.times[i-1].time < tc.time {
		b.times = append(b.times, tc)
		return
	}
	for i > 0 && b.times[i-1].time > tc.time {
		i--
	}
	if i > 0 && b.times[i-1].time == tc.time {
		same := &b.times[i-1]
		same.count += tc.count
		if tc.at.before(same.at) {
			same.at = tc.at
		}
		return
	}
	b.times = slices.Insert(b.times, i, tc)
}

// detect finds the earliest moment that completes a burst.
func (b *burst) detect() {
	if b.sum < burstSize {
		return
	}
	sum, from := uint32(0), 0
	for _, tc := range b.times {
		sum += tc.count
		for tc.time-b.times[from].time > burstSpan {
			sum -= b.times[from].count
			from++
		}
		if sum >= burstSize {
			b.complete(tc.time, tc.at)
			return
		}
	}
}

// complete takes a moment that completes a burst, if it is the earliest.
func (b *burst) complete(t uint32, at pos) {
	if b.detected == 0 || t < b.detected || t == b.detected && at.before(b.at) {
		b.detected, b.at = t, at
	}
}

// prune drops the times that cannot matter any more: a failure that is yet to be
// counted is at most slack older than the newest line, now, unless it is one of the
// head.
func (b *burst) prune(headEnd, now, slack uint32) {
	if b.detected == 0 && b.times[0].time+burstSpan+slack >= now {
		return
	}
	if b.detected != 0 {
		for n := len(b.times); n > 0 && b.times[n-1].time > b.detected; n-- {
			b.times = b.times[:n-1]
		}
	}
	from := 0 // the times of the head end here, and those that are too old begin
	for from < len(b.times) && b.times[from].time <= headEnd {
		from++
	}
	to := from
	for to < len(b.times) && b.times[to].time+burstSpan+slack < now {
		to++
	}
	b.times = b.times[:from+copy(b.times[from:], b.times[to:])]
	b.sum = 0
	for _, tc := range b.times {
		b.sum += tc.count
	}
	if len(b.times) == 0 {
		b.times = b.few[:0]
	}
}

// dropIdle forgets the addresses whose failures lie too far back to matter, also to the
// part before this one.
func (p *Partial) dropIdle() {
	p.bursts.drop(func(b *burst) bool {
		if b.detected != 0 {
			return false
		}
		n := len(b.times)
		idle := n == 0 || p.tooOld(b.key.host, b.times[n-1].time) && b.times[0].time > p.headEnd(b.key.host)
		if idle {
			p.idle = append(p.idle, b)
		}
		return idle
	})
	p.sweep = max(minIdle, 2*len(p.bursts.live))
}

func (p *Partial) mergeBurst(key hostAddr, o *burst) {
	b := p.bursts.get(key)
	if b == nil {
		b = newBurst()
		p.bursts.put(key, b)
	}
	if o.detected != 0 {
		b.complete(o.detected, o.at)
	}
	for _, tc := range o.times {
		b.insert(tc)
	}
	b.detect()
}
