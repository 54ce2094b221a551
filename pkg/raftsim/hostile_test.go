package raftsim

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// TestTracesOfNoClusterAreRefused changes the topology of a trace to what no cluster has: the simulation would fail in it, and that be
// taken for the core's.
func TestTracesOfNoClusterAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no round trips":       func(c *Config) { c.Topology.RTT = nil },
		"a row that is short":  func(c *Config) { c.Topology.RTT = [][]time.Duration{{}} },
		"a round trip back":    func(c *Config) { c.Topology.RTT = [][]time.Duration{{-time.Second}} },
		"no zones":             func(c *Config) { c.Topology.Zones = nil },
		"a zone of nobody":     func(c *Config) { c.Topology.Nodes[2].Zone = "moon" },
		"an fsync before":      func(c *Config) { c.Topology.Nodes[2].Fsync.Median = -time.Second },
		"more lost than sent":  func(c *Config) { c.Topology.Loss = 1.5 },
		"jitter below nothing": func(c *Config) { c.Topology.Jitter = -1 },
	} {
		c := Default()
		var b bytes.Buffer
		if change(&c); (&Trace{Config: c}).Write(&b) != nil {
			t.Fatal(name)
		}
		_, err := ReadTrace(&b)
		if bad, ok := errors.AsType[*ConfigError](err); !ok || bad.Setting != "topology" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyZonesAreRefused has as many as fit into a file: what is between each two of them would not fit into memory.
func TestManyZonesAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("zones:\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "- {name: z%d}\n", i)
	}
	b.WriteString("nodes: [{name: a, zone: z1}]\n")
	if _, err := ReadTopology(strings.NewReader(b.String()), "it"); err == nil || !strings.Contains(err.Error(), "20000 are more than 99") {
		t.Errorf("%v", err)
	}
}

// TestLoadsThatNobodyMakesAreRefused has ones that would not fit into memory, or end.
func TestLoadsThatNobodyMakesAreRefused(t *testing.T) {
	for setting, change := range map[string]func(*Config){
		"keys": func(c *Config) { c.Keys = 1 << 40 },
		"rate": func(c *Config) { c.Rate = 1e300 },
	} {
		c := Default()
		change(&c)
		if bad, ok := errors.AsType[*ConfigError](c.Check()); !ok || bad.Setting != setting {
			t.Errorf("%s: %v", setting, bad)
		}
	}
	c := Default()
	c.Clients, c.Keys, c.Rate = 0, -1, math.NaN()
	if c.Check() == nil {
		t.Error("-1 keys are taken")
	}
}
