package raftsim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Measured is what an etcd member's metrics say of its disk and its network.
type Measured struct {
	Fsync      Latency // etcd_disk_wal_fsync_duration_seconds
	Fsyncs     uint64
	RTT        Latency // etcd_network_peer_round_trip_time_seconds, of all peers together
	RoundTrips uint64
}

// ErrNoMetrics says that a text has neither of the two histograms.
var ErrNoMetrics = errors.New("neither etcd_disk_wal_fsync_duration_seconds nor etcd_network_peer_round_trip_time_seconds is there: is it the /metrics of an etcd member?")

// histogram are the counts up to each bound, in seconds.
type histogram map[float64]float64

// maxMetrics bounds what is read, in bytes.
const maxMetrics = 64 << 20

// ReadMetrics reads metrics in Prometheus's text format. Errors: [ErrNoMetrics], a line that is no sample of the two histograms, what
// reading gave.
func ReadMetrics(r io.Reader) (*Measured, error) {
	fsync, rtt := histogram{}, histogram{}
	lines := bufio.NewScanner(io.LimitReader(r, maxMetrics))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		for name, into := range map[string]histogram{
			"etcd_disk_wal_fsync_duration_seconds_bucket{": fsync, "etcd_network_peer_round_trip_time_seconds_bucket{": rtt,
		} {
			rest, found := strings.CutPrefix(lines.Text(), name)
			if !found {
				continue
			}
			if err := into.add(rest); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	m := &Measured{}
	m.Fsync, m.Fsyncs = fsync.latency()
	m.RTT, m.RoundTrips = rtt.latency()
	if m.Fsyncs == 0 && m.RoundTrips == 0 {
		return nil, ErrNoMetrics
	}
	return m, nil
}

// add takes in what follows the name of a bucket: labels, a value, perhaps a time.
func (h histogram) add(rest string) error {
	labels, value, found := strings.Cut(rest, "}")
	_, bound, hasBound := strings.Cut(labels, `le="`)
	bound, _, closed := strings.Cut(bound, `"`)
	fields := strings.Fields(value)
	if !found || !hasBound || !closed || len(fields) == 0 {
		return fmt.Errorf("no bucket of a histogram: %.80q", rest)
	}
	le, err1 := strconv.ParseFloat(bound, 64)
	count, err2 := strconv.ParseFloat(fields[0], 64)
	if err := errors.Join(err1, err2); err != nil || !(count >= 0 && count <= 1<<53) || !(le >= 0) || le > maxLatency.Seconds() && !math.IsInf(le, 1) {
		return fmt.Errorf("no bucket of a histogram: %.80q", rest)
	}
	h[le] += count
	return nil
}

// latency is the median and the 99th percentile, and how many were counted.
func (h histogram) latency() (l Latency, n uint64) {
	var bounds []float64
	for le := range h {
		bounds = append(bounds, le)
	}
	slices.Sort(bounds)
	if len(bounds) == 0 || h[bounds[len(bounds)-1]] < 1 {
		return l, 0
	}
	total := h[bounds[len(bounds)-1]]
	at := func(p float64) time.Duration {
		below, from := 0.0, 0.0
		for _, le := range bounds {
			if h[le] >= p*total {
				if math.IsInf(le, 1) {
					return time.Duration(from * float64(time.Second)) // no more is known than that it is longer
				}
				share := (p*total - below) / max(h[le]-below, 1)
				return time.Duration((from + share*(le-from)) * float64(time.Second))
			}
			below, from = h[le], le
		}
		return time.Duration(from * float64(time.Second))
	}
	return Latency{at(0.5), at(0.99)}, uint64(total)
}

// Take puts what was measured into a topology: the disk of every node, and the network where there is one zone, or none was named.
func (t *Topology) Take(m *Measured) {
	if m.Fsyncs > 0 {
		for i := range t.Nodes {
			t.Nodes[i].Fsync = m.Fsync
		}
	}
	if m.RoundTrips > 0 && len(t.Zones) == 1 && m.RTT.Median > 0 {
		t.RTT[0][0] = m.RTT.Median
		const z99 = 2.326
		t.Jitter = min(1, max(0, float64(m.RTT.P99-m.RTT.Median)/float64(m.RTT.Median)/z99))
	}
}
