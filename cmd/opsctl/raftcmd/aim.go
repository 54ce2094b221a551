package raftcmd

import (
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// aimed refuses faults that people asked for and that would do nothing: of a node or a zone that there never is. What comes too late is
// said, since a schedule may be for longer runs. joins says that a nemesis adds nodes of its own.
func aimed(env *cli.Env, c *raftsim.Config, joins bool) error {
	last := uint64(len(c.Topology.Nodes))
	for i := range c.Faults {
		switch c.Faults[i].Kind {
		case fault.AddMember:
			last++
		case fault.Wipe: // of all, perhaps, each with another in its place
			last += uint64(len(c.Topology.Nodes))
		}
	}
	for i := range c.Faults {
		f := &c.Faults[i]
		for _, t := range slices.Concat(f.From, f.To) {
			switch {
			case t.Node > last && !joins:
				return cli.Usagef("%q: there is no n%d; the cluster begins with n1 to n%d", f, t.Node, len(c.Topology.Nodes))
			case t.Zone != "" && t.Zone != fault.LeadersZone && !slices.Contains(c.Topology.Zones, t.Zone):
				return cli.Usagef("%q: there is no zone %s; there are %s", f, t.Zone, strings.Join(c.Topology.Zones, ", "))
			}
		}
		if f.At > c.Duration {
			say(env, "%q does nothing: the run ends at %v", f, c.Duration)
		}
	}
	return nil
}
