// Package raftsim runs clusters of a real consensus core in virtual time: with a network, disks and clocks that are simulated, faults
// that are done to them, and invariants that are watched. A run follows from its [Config] alone.
package raftsim

import (
	"fmt"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// Profile is how a node orders its disk, its messages and its machine.
type Profile string

// Profiles.
const (
	// Etcd has plain Ready: a leader sends before its own fsync, the others after (server/etcdserver/raft.go).
	Etcd Profile = "etcd"
	// Async has AsyncStorageWrites: what does not depend on the disk does not wait for it.
	Async Profile = "async"
	// AsyncSafe is Async in which a candidate asks for votes only when its own is on the disk: see docs/raft.md.
	AsyncSafe Profile = "async-safe"
)

// Reads says how a read is made to see all writes before it.
type Reads string

// Ways of reading.
const (
	// ReadIndex asks a majority whether the leader still is one.
	ReadIndex Reads = "index"
	// ReadLease trusts that clocks run alike: a leader that a majority has answered within the election timeout answers by itself.
	ReadLease Reads = "lease"
)

// Config is all that a run depends on: equal ones give equal runs.
type Config struct {
	Seed     uint64
	Topology Topology
	// HeartbeatInterval and ElectionTimeout are multiples of Tick; 0 is the heartbeat interval, as in etcd.
	HeartbeatInterval, ElectionTimeout, Tick time.Duration
	// ElectionChoices are the election timeouts that chance has, a tick apart, of which ElectionTimeout is the shortest; 1 leaves nothing
	// to chance, and 0 is what the core has: as many as ElectionTimeout has ticks.
	ElectionChoices      int
	PreVote, CheckQuorum bool
	Profile              Profile
	Reads                Reads
	// Clients ask for Rate operations a second, all together, half of them reads, on Keys keys.
	Clients, Keys int
	Rate          float64
	RoundRobin    bool // clients ask another node for each operation, as etcd's does that knows several endpoints
	// SnapshotEntries are applied between two snapshots of a node's machine; the log keeps SnapshotKeep of those before one.
	SnapshotEntries, SnapshotKeep uint64
	MaxMessage                    uint64 // bytes of entries in a message; 0 for etcd's 1 MiB
	Duration                      time.Duration
	Faults                        []fault.Fault
	// Record is how many events are kept for views; 0 for none.
	Record int
	// UntilRecovered ends the run before Duration, once there was a fault, a leader leads again and a client was answered.
	UntilRecovered bool
}

// Default is etcd as it comes: five nodes in one place.
func Default() Config {
	return Config{
		Seed: 1, Topology: Uniform(5, time.Millisecond, 0.1), HeartbeatInterval: 100 * time.Millisecond, ElectionTimeout: time.Second,
		PreVote: true, CheckQuorum: true, Profile: Etcd, Reads: ReadIndex, Clients: 3, Keys: 16, Rate: 100,
		SnapshotEntries: 10_000, SnapshotKeep: 5_000, Duration: time.Minute,
	}
}

// A ConfigError is a setting that makes no run; Flag is the setting's name on a command line, Fix what to do.
type ConfigError struct{ Setting, Reason, Fix string }

func (e *ConfigError) Error() string { return fmt.Sprintf("%s: %s", e.Setting, e.Reason) }

// limits of what is simulated.
const (
	maxNodes   = 99
	maxClients = 1000
	maxKeys    = 1_000_000   // every machine has all of them
	maxRate    = 1_000_000.0 // faster ones would be at the same time
	minTick    = time.Millisecond
	maxTimer   = time.Hour // etcd takes 50s
)

// Check returns a *ConfigError for the first setting that makes no run.
func (c *Config) Check() error {
	bad := func(setting, fix, format string, args ...any) error {
		return &ConfigError{setting, fmt.Sprintf(format, args...), fix}
	}
	switch n := len(c.Topology.Nodes); {
	case n < 1:
		return bad("nodes", "use an odd number of nodes, such as 3 or 5", "a cluster has at least one node, not %d", n)
	case n > maxNodes:
		return bad("nodes", "real clusters have 3, 5 or 7 nodes", "%d nodes are more than %d", n, maxNodes)
	case c.Topology.wrong() != "":
		return bad("topology", "see docs/raft.md for what one has", "%s", c.Topology.wrong())
	case c.HeartbeatInterval < minTick:
		return bad("heartbeat-interval", "etcd's default is 100ms", "%v is shorter than %v", c.HeartbeatInterval, minTick)
	case c.ElectionTimeout > maxTimer:
		return bad("election-timeout", "etcd's default is 1s", "%v is longer than %v", c.ElectionTimeout, maxTimer)
	case c.HeartbeatInterval > maxTimer:
		return bad("heartbeat-interval", "etcd's default is 100ms", "%v is longer than %v", c.HeartbeatInterval, maxTimer)
	case c.ElectionTimeout < 2*c.HeartbeatInterval:
		return bad("election-timeout", fmt.Sprintf("use ten times the heartbeat interval, %v; etcd wants at least five times", 10*c.HeartbeatInterval),
			"%v is not even twice the heartbeat interval, %v: a follower would give its leader up between two heartbeats", c.ElectionTimeout, c.HeartbeatInterval)
	case c.Tick < 0 || c.Tick > 0 && (c.Tick < minTick || c.HeartbeatInterval%c.Tick != 0):
		return bad("tick", "leave it out: it is the heartbeat interval then", "%v is no %v or more of which the heartbeat interval, %v, is a multiple", c.Tick, minTick, c.HeartbeatInterval)
	case c.ElectionTimeout%c.tick() != 0:
		return bad("election-timeout", fmt.Sprintf("use %v", c.ElectionTimeout-c.ElectionTimeout%c.tick()),
			"%v is no multiple of %v, the tick that it is counted in", c.ElectionTimeout, c.tick())
	case c.ElectionChoices < 0 || c.ElectionChoices > c.electionTicks():
		return bad("election-choices", fmt.Sprintf("use up to %d", c.electionTicks()), "%d timeouts are not from 1 to the %d ticks that the election timeout has", c.ElectionChoices, c.electionTicks())
	case !slices.Contains([]Profile{Etcd, Async, AsyncSafe}, c.Profile):
		return bad("profile", "use etcd, async or async-safe", "there is no profile %q", c.Profile)
	case c.Reads != ReadIndex && c.Reads != ReadLease:
		return bad("reads", "use index or lease", "there is no way of reading %q", c.Reads)
	case c.Reads == ReadLease && !c.CheckQuorum:
		return bad("reads", "leave --check-quorum on", "reads by lease need a leader that steps down without a majority")
	case c.Clients < 0 || c.Clients > maxClients:
		return bad("clients", "use 0 for none", "%d clients are not from 0 to %d", c.Clients, maxClients)
	case !(c.Rate >= 0 && c.Rate <= maxRate):
		return bad("rate", "use 100", "%g operations a second are not from 0 to %d", c.Rate, int(maxRate))
	case c.Clients > 0 && c.Rate == 0:
		return bad("rate", "use --clients 0 for a cluster without clients", "%g operations a second are none", c.Rate)
	case c.Keys < 0 || c.Keys > maxKeys:
		return bad("keys", "use 16", "%d keys are not from 0 to %d", c.Keys, maxKeys)
	case c.Keys < 1 && c.Clients > 0:
		return bad("keys", "use 16", "clients need at least one key")
	case c.Duration <= 0:
		return bad("duration", "use 60s", "%v is no time", c.Duration)
	case c.SnapshotEntries < 1:
		return bad("snapshot-entries", "etcd's default is 10000", "a snapshot after no entries")
	}
	return nil
}
