package raftsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// topologyFile is a topology in YAML.
type topologyFile struct {
	Zones   []zoneYAML                     `yaml:"zones"`
	RTT     map[string]map[string]timeYAML `yaml:"rtt"` // between zones, each pair once
	Nodes   []nodeYAML                     `yaml:"nodes"`
	Jitter  shareYAML                      `yaml:"jitter"`
	Loss    shareYAML                      `yaml:"loss"`
	Dup     shareYAML                      `yaml:"dup"`
	Reorder bool                           `yaml:"reorder"`
}

type zoneYAML struct {
	Name string   `yaml:"name"`
	RTT  timeYAML `yaml:"rtt"` // within
}

type nodeYAML struct {
	Name     string   `yaml:"name"`
	Zone     string   `yaml:"zone"`
	Fsync    timeYAML `yaml:"fsync"`
	FsyncP99 timeYAML `yaml:"fsyncP99"`
}

// timeYAML is a duration such as 500us, and where it stands.
type timeYAML struct {
	time.Duration
	line int
}

// maxLatency bounds times of networks and disks.
const maxLatency = time.Minute

func (t *timeYAML) UnmarshalYAML(n *yaml.Node) error {
	d, err := time.ParseDuration(n.Value)
	if err != nil || d < 0 || d > maxLatency {
		return fmt.Errorf("line %d: %s is no time such as 500us or 20ms, up to %v", n.Line, given(n.ShortTag(), n.Value), maxLatency)
	}
	t.Duration, t.line = d, n.Line
	return nil
}

type shareYAML float64

func (s *shareYAML) UnmarshalYAML(n *yaml.Node) error {
	number, percent := strings.CutSuffix(n.Value, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("line %d: %s is no share such as 10%%", n.Line, given(n.ShortTag(), n.Value))
	}
	*s = shareYAML(v)
	return nil
}

// maxTopology bounds a file, in bytes.
const maxTopology = 1 << 20

// ReadTopology reads a topology in YAML; name stands in errors, which say what is wrong and what to write. See docs/raft.md.
func ReadTopology(r io.Reader, name string) (*Topology, error) {
	f, err := parseTopology(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t, err := f.topology()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// parseTopology reads the one document of a file.
func parseTopology(r io.Reader) (*topologyFile, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxTopology+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxTopology {
		return nil, fmt.Errorf("it is longer than %d bytes, which no topology is", maxTopology)
	}
	var f topologyFile
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	switch err := dec.Decode(&f); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("it is empty: list zones, rtt and nodes")
	case err != nil:
		return nil, inWords(err)
	}
	var more yaml.Node
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
		return &f, nil
	case err != nil:
		return nil, fmt.Errorf("there is more behind its first document, which is no YAML: %w", inWords(err))
	}
	return nil, fmt.Errorf("line %d: there is more behind its first document: a file holds one topology", more.Line)
}

func (f *topologyFile) topology() (*Topology, error) {
	t := &Topology{Jitter: float64(f.Jitter), Loss: float64(f.Loss), Dup: float64(f.Dup), Reorder: f.Reorder}
	at := make(map[string]int)
	if len(f.Zones) == 0 {
		return nil, errors.New("zones: there is none: list at least one, such as {name: eu-1, rtt: 500us}")
	}
	if n := len(f.Zones); n > maxNodes {
		return nil, fmt.Errorf("zones: %d are more than %d, which is as many as there can be nodes: leave out those without a node", n, maxNodes)
	}
	for i, z := range f.Zones {
		if !fault.IsName(z.Name) {
			return nil, fmt.Errorf("zones[%d]: %q is no name: use letters, digits, dots and dashes", i, z.Name)
		}
		if z.Name == fault.LeadersZone {
			return nil, fmt.Errorf("zones[%d]: %q stands for the zone of the leader in faults: choose another name", i, z.Name)
		}
		if _, twice := at[z.Name]; twice {
			return nil, fmt.Errorf("zones[%d]: %s is listed twice: leave one out", i, z.Name)
		}
		at[z.Name] = i
		t.Zones = append(t.Zones, z.Name)
	}
	if err := f.matrix(t, at); err != nil {
		return nil, err
	}
	return t, f.members(t, at)
}

// matrix fills in the round trips: both ways alike, each pair once.
func (f *topologyFile) matrix(t *Topology, at map[string]int) error {
	known := make([][]bool, len(t.Zones))
	for i := range t.Zones {
		t.RTT, known[i] = append(t.RTT, make([]time.Duration, len(t.Zones))), make([]bool, len(t.Zones))
		t.RTT[i][i] = f.Zones[i].RTT.Duration
	}
	for _, from := range slices.Sorted(maps.Keys(f.RTT)) {
		for _, to := range slices.Sorted(maps.Keys(f.RTT[from])) {
			rtt := f.RTT[from][to]
			a, okA := at[from]
			b, okB := at[to]
			switch {
			case !okA || !okB:
				return fmt.Errorf("line %d: rtt from %s to %s: there is no such zone; there are %s", rtt.line, from, to, strings.Join(t.Zones, ", "))
			case a == b:
				return fmt.Errorf("line %d: rtt from %s to itself: write it as the zone's own rtt", rtt.line, from)
			case known[a][b] && t.RTT[a][b] != rtt.Duration:
				return fmt.Errorf("line %d: rtt between %s and %s is %v here and %v elsewhere: a round trip is the same from both ends, so write it once", rtt.line, from, to, rtt.Duration, t.RTT[a][b])
			}
			t.RTT[a][b], t.RTT[b][a], known[a][b], known[b][a] = rtt.Duration, rtt.Duration, true, true
		}
	}
	for a := range t.Zones {
		for b := range a {
			if !known[a][b] {
				return fmt.Errorf("rtt: nothing is said of %s and %s: add %s: {%s: 10ms}", t.Zones[b], t.Zones[a], t.Zones[b], t.Zones[a])
			}
		}
	}
	return nil
}

func (f *topologyFile) members(t *Topology, at map[string]int) error {
	if len(f.Nodes) == 0 {
		return errors.New("nodes: there is none: list an odd number, such as {name: etcd1, zone: " + t.Zones[0] + ", fsync: 2ms}")
	}
	seen := make(map[string]bool)
	for i, n := range f.Nodes {
		fsync := Latency{n.Fsync.Duration, n.FsyncP99.Duration}
		switch _, found := at[n.Zone]; {
		case !fault.IsName(n.Name):
			return fmt.Errorf("nodes[%d]: %q is no name: use letters, digits, dots and dashes", i, n.Name)
		case seen[n.Name]:
			return fmt.Errorf("nodes[%d]: %s is listed twice: each member has a name of its own", i, n.Name)
		case !found:
			return fmt.Errorf("nodes[%d], %s: there is no zone %q; there are %s", i, n.Name, n.Zone, strings.Join(t.Zones, ", "))
		case fsync.Median == 0 && fsync.P99 > 0:
			return fmt.Errorf("nodes[%d], %s: fsyncP99 without fsync: give the median as well", i, n.Name)
		case fsync.P99 > 0 && fsync.P99 < fsync.Median:
			return fmt.Errorf("nodes[%d], %s: fsyncP99, %v, is less than the median, %v: swap them", i, n.Name, fsync.P99, fsync.Median)
		case fsync.Median == 0:
			fsync = DefaultFsync()
		case fsync.P99 == 0:
			fsync.P99 = 5 * fsync.Median
		}
		seen[n.Name] = true
		t.Nodes = append(t.Nodes, Node{n.Name, n.Zone, fsync})
	}
	return nil
}
