package sshaudit

import "slices"

// sieveBuckets is the number of a sieve's buckets: few enough to stay in the core's cache.
const sieveBuckets = 1 << 13

// burstSieve spares the table of bursts the addresses that fail seldom, which are most:
// their failures only wait, in order, until they are too old for a burst. A bucket is of
// all addresses with the same hash. Once those have failed burstSize times, what waits
// goes to the table, and so does all that follows, until the next look at what is old.
type burstSieve struct {
	buckets [sieveBuckets]sieveBucket
	waiting []waitingTry
	limit   int // of waiting, at which the old ones are dropped
}

type sieveBucket struct {
	last uint32 // number of its newest waiting failure plus one, 0 for none
	sum  uint32 // of failures since the last look, burstSize at most
}

// waitingTry is a failure that is in no burst yet; its count is 0 once it is in the table.
type waitingTry struct {
	key    hostAddr
	failed timeCount
	bucket uint32
	before uint32 // the one before it in its bucket, as sieveBucket.last
}

func newBurstSieve() *burstSieve { return &burstSieve{limit: minIdle} }

func (p *Partial) sieveBucket(key hostAddr) uint32 {
	return uint32(p.salt.ofAddr(key) % sieveBuckets)
}

// sift takes the failures of a connection, or reports that they belong to the table, as
// do those that may complete a burst of the part before this one.
func (p *Partial) sift(key hostAddr, attempts []attempt) bool {
	s, bucket := p.sieve, p.sieveBucket(key)
	b, headEnd := &s.buckets[bucket], p.headEnd(key.host)
	sum := uint64(b.sum)
	for i := range attempts {
		a := &attempts[i]
		sum += uint64(a.count)
		if a.time <= headEnd {
			sum = burstSize
		}
	}
	b.sum = uint32(min(sum, burstSize))
	if b.sum == burstSize {
		p.unsift(b)
		return false
	}
	for i := range attempts {
		a := &attempts[i]
		s.waiting = slices.Grow(s.waiting, 1)[:len(s.waiting)+1]
		w := &s.waiting[len(s.waiting)-1]
		// One by one: what was just written by parts is slow to read as a whole.
		w.key.host, w.key.addr.hi, w.key.addr.lo = key.host, key.addr.hi, key.addr.lo
		w.failed.time, w.failed.count, w.failed.at.piece, w.failed.at.line = a.time, a.count, a.at.piece, a.at.line
		w.bucket, w.before = bucket, b.last
		b.last = uint32(len(s.waiting))
	}
	if len(s.waiting) >= s.limit {
		p.siftAgain()
	}
	return true
}

// unsift gives the table what waits in a bucket.
func (p *Partial) unsift(b *sieveBucket) {
	for b.last != 0 {
		w := &p.sieve.waiting[b.last-1]
		p.addTries(w.key, w.failed)
		b.last, w.failed.count = w.before, 0
	}
}

// siftAgain drops the failures that are too old, and counts the others anew. An address
// that the table holds goes on there while what it did counts.
func (p *Partial) siftAgain() {
	s := p.sieve
	clear(s.buckets[:])
	for _, b := range p.bursts.live {
		last := b.detected
		if n := len(b.times); n > 0 {
			last = max(last, b.times[n-1].time)
		}
		if !p.tooOld(b.key.host, last) {
			s.buckets[p.sieveBucket(b.key)].sum = burstSize
		}
	}
	all := s.waiting
	s.waiting = all[:0]
	for i := range all {
		if all[i].failed.count == 0 || p.tooOld(all[i].key.host, all[i].failed.time) {
			continue
		}
		s.waiting = append(s.waiting, all[i])
		w := &s.waiting[len(s.waiting)-1]
		b := &s.buckets[w.bucket]
		w.before, b.last = b.last, uint32(len(s.waiting))
		b.sum = min(b.sum+w.failed.count, burstSize)
		if b.sum == burstSize {
			p.unsift(b)
		}
	}
	s.limit = max(minIdle, 2*len(s.waiting))
}

// endSieve gives the table all that waits: a partial is merged, and saved, without a
// sieve.
func (p *Partial) endSieve() {
	for _, w := range p.sieve.waiting {
		if w.failed.count != 0 && !p.tooOld(w.key.host, w.failed.time) {
			p.addTries(w.key, w.failed)
		}
	}
	p.sieve = nil
}
