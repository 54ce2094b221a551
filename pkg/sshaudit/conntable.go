package sshaudit

// connTable holds the open connections of a host. Those of one bucket are chained through
// the connections themselves.
type connTable struct {
	salt    salt
	buckets []*conn
	live    []*conn // all of them, in no order
}

func (t *connTable) bucket(key connKey) int {
	return int(t.salt.spread(uint64(key)) & uint64(len(t.buckets)-1))
}

// get gives the connection of a key, nil if there is none.
func (t *connTable) get(key connKey) *conn {
	if len(t.live) == 0 {
		return nil
	}
	c := t.buckets[t.bucket(key)]
	for c != nil && c.key != key {
		c = c.next
	}
	return c
}

// put adds a connection whose key the table does not hold.
func (t *connTable) put(c *conn) {
	if len(t.live) == len(t.buckets) {
		t.grow()
	}
	c.place = len(t.live)
	t.live = append(t.live, c)
	t.chain(c)
}

func (t *connTable) chain(c *conn) {
	first := &t.buckets[t.bucket(c.key)]
	c.next, *first = *first, c
}

func (t *connTable) grow() {
	t.buckets = make([]*conn, max(64, 2*len(t.buckets)))
	for _, c := range t.live {
		t.chain(c)
	}
}

// remove takes a connection out that the table holds.
func (t *connTable) remove(c *conn) {
	link := &t.buckets[t.bucket(c.key)]
	for *link != c {
		link = &(*link).next
	}
	*link, c.next = c.next, nil
	last := len(t.live) - 1
	t.live[c.place] = t.live[last]
	t.live[c.place].place = c.place
	t.live[last] = nil
	t.live = t.live[:last]
}
