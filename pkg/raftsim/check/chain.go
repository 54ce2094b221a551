package check

// mix is the sum of a log from the sum of what is before its last entry.
func mix(before, term, sum uint64) uint64 {
	h := (before ^ term*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	h = (h ^ h>>33 ^ sum) * 0xc4ceb9fe1a85ec53
	return h ^ h>>29
}

// chains are the sums of a log at its places, from first on.
type chains struct {
	first  uint64
	before uint64 // at first-1
	sums   []uint64
}

func (c *chains) last() uint64 {
	if c.first == 0 {
		return 0
	}
	return c.first + uint64(len(c.sums)) - 1
}

// find is the sum at a place; ok is false for one that is not there.
func (c *chains) find(index uint64) (sum uint64, ok bool) {
	if index+1 < c.first || index > c.last() || c.first == 0 {
		return 0, false
	}
	return c.at(index), true
}

// at is find of a place that is there.
func (c *chains) at(index uint64) uint64 {
	if index+1 == c.first {
		return c.before
	}
	return c.sums[index-c.first]
}

// cut takes away what is from a place on.
func (c *chains) cut(from uint64) {
	if from <= c.last() {
		c.sums = c.sums[:from-c.first]
	}
}

// compact takes away what is up to a place.
func (c *chains) compact(through uint64) {
	if through < c.first || through > c.last() {
		return
	}
	c.before = c.at(through)
	c.sums = append(c.sums[:0], c.sums[through-c.first+1:]...)
	c.first = through + 1
}

// history are the sums that logs had at a place, by the term of its entry: mostly one.
type history struct {
	base  uint64
	sides [][]side
}

type side struct{ term, chain uint64 }

// add is false where the place had another sum with that term.
func (h *history) add(index, term, chain uint64) bool {
	if index < h.base {
		return true
	}
	for uint64(len(h.sides)) <= index-h.base {
		h.sides = append(h.sides, nil)
	}
	at := &h.sides[index-h.base]
	for _, s := range *at {
		if s.term == term {
			return s.chain == chain
		}
	}
	*at = append(*at, side{term, chain})
	return true
}

// forget takes away what is up to a place. It does so rarely: what is kept moves.
func (h *history) forget(through uint64) {
	const enough = 1024
	if through < h.base+enough {
		return
	}
	n := min(through+1-h.base, uint64(len(h.sides)))
	h.sides = append([][]side(nil), h.sides[n:]...)
	h.base += n
}
