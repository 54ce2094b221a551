package sshaudit

import "iter"

// burstTable finds the failures of an address. Open addressing with linear probing; the
// keys stand in the slots.
type burstTable struct {
	salt  salt
	slots []burstSlot
	n     int
}

type burstSlot struct {
	key  hostAddr
	elem *burst // nil in an empty slot
}

func (t *burstTable) home(key hostAddr) int { return int(t.salt.ofAddr(key) & uint64(len(t.slots)-1)) }

// get gives the element of a key, nil if there is none.
func (t *burstTable) get(key hostAddr) *burst {
	if t.n == 0 {
		return nil
	}
	for i := t.home(key); t.slots[i].elem != nil; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == key {
			return t.slots[i].elem
		}
	}
	return nil
}

// put adds an element, in place of the one of its key.
func (t *burstTable) put(key hostAddr, elem *burst) {
	if 2*(t.n+1) > len(t.slots) {
		t.grow()
	}
	i := t.home(key)
	for ; t.slots[i].elem != nil; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == key {
			t.slots[i].elem = elem
			return
		}
	}
	t.slots[i] = burstSlot{key, elem}
	t.n++
}

func (t *burstTable) grow() {
	old := t.slots
	t.slots, t.n = make([]burstSlot, max(64, 2*len(old))), 0
	for _, s := range old {
		if s.elem != nil {
			t.put(s.key, s.elem)
		}
	}
}

// remove takes a key out and closes the gap that it leaves (Knuth, vol. 3, 6.4,
// algorithm R).
func (t *burstTable) remove(key hostAddr) {
	if t.n == 0 {
		return
	}
	mask := len(t.slots) - 1
	i := t.home(key)
	for ; t.slots[i].elem == nil || t.slots[i].key != key; i = (i + 1) & mask {
		if t.slots[i].elem == nil {
			return
		}
	}
	t.n--
	for j := i; ; {
		t.slots[i] = burstSlot{}
		for {
			j = (j + 1) & mask
			if t.slots[j].elem == nil {
				return
			}
			if home := t.home(t.slots[j].key); (j-home)&mask >= (j-i)&mask {
				break
			}
		}
		t.slots[i], i = t.slots[j], j
	}
}

// all gives what the table holds, in no order. The table may change meanwhile: what is
// given is a copy.
func (t *burstTable) all() iter.Seq2[hostAddr, *burst] {
	list := make([]burstSlot, 0, t.n)
	for _, s := range t.slots {
		if s.elem != nil {
			list = append(list, s)
		}
	}
	return func(yield func(hostAddr, *burst) bool) {
		for _, s := range list {
			if !yield(s.key, s.elem) {
				return
			}
		}
	}
}
