package test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/quantile"
)

// etcdCluster is one that is predicted and measured.
type etcdCluster struct {
	name  string
	nodes int
	rtt   time.Duration // as the prediction has it
	extra time.Duration // that a proxy adds, one way
}

func etcdClusters() []etcdCluster {
	return []etcdCluster{
		{"3 nodes", 3, 200 * time.Microsecond, 0},
		{"5 nodes", 5, 200 * time.Microsecond, 0},
		{"5 nodes, 20 ms", 5, 20200 * time.Microsecond, 10 * time.Millisecond},
	}
}

// TestFailoversAreThoseOfEtcd predicts for how long a cluster is without a leader when that is killed, then kills leaders of real ones.
// The measured times are written to OPSCTL_ETCD_OUT, where that names a folder.
func TestFailoversAreThoseOfEtcd(t *testing.T) { //nolint:tparallel // clusters may run side by side, and nothing else beside them
	kills := numberOfCases(0, 10, 300)
	if kills == 0 {
		t.Skip("real clusters are measured under OPSCTL_TORTURE")
	}
	program := testpeers.RequireEtcd(t)
	number := seed(t)
	simulator := raftrun(t)
	for i, c := range etcdClusters() {
		predicted := c.predict(t, simulator)
		t.Logf("%s: predicted p50 %.3f s, p95 %.3f s", c.name, quantile.Sorted(predicted, 0.5), quantile.Sorted(predicted, 0.95))
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			measured := c.measure(t, program, kills, rand.New(rand.NewPCG(number, uint64(i))))
			c.judge(t, predicted, measured, rand.New(rand.NewPCG(number, uint64(i)+100)))
		})
	}
}

func (c *etcdCluster) predict(t *testing.T, simulator string) []float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), simulator, "-failover", "3000", "-nodes", fmt.Sprint(c.nodes), "-rtt", c.rtt.String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	var seconds []float64
	if err := json.Unmarshal(out, &seconds); err != nil {
		t.Fatal(err)
	}
	return seconds
}

// measure kills leaders, each when all members have been well for a while that is longer by chance than a heartbeat.
func (c *etcdCluster) measure(t *testing.T, program string, kills int, r *rand.Rand) []float64 {
	t.Helper()
	cluster, err := testpeers.StartEtcd(t.Context(), program, c.nodes, c.extra)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, m := range cluster.Members {
			if t.Failed() {
				t.Logf("%s said at first: %s", m.Name, m.Log())
			}
		}
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(kills)*20*time.Second)
	defer cancel()
	leader := c.await(ctx, t, cluster, time.Time{})
	var seconds []float64
	for range kills {
		c.settle(ctx, t, cluster, time.Second+time.Duration(r.Int64N(int64(time.Second))))
		at, err := leader.member.Kill()
		if err != nil {
			t.Fatal(err)
		}
		next := c.await(ctx, t, cluster, at)
		seconds = append(seconds, next.at.Sub(at).Seconds())
		_, before := leader.member.Led()
		if err := cluster.Start(leader.member); err != nil {
			t.Fatal(err)
		}
		lookAgain(ctx, t, func() bool {
			_, knows := leader.member.Led()
			return knows > before
		})
		leader = next
	}
	if dir := os.Getenv("OPSCTL_ETCD_OUT"); dir != "" {
		text, err := json.Marshal(seconds)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("etcd-%d-%v.json", c.nodes, c.extra)), text, 0o600); err != nil {
			t.Error(err)
		}
	}
	slices.Sort(seconds)
	return seconds
}

type etcdLeader struct {
	member *testpeers.EtcdMember
	at     time.Time
}

// await waits until a member has become leader after a time.
func (c *etcdCluster) await(ctx context.Context, t *testing.T, cluster *testpeers.EtcdCluster, after time.Time) (found etcdLeader) {
	t.Helper()
	lookAgain(ctx, t, func() bool {
		for _, m := range cluster.Members {
			led, _ := m.Led()
			if len(led) > 0 && led[len(led)-1].At.After(after) {
				found = etcdLeader{m, led[len(led)-1].At}
				return true
			}
		}
		return false
	})
	return found
}

// settle waits, for a time that is part of the measurement.
func (c *etcdCluster) settle(ctx context.Context, t *testing.T, _ *testpeers.EtcdCluster, long time.Duration) {
	t.Helper()
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		t.Fatal(context.Cause(ctx))
	}
}

// lookAgain looks again until something is so.
func lookAgain(ctx context.Context, t *testing.T, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(context.Cause(ctx))
		}
	}
}

// aLook is below how many kills a measurement is a look only: its bounds have to reach into the tolerance, not to lie within it.
const aLook = 100

// judge compares quantiles: the interval of their ratio is the bootstrap's, of 95 %.
func (c *etcdCluster) judge(t *testing.T, predicted, measured []float64, r *rand.Rand) {
	t.Helper()
	for _, p := range []float64{0.5, 0.95} {
		ratio := quantile.Sorted(predicted, p) / quantile.Sorted(measured, p)
		low, high := ratioInterval(predicted, measured, p, r)
		t.Logf("%s, p%.0f: predicted %.3f s, measured %.3f s, ratio %.3f (%.3f to %.3f)", c.name, 100*p, quantile.Sorted(predicted, p), quantile.Sorted(measured, p), ratio, low, high)
		switch {
		case len(measured) < aLook && (high < 0.8 || low > 1.2):
			t.Errorf("%s: p%.0f: the ratio, %.3f to %.3f, is not within 20 %%", c.name, 100*p, low, high)
		case len(measured) >= aLook && (low < 0.9 || high > 1.1):
			t.Errorf("%s: p%.0f: the ratio, %.3f to %.3f, is not within 10 %%", c.name, 100*p, low, high)
		}
	}
	t.Logf("%s: %d kills; Kolmogorov-Smirnov distance %.3f", c.name, len(measured), distance(predicted, measured))
}

// ratioInterval is the 95 % bootstrap interval of the ratio of a quantile of two samples.
func ratioInterval(a, b []float64, p float64, r *rand.Rand) (low, high float64) {
	const rounds = 2000
	again := func(from []float64) float64 {
		drawn := make([]float64, len(from))
		for i := range drawn {
			drawn[i] = from[r.IntN(len(from))]
		}
		slices.Sort(drawn)
		return quantile.Sorted(drawn, p)
	}
	ratios := make([]float64, rounds)
	for i := range ratios {
		ratios[i] = again(a) / again(b)
	}
	slices.Sort(ratios)
	return quantile.Sorted(ratios, 0.025), quantile.Sorted(ratios, 0.975)
}

// distance is Kolmogorov's and Smirnov's between two sorted samples: the greatest difference of their distributions.
func distance(a, b []float64) (most float64) {
	for i, k := 0, 0; i < len(a) && k < len(b); {
		at := min(a[i], b[k])
		for i < len(a) && a[i] <= at {
			i++
		}
		for k < len(b) && b[k] <= at {
			k++
		}
		most = max(most, float64(i)/float64(len(a))-float64(k)/float64(len(b)), float64(k)/float64(len(b))-float64(i)/float64(len(a)))
	}
	return most
}
