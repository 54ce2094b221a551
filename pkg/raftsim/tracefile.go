package raftsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// Trace is a run that can be repeated: all that it depends on, the sum of its events, and what was found.
type Trace struct {
	Config    Config
	Core      string // the module that was simulated, of a trace that was read
	Hash      string
	Violation *ViolationReport // nil where nothing was found
}

// traceFile is a Trace as it is written: texts that people can read and change, durations as Go has them.
type traceFile struct {
	APIVersion        string           `json:"apiVersion"`
	Kind              string           `json:"kind"`
	Core              string           `json:"core"` // the module that was simulated
	Hash              string           `json:"hash"`
	Violation         *ViolationReport `json:"violation,omitempty"`
	Seed              uint64           `json:"seed"`
	Duration          duration         `json:"duration"`
	HeartbeatInterval duration         `json:"heartbeatInterval"`
	ElectionTimeout   duration         `json:"electionTimeout"`
	Tick              duration         `json:"tick,omitzero"`            // 0: the heartbeat interval
	ElectionChoices   int              `json:"electionChoices,omitzero"` // 0: the core's
	PreVote           bool             `json:"preVote"`
	CheckQuorum       bool             `json:"checkQuorum"`
	Profile           Profile          `json:"profile"`
	Reads             Reads            `json:"reads"`
	Clients           int              `json:"clients"`
	Keys              int              `json:"keys"`
	Rate              float64          `json:"rate"`
	RoundRobin        bool             `json:"roundRobin,omitzero"`
	SnapshotEntries   uint64           `json:"snapshotEntries"`
	SnapshotKeep      uint64           `json:"snapshotKeep"`
	MaxMessage        uint64           `json:"maxMessageBytes"` // 0 for etcd's
	Faults            []string         `json:"faults"`
	Nodes             []nodeFile       `json:"nodes"`
	Zones             []string         `json:"zones"`
	RTT               [][]duration     `json:"rtt"`
	Jitter            float64          `json:"jitter"`
	Loss              float64          `json:"loss"`
	Dup               float64          `json:"dup"`
	Reorder           bool             `json:"reorder"`
	Retransmit        bool             `json:"retransmit,omitzero"`
}

type nodeFile struct {
	Name     string   `json:"name"`
	Zone     string   `json:"zone"`
	Fsync    duration `json:"fsync"`
	FsyncP99 duration `json:"fsyncP99"`
}

// duration is a text in JSON.
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(b []byte) error {
	parsed, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no time such as 100ms", b)
	}
	*d = duration(parsed)
	return nil
}

const (
	traceVersion = "opsctl/v1"
	traceKind    = "RaftTrace"
)

// ErrNoTrace says that a file is something else.
var ErrNoTrace = errors.New("no trace of opsctl raft")

// Write writes it as JSON.
func (t *Trace) Write(w io.Writer) error {
	c := &t.Config
	f := traceFile{
		APIVersion: traceVersion, Kind: traceKind, Core: core.Version, Hash: t.Hash, Violation: t.Violation, Seed: c.Seed, Duration: duration(c.Duration),
		HeartbeatInterval: duration(c.HeartbeatInterval), ElectionTimeout: duration(c.ElectionTimeout), Tick: duration(c.Tick), ElectionChoices: c.ElectionChoices, PreVote: c.PreVote, CheckQuorum: c.CheckQuorum,
		Profile: c.Profile, Reads: c.Reads, Clients: c.Clients, Keys: c.Keys, Rate: c.Rate, RoundRobin: c.RoundRobin, SnapshotEntries: c.SnapshotEntries, SnapshotKeep: c.SnapshotKeep, MaxMessage: c.MaxMessage,
		Faults: []string{}, Zones: c.Topology.Zones, Jitter: c.Topology.Jitter, Loss: c.Topology.Loss, Dup: c.Topology.Dup, Reorder: c.Topology.Reorder, Retransmit: c.Topology.Retransmit,
	}
	for _, one := range c.Faults {
		f.Faults = append(f.Faults, one.String())
	}
	for _, n := range c.Topology.Nodes {
		f.Nodes = append(f.Nodes, nodeFile{n.Name, n.Zone, duration(n.Fsync.Median), duration(n.Fsync.P99)})
	}
	for _, row := range c.Topology.RTT {
		var out []duration
		for _, d := range row {
			out = append(out, duration(d))
		}
		f.RTT = append(f.RTT, out)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(&f)
}

// maxTrace bounds what is read of a trace, in bytes: ten thousand faults are less than one MiB.
const maxTrace = 16 << 20

// ReadTrace reads one. Errors: [ErrNoTrace] with what is wrong and where, a fault that does not parse, a *[ConfigError].
func ReadTrace(r io.Reader) (*Trace, error) {
	f, err := parseTrace(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTrace, err)
	}
	if f.APIVersion != traceVersion || f.Kind != traceKind {
		return nil, fmt.Errorf("%w: it is a %q of %q", ErrNoTrace, f.Kind, f.APIVersion)
	}
	t := &Trace{Core: f.Core, Hash: f.Hash, Violation: f.Violation, Config: Config{
		Seed: f.Seed, Duration: time.Duration(f.Duration), HeartbeatInterval: time.Duration(f.HeartbeatInterval), ElectionTimeout: time.Duration(f.ElectionTimeout),
		Tick: time.Duration(f.Tick), ElectionChoices: f.ElectionChoices,
		PreVote: f.PreVote, CheckQuorum: f.CheckQuorum, Profile: f.Profile, Reads: f.Reads, Clients: f.Clients, Keys: f.Keys, Rate: f.Rate, RoundRobin: f.RoundRobin,
		SnapshotEntries: f.SnapshotEntries, SnapshotKeep: f.SnapshotKeep, MaxMessage: f.MaxMessage,
		Topology: Topology{Zones: f.Zones, Jitter: f.Jitter, Loss: f.Loss, Dup: f.Dup, Reorder: f.Reorder, Retransmit: f.Retransmit},
	}}
	for i, text := range f.Faults {
		one, err := fault.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("faults[%d]: %w", i, err)
		}
		t.Config.Faults = append(t.Config.Faults, one)
	}
	for _, n := range f.Nodes {
		t.Config.Topology.Nodes = append(t.Config.Topology.Nodes, Node{n.Name, n.Zone, Latency{time.Duration(n.Fsync), time.Duration(n.FsyncP99)}})
	}
	for _, row := range f.RTT {
		var out []time.Duration
		for _, d := range row {
			out = append(out, time.Duration(d))
		}
		t.Config.Topology.RTT = append(t.Config.Topology.RTT, out)
	}
	return t, t.Config.Check()
}
