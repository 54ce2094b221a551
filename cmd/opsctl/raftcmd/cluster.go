package raftcmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/raftsim"
)

// clusterFlags describe a cluster, and what runs on it.
type clusterFlags struct {
	raftsim.Config
	nodes             int
	rtt, fsync        time.Duration
	jitter, loss, dup share
	reorder           bool
	topology          string
	workers           int
}

func newClusterFlags() clusterFlags {
	return clusterFlags{Config: raftsim.Default(), nodes: 5, rtt: time.Millisecond, jitter: 0.1}
}

func (o *clusterFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&o.nodes, "nodes", o.nodes, "members of the cluster: an odd `N`, such as 3 or 5")
	f.DurationVar(&o.HeartbeatInterval, "heartbeat-interval", o.HeartbeatInterval, "`TIME` between a leader's heartbeats")
	f.DurationVar(&o.ElectionTimeout, "election-timeout", o.ElectionTimeout, "`TIME` without a heartbeat after which a follower may try to lead; up to twice that is drawn")
	f.DurationVar(&o.Tick, "tick", 0, "`TIME` that is the unit of all timers (default the heartbeat interval, as in etcd)")
	f.IntVar(&o.ElectionChoices, "election-choices", 0, "election timeouts that chance has, `N`, each a tick longer (default as many as the election timeout has ticks)")
	f.BoolVar(&o.PreVote, "pre-vote", o.PreVote, "candidates ask first whether they would win")
	f.BoolVar(&o.CheckQuorum, "check-quorum", o.CheckQuorum, "leaders without a majority step down")
	f.DurationVar(&o.rtt, "rtt", o.rtt, "`TIME` of a round trip between two nodes")
	f.Var(&o.jitter, "jitter", "standard deviation of delays, as a `SHARE` of them")
	f.Var(&o.loss, "loss", "`SHARE` of the messages that get lost")
	f.Var(&o.dup, "dup", "`SHARE` of the messages that arrive twice")
	f.BoolVar(&o.reorder, "reorder", false, "messages of a connection may overtake each other")
	f.DurationVar(&o.fsync, "fsync", 0, "`TIME` of an fsync, the median; the 99th percentile is five times that (default 1ms)")
	f.StringVar(&o.topology, "topology", "", "read zones, nodes, round trips and disks from a `FILE` (see docs/raft.md)")
	f.StringVar((*string)(&o.Profile), "profile", string(o.Profile), "`ORDER` of messages and fsync: etcd, async (AsyncStorageWrites) or async-safe (votes wait for the disk)")
	f.StringVar((*string)(&o.Reads), "reads", string(o.Reads), "`WAY` of reading: index, or lease")
	f.IntVar(&o.Clients, "clients", o.Clients, "clients that ask, `N`; 0 for none")
	f.Float64Var(&o.Rate, "rate", o.Rate, "`N` operations a second, all clients together, half of them reads")
	f.BoolVar(&o.RoundRobin, "round-robin", false, "clients ask another node for each operation, as etcd's do that know several endpoints")
	f.IntVar(&o.Keys, "keys", o.Keys, "keys that they ask for, `N`")
	f.Uint64Var(&o.SnapshotEntries, "snapshot-entries", 0, "entries between two snapshots, `N` (default 10000 as etcd; with --nemesis 100)")
	f.IntVar(&o.workers, "workers", 0, "processes that simulate at once, `N` (default one a processor)")
}

