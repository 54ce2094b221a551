package sshaudit

import "slices"

// edgeSpan is how long, in seconds, before the end of a stretch its lines are known one
// by one: a late line may still come in there.
const edgeSpan = 60

// stretch is the time of one host that was read without a hole: a file's, or that of
// files which share lines. What lies between two stretches was not read.
type stretch struct {
	from, to uint32
	// edges holds the lines of the first second and of the last edgeSpan.
	edges []edge
}

type edge struct {
	time uint32
	hash uint64 // see stableHash
}

// add extends the stretch by a line.
func (s *stretch) add(e edge) {
	s.from, s.to = min(s.from, e.time), max(s.to, e.time)
	if !s.isEdge(e.time) {
		return
	}
	s.edges = append(s.edges, e)
	if n := len(s.edges); n >= 1024 && n&(n-1) == 0 {
		s.prune()
	}
}

func (s *stretch) isEdge(t uint32) bool { return t == s.from || t+edgeSpan >= s.to }

func (s *stretch) prune() {
	s.edges = slices.DeleteFunc(s.edges, func(e edge) bool { return !s.isEdge(e.time) })
}

// join extends the stretch by another.
func (s *stretch) join(o stretch) {
	s.from, s.to = min(s.from, o.from), max(s.to, o.to)
	s.edges = append(s.edges, o.edges...)
	s.prune()
}

// line adds a line to the stretch that is being read.
func (h *hostPart) line(e edge) {
	if len(h.read) == 0 {
		h.read = append(h.read, stretch{from: e.time, to: e.time})
	}
	h.read[len(h.read)-1].add(e)
}

// extend appends the stretches of a later part. apart tells that it is of another
// file, which shares no line with those before.
func (h *hostPart) extend(read []stretch, apart bool) {
	for i, s := range read {
		last := len(h.read) - 1
		if last >= 0 && (!apart && i == 0 || s.from <= h.read[last].to && s.to >= h.read[last].from) {
			h.read[last].join(s)
			continue
		}
		h.read = append(h.read, s)
	}
}
