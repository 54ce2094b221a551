package raftsim

import (
	"cmp"
	"time"
)

// zoneOf is the number of a node's zone.
func (t *Topology) zoneOf(n *Node) int {
	for i, zone := range t.Zones {
		if zone == n.Zone {
			return i
		}
	}
	return 0
}

// between is half a round trip between two zones.
func (t *Topology) between(a, b int) time.Duration { return t.RTT[a][b] / 2 }

// oneWay is how long a message takes from a node to another.
func (t *Topology) oneWay(a, b *Node) time.Duration { return t.between(t.zoneOf(a), t.zoneOf(b)) }

// electionTicks is the election timeout as the core counts it.
func (c *Config) electionTicks() int { return int(c.ElectionTimeout / c.tick()) }

// electionChoices is how many election timeouts chance has.
func (c *Config) electionChoices() int { return cmp.Or(c.ElectionChoices, c.electionTicks()) }

// longestElection is the longest of them.
func (c *Config) longestElection() time.Duration {
	return c.ElectionTimeout + time.Duration(c.electionChoices()-1)*c.tick()
}

func (c *Config) tick() time.Duration { return cmp.Or(c.Tick, c.HeartbeatInterval) }