// config is the cluster that the flags describe.
func (o *clusterFlags) config(cmd *cobra.Command) (raftsim.Config, error) {
	c := o.Config
	if err := o.inRange(cmd); err != nil {
		return c, err
	}
	if o.SnapshotEntries == 0 {
		c.SnapshotEntries, c.SnapshotKeep = 10_000, 5_000
	} else {
		c.SnapshotKeep = o.SnapshotEntries / 2
	}
	if o.topology != "" {
		for _, name := range []string{"nodes", "rtt", "jitter", "loss", "dup", "fsync", "reorder"} {
			if cmd.Flags().Lookup(name) != nil && cmd.Flags().Changed(name) {
				return c, cli.Usagef("--%s and --topology both say what the network is: leave one of them out", name)
			}
		}
		topology, err := readTopology(o.topology)
		if err != nil {
			return c, err
		}
		c.Topology = *topology
	} else {
		c.Topology = raftsim.Uniform(min(o.nodes, math.MaxInt16), o.rtt, float64(o.jitter))
		c.Topology.Loss, c.Topology.Dup, c.Topology.Reorder = float64(o.loss), float64(o.dup), o.reorder
		for i := range c.Topology.Nodes {
			if o.fsync > 0 {
				c.Topology.Nodes[i].Fsync = raftsim.Latency{Median: o.fsync, P99: 5 * o.fsync}
			}
		}
	}
	return c, configError(c.Check())
}

// limits of flags that describe a network of one place.
const (
	maxRTT     = time.Minute
	maxFsync   = maxRTT / 5 // so that the 99th percentile is in the limits
	maxWorkers = 1000
)

// inRange refuses values of flags that a topology could not name as theirs.
func (o *clusterFlags) inRange(cmd *cobra.Command) error {
	switch {
	case o.nodes < 0:
		return configError(&raftsim.ConfigError{
			Setting: "nodes", Reason: fmt.Sprintf("a cluster has at least one node, not %d", o.nodes), Fix: "use an odd number of nodes, such as 3 or 5",
		})
	case o.rtt < 0 || o.rtt > maxRTT:
		return cli.Usagef("--rtt must be from 0s to %v, not %v", maxRTT, o.rtt)
	case cmd.Flags().Changed("fsync") && (o.fsync <= 0 || o.fsync > maxFsync):
		return cli.Usagef("--fsync must be above 0s and up to %v, not %v", maxFsync, o.fsync)
	case o.workers < 0 || o.workers > maxWorkers:
		return cli.Usagef("--workers must be from 0 to %d, not %d", maxWorkers, o.workers)
	}
	return nil
}

// configError gives a setting that makes no run its flag.
func configError(err error) error {
	var bad *raftsim.ConfigError
	if !errors.As(err, &bad) {
		return err
	}
	return &cli.Error{Code: cli.CodeUsage, ID: "usage", Err: fmt.Errorf("--%s: %s", bad.Setting, bad.Reason), Hint: bad.Fix}
}

func readTopology(path string) (*raftsim.Topology, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer func() { _ = f.Close() }()
	t, err := raftsim.ReadTopology(f, path)
	if err != nil {
		return nil, &cli.Error{Code: cli.CodeUsage, ID: "raft.topology", Err: err, Hint: "docs/raft.md shows a topology"}
	}
	return t, nil
}

// fileError gives a file that cannot be read its exit code.
func fileError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &cli.Error{Code: cli.CodeDenied, ID: "raft.denied", Err: err, Hint: "run it as a user who may read the file"}
	}
	return &cli.Error{Code: cli.CodeUsage, ID: "raft.file", Err: err, Hint: "name a file that is there"}
}

// share is a flag from 0 to 1, or in per cent.
type share float64

// String implements pflag.Value.
func (s *share) String() string { return strconv.FormatFloat(float64(*s)*100, 'g', -1, 64) + "%" }

// Type implements pflag.Value.
func (*share) Type() string { return "SHARE" }

// Set implements pflag.Value.
func (s *share) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return errors.New("must be from 0% to 100%, such as 0.1%")
	}
	*s = share(v)
	return nil
}

// seconds is a time in a table.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}

// count is a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// orDash is a text, or a dash for none.
func orDash(s string) string { return cmp.Or(s, "-") }

// say tells people beside the result.
func say(env *cli.Env, format string, args ...any) {
	if !env.Quiet {
		_, _ = fmt.Fprintln(env.Err, render.Safe(fmt.Sprintf(format, args...)))
	}
}
