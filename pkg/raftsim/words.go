package raftsim

import (
	"strings"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// describe is a fault with the nodes that it was resolved to.
func (c *cluster) describe(r *running) string {
	names := func(nodes []*node) string {
		all := make([]string, len(nodes))
		for i, n := range nodes {
			all[i] = c.name(n.id)
		}
		return strings.Join(all, ",")
	}
	text := string(r.fault.Kind)
	switch kind := r.fault.Kind; {
	case kind == fault.AddMember, kind == fault.Transfer && len(r.fault.To) == 0:
		return text
	case kind == fault.Transfer:
		return text + " to " + names(r.to)
	case len(r.fault.From) == 0:
		return text + " all"
	case kind == fault.Partition:
		return text + " " + names(r.from) + " | " + names(r.to)
	case kind == fault.OneWay, kind == fault.Delay, kind == fault.Loss, kind == fault.Dup:
		return text + " " + names(r.from) + " -> " + names(r.to)
	default:
		return text + " " + names(r.from)
	}
}

func (c *cluster) name(id uint64) string { return c.cfg.NodeName(id) }
