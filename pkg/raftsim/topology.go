package raftsim

import (
	"fmt"
	"slices"
	"time"
)

// Topology is where the nodes are, and what is between them.
type Topology struct {
	Nodes []Node
	// Zones are the places of nodes; RTT is the round trip between two of them by their numbers, and within one on the diagonal.
	Zones []string
	RTT   [][]time.Duration
	// Jitter is the standard deviation of a delay as a share of it. Loss and Dup are shares of messages.
	Jitter, Loss, Dup float64
	Reorder           bool
	Retransmit        bool // what meets a cut link arrives when that is mended, as TCP has it that does not give up; else it is lost
}

// Node is a member.
type Node struct {
	Name  string // n1 and so on, where it has no other
	Zone  string
	Fsync Latency
}

// Latency is a log-normal distribution, by its median and its 99th percentile; a constant where that is not larger.
type Latency struct{ Median, P99 time.Duration }

// DefaultFsync is that of a local SSD.
func DefaultFsync() Latency { return Latency{time.Millisecond, 5 * time.Millisecond} }

// Uniform is n nodes in one zone.
func Uniform(n int, rtt time.Duration, jitter float64) Topology {
	t := Topology{Zones: []string{"local"}, RTT: [][]time.Duration{{rtt}}, Jitter: jitter}
	for i := range n {
		t.Nodes = append(t.Nodes, Node{Name: fmt.Sprintf("n%d", i+1), Zone: "local", Fsync: DefaultFsync()})
	}
	return t
}

// wrong says what is wrong with a topology that did not come from [ReadTopology], which refuses all of this; "" for nothing.
func (t *Topology) wrong() string {
	if len(t.Zones) < 1 || len(t.Zones) > maxNodes || len(t.RTT) != len(t.Zones) {
		return fmt.Sprintf("%d zones with round trips of %d", len(t.Zones), len(t.RTT))
	}
	for i, row := range t.RTT {
		if len(row) != len(t.Zones) {
			return fmt.Sprintf("zone %q has round trips to %d zones of %d", t.Zones[i], len(row), len(t.Zones))
		}
		for k, rtt := range row {
			if rtt < 0 || rtt > maxLatency {
				return fmt.Sprintf("a round trip of %v from zone %q to %q", rtt, t.Zones[i], t.Zones[k])
			}
		}
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if !slices.Contains(t.Zones, n.Zone) {
			return fmt.Sprintf("node %q is in zone %q, which is not there", n.Name, n.Zone)
		}
		if n.Fsync.Median < 0 || n.Fsync.Median > maxLatency || n.Fsync.P99 < 0 || n.Fsync.P99 > maxLatency {
			return fmt.Sprintf("an fsync of node %q takes %v, or %v", n.Name, n.Fsync.Median, n.Fsync.P99)
		}
	}
	for _, share := range []float64{t.Jitter, t.Loss, t.Dup} {
		if !(share >= 0 && share <= 1) {
			return fmt.Sprintf("jitter, loss and dup are shares from 0 to 1, and %g is none", share)
		}
	}
	return ""
}
