package raftsim

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// seeds adds the samples of a kind to a corpus.
func seeds(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "raft", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("%s: no samples, %v", pattern, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// FuzzReadTopology reads anything: what it takes makes a run, or is refused as a setting.
func FuzzReadTopology(f *testing.F) {
	seeds(f, "*.yaml")
	f.Add([]byte("zones: [{name: a}]\nnodes: [{name: x, zone: a}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		topology, err := ReadTopology(bytes.NewReader(text), "it")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "it: ") {
				t.Errorf("%v names no file", err)
			}
			return
		}
		c := Default()
		c.Topology, c.Duration, c.Clients = *topology, 20*time.Millisecond, 1
		if c.Check() != nil || len(topology.Nodes) > 9 {
			return
		}
		s := NewSimulator()
		defer s.Close()
		if _, err := s.Run(t.Context(), c); err != nil {
			t.Error(err)
		}
	})
}

// FuzzReadTrace reads anything: what it takes it writes so that it takes the same again.
func FuzzReadTrace(f *testing.F) {
	c := Default()
	c.Duration = time.Second
	var b bytes.Buffer
	if err := (&Trace{Config: c, Hash: "1"}).Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		trace, err := ReadTrace(bytes.NewReader(text))
		if err != nil {
			return
		}
		var b, again bytes.Buffer
		if err := trace.Write(&b); err != nil {
			t.Fatal(err)
		}
		same, err := ReadTrace(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatalf("%v of\n%s", err, b.String())
		}
		if err := same.Write(&again); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("%v\n%s\nbecame\n%s", err, b.String(), again.String())
		}
		if c := trace.Config; len(c.Topology.Nodes) <= 9 && c.Clients <= 10 && len(c.Faults) < 20 && c.Rate < 1e4 && c.Keys < 1e4 {
			c.Duration = min(c.Duration, 10*c.tick(), 50*time.Millisecond)
			s := NewSimulator()
			defer s.Close()
			r, err := s.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations {
				t.Errorf("%v of\n%s", v, b.String())
			}
		}
	})
}

// FuzzReadMetrics reads anything: what it takes are times that a topology can have.
func FuzzReadMetrics(f *testing.F) {
	f.Add([]byte(`etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 5
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 9
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 10
etcd_network_peer_round_trip_time_seconds_bucket{To="8e9e05c52164694d",le="0.0001"} 1
etcd_network_peer_round_trip_time_seconds_bucket{To="8e9e05c52164694d",le="0.0002"} 3
etcd_network_peer_round_trip_time_seconds_bucket{To="8e9e05c52164694d",le="+Inf"} 4
`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ReadMetrics(bytes.NewReader(text))
		if err != nil {
			return
		}
		c := Default()
		c.Topology.Take(m)
		for _, l := range []Latency{m.Fsync, m.RTT} {
			if l.Median < 0 || l.P99 < l.Median {
				t.Errorf("%+v", l)
			}
		}
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	})
}
