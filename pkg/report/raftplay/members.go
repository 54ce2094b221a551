package raftplay

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// Roles as recordings name them.
const (
	follower     = "follower"
	preCandidate = "pre-candidate"
	candidate    = "candidate"
	leader       = "leader"
	learner      = "learner"
)

// member is a node, and what it is at a moment of the recording.
type member struct {
	trace.Node
	role       string
	term       uint64
	in         bool // a member
	up, paused bool
}

// members are all nodes of a recording, in the order of their ids, as they are when it begins.
func members(rec *trace.Recording) []member {
	all := map[uint64]*member{}
	for _, n := range rec.Nodes {
		n.Name = inert.String(cmp.Or(n.Name, name(n.ID)))
		all[n.ID] = &member{Node: n, in: true, up: true, role: follower}
	}
	for i := range rec.Events {
		e := &rec.Events[i]
		if e.Node == 0 || all[e.Node] != nil && e.Kind != trace.Join {
			continue
		}
		if all[e.Node] == nil {
			all[e.Node] = &member{Node: trace.Node{ID: e.Node, Name: name(e.Node)}, role: follower}
		}
		// A node that joins later is no member before that, and does not run.
		all[e.Node].in, all[e.Node].up = e.Kind != trace.Join, e.Kind != trace.Join
	}
	sorted := make([]member, 0, len(all))
	for _, m := range all {
		sorted = append(sorted, *m)
	}
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].ID < sorted[j].ID })
	return sorted
}

// place is where a node stands in members; -1 for none.
func place(all []member, id uint64) int {
	at, found := slices.BinarySearchFunc(all, id, func(m member, id uint64) int { return cmp.Compare(m.ID, id) })
	if !found {
		return -1
	}
	return at
}

// apply makes of a member what it is after an event of its own.
func (m *member) apply(e *trace.Event) {
	switch e.Kind {
	case trace.Role:
		m.role, m.term = e.Text, e.Term
	case trace.Crash:
		m.up, m.paused, m.role = false, false, follower
	case trace.Restart:
		m.up = true
	case trace.Pause:
		m.paused = true
	case trace.Resume:
		m.paused = false
	case trace.Join:
		m.in, m.up = true, true
	case trace.Leave:
		m.in, m.up, m.role = false, false, follower
	}
}

func name(id uint64) string { return "n" + strconv.FormatUint(id, 10) }

// list joins names as people do.
func list(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
