package sshaudit

import "slices"

// burstTable finds the failures of an address. Those of one bucket are chained through
// the bursts themselves.
type burstTable struct {
	salt    salt
	buckets []*burst
	live    []*burst // all of them, in no order
}

func (t *burstTable) bucket(key hostAddr) **burst {
	return &t.buckets[t.salt.ofAddr(key)&uint64(len(t.buckets)-1)]
}

// get gives the burst of an address, nil if there is none.
func (t *burstTable) get(key hostAddr) *burst {
	if len(t.live) == 0 {
		return nil
	}
	b := *t.bucket(key)
	for b != nil && b.key != key {
		b = b.next
	}
	return b
}

// put adds a burst whose key the table does not hold.
func (t *burstTable) put(key hostAddr, b *burst) {
	b.key = key
	t.live = append(t.live, b)
	if len(t.live) > len(t.buckets) {
		t.rebuild(max(64, 2*len(t.buckets)))
		return
	}
	t.chain(b)
}

func (t *burstTable) chain(b *burst) {
	first := t.bucket(b.key)
	b.next, *first = *first, b
}

func (t *burstTable) rebuild(buckets int) {
	if buckets == len(t.buckets) {
		clear(t.buckets)
	} else {
		t.buckets = make([]*burst, buckets)
	}
	for _, b := range t.live {
		t.chain(b)
	}
}

// drop takes out what over says.
func (t *burstTable) drop(over func(*burst) bool) {
	t.live = slices.DeleteFunc(t.live, over)
	t.rebuild(len(t.buckets))
}
