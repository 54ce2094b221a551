package sshaudit

import "iter"

// connTable finds the open connections of a host by key: open addressing with
// linear probing, since every line of sshd looks one up.
type connTable struct {
	slots []*conn
	n     int
}

func (t *connTable) home(key connKey) int {
	return int(uint64(key) * 0x9e3779b97f4a7c15 >> 32 & uint64(len(t.slots)-1))
}

// get gives the connection of a key, nil if there is none.
func (t *connTable) get(key connKey) *conn {
	if t.n == 0 {
		return nil
	}
	for i := t.home(key); t.slots[i] != nil; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == key {
			return t.slots[i]
		}
	}
	return nil
}

// put adds a connection in place of the one of its key.
func (t *connTable) put(c *conn) {
	if 2*(t.n+1) > len(t.slots) {
		t.grow()
	}
	i := t.home(c.key)
	for ; t.slots[i] != nil; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == c.key {
			t.slots[i] = c
			return
		}
	}
	t.slots[i] = c
	t.n++
}

func (t *connTable) grow() {
	old := t.slots
	t.slots, t.n = make([]*conn, max(64, 2*len(old))), 0
	for _, c := range old {
		if c != nil {
			t.put(c)
		}
	}
}

// remove takes a key out and closes the gap that it leaves (Knuth, vol. 3, 6.4,
// algorithm R).
func (t *connTable) remove(key connKey) {
	if t.n == 0 {
		return
	}
	mask := len(t.slots) - 1
	i := t.home(key)
	for ; t.slots[i] == nil || t.slots[i].key != key; i = (i + 1) & mask {
		if t.slots[i] == nil {
			return
		}
	}
	t.n--
	for j := i; ; {
		t.slots[i] = nil
		for {
			j = (j + 1) & mask
			if t.slots[j] == nil {
				return
			}
			if home := t.home(t.slots[j].key); (j-home)&mask >= (j-i)&mask {
				break
			}
		}
		t.slots[i], i = t.slots[j], j
	}
}

// all gives the connections in no order. They may be removed while it runs: what
// is given is a copy.
func (t *connTable) all() iter.Seq[*conn] {
	list := make([]*conn, 0, t.n)
	for _, c := range t.slots {
		if c != nil {
			list = append(list, c)
		}
	}
	return func(yield func(*conn) bool) {
		for _, c := range list {
			if !yield(c) {
				return
			}
		}
	}
}
