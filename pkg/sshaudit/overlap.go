package sshaudit

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"maps"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// overlap finds the lines that were read before: files that share some (copies,
// rotation by copytruncate), and lines that a saved partial holds already. Files
// are read in the order of their first lines; a line of the earlier file
// counts, the same line of the later one does not.
//
// Files that meet within one second do not overlap: two like lines in one second
// are two events.
type overlap struct {
	seed maphash.Seed
	// active tells that the file at hand may repeat lines. It is then read as
	// one piece, so that the same lines count in every run.
	active bool
	// keepFrom is the time from which a later file may repeat this one's lines;
	// 0 for never.
	keepFrom int64
	hosts    map[string]bool // those of the later files: no other's lines repeat
	kept     []uint64
	keptTo   int64
	// earlier holds how often the files before had each line up to earlierTo.
	earlier   map[uint64]uint32
	earlierTo int64
	// spans holds, by host, what saved partials cover.
	spans map[string][]span
	// watches tells a view that there is anything to look for.
	watches bool
	buf     []byte
}

// span is a stretch that a saved partial holds. Of its edges the lines are known by
// their hashes, and how often each may still be met.
type span struct {
	from, to int64
	edges    map[uint64]uint32
}

func newSpan(r stretch) span {
	s := span{int64(r.from), int64(r.to), map[uint64]uint32{}}
	for _, e := range r.edges {
		s.edges[e.hash]++
	}
	return s
}

// clashes tells whether a stretch holds lines of the span: the same time, but for the
// seconds by which lines come in late.
func (s span) clashes(r stretch) bool {
	from, to := int64(r.from), int64(r.to)
	if from == s.from && to == s.to && maps.Equal(s.edges, newSpan(r).edges) {
		return true
	}
	return min(to, s.to)-max(from, s.from) > edgeSpan
}

// stableHash is the same in every run: it goes into saved partials.
func stableHash(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// begin prepares for a file whose first line is of time first and whose
// successor's is of time next, 0 for none.
func (o *overlap) begin(first, next int64) {
	o.keepFrom = next
	o.active = len(o.earlier) > 0 && first < o.earlierTo
	for _, spans := range o.spans {
		for _, s := range spans {
			o.active = o.active || first <= s.to
		}
	}
}

// view is the overlap of one piece: it reads what earlier files had.
func (o *overlap) view() *overlap {
	v := &overlap{seed: o.seed, keepFrom: o.keepFrom, hosts: o.hosts, watches: o.active || o.keepFrom != 0}
	if !o.active {
		return v
	}
	v.active, v.earlierTo, v.earlier = true, o.earlierTo, maps.Clone(o.earlier)
	v.spans = map[string][]span{}
	for name, spans := range o.spans {
		for _, s := range spans {
			s.edges = maps.Clone(s.edges)
			v.spans[name] = append(v.spans[name], s)
		}
	}
	return v
}

// take keeps what the views of a file, appended to one, have found.
func (o *overlap) take(r *result) {
	v := r.overlap
	if o.active {
		o.earlier, o.spans = v.earlier, v.spans
	}
	for _, key := range v.kept {
		if o.earlier == nil {
			o.earlier = map[uint64]uint32{}
		}
		o.earlier[key]++
	}
	o.earlierTo = max(o.earlierTo, v.keptTo)
}

// append adds what the next piece's view kept.
func (o *overlap) append(v *overlap) {
	o.kept = append(o.kept, v.kept...)
	o.keptTo = max(o.keptTo, v.keptTo)
}

// repeats tells whether a line was read before.
func (o *overlap) repeats(h *authlog.Header) bool {
	drop := o.active && h.Time <= o.earlierTo
	keep := o.keepFrom != 0 && h.Time >= o.keepFrom && o.hosts[string(h.Host)]
	if o.active && o.inSpan(h) {
		return true
	}
	if !drop && !keep {
		return false
	}
	o.buf = lineKey(o.buf[:0], h)
	key := maphash.Bytes(o.seed, o.buf)
	drop = drop && o.earlier[key] > 0
	if drop {
		o.earlier[key]--
	}
	if keep {
		o.kept = append(o.kept, key)
		o.keptTo = max(o.keptTo, h.Time)
	}
	return drop
}

// inSpan tells whether a saved partial holds the line.
func (o *overlap) inSpan(h *authlog.Header) bool {
	spans := o.spans[string(h.Host)]
	for _, s := range spans {
		switch {
		case h.Time < s.from || h.Time > s.to:
		case h.Time != s.from && h.Time+edgeSpan < s.to:
			return true
		case o.strike(s.edges, h):
			return true
		}
	}
	return false
}

// strike takes a line off those that may still be met.
func (o *overlap) strike(edges map[uint64]uint32, h *authlog.Header) bool {
	o.buf = lineKey(o.buf[:0], h)
	hash := stableHash(o.buf)
	if edges[hash] == 0 {
		return false
	}
	edges[hash]--
	return true
}

// lineKey composes what makes two lines the same, whatever their framing.
func lineKey(b []byte, h *authlog.Header) []byte {
	b = time.Unix(h.Time, 0).UTC().AppendFormat(b, time.RFC3339)
	b = append(b, ' ')
	b = append(b, h.Host...)
	b = append(b, ' ', byte(h.PID>>24), byte(h.PID>>16), byte(h.PID>>8), byte(h.PID), ' ')
	return append(b, h.Msg...)
}
