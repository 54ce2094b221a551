package raftcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/raftsim"
)

// tuneOptions are the flags of `raft tune`.
type tuneOptions struct {
	clusterFlags
	metrics string
	product string
	trials  int
	stall   time.Duration
}

func newTune(env *cli.Env, run runFunc) *cobra.Command {
	o := tuneOptions{clusterFlags: newClusterFlags()}
	cmd := &cobra.Command{
		Use:   "tune [flags]",
		Short: "Find timers for a cluster's network and disks, and print etcd's flags",
		Long: "Tries pairs of heartbeat interval and election timeout on a simulated cluster: how\n" +
			"long it is without a leader when the leader dies, whether anybody calls an election\n" +
			"while nothing fails, and what the heartbeats cost. The fastest pair without a needless\n" +
			"election is recommended, as flags of etcd, with what etcd's documents warn of.\n\n" +
			"That the leader stands still for --stall, for a disk, a hypervisor or a collector of\n" +
			"garbage, is no failure: it is made to every 10s while a cluster is watched.\n\n" +
			"--metrics reads the histograms of fsync and of round trips from an etcd member's\n" +
			"/metrics, a file or a URL. --for consul prints the arithmetic of that product's\n" +
			"raft_multiplier: its core is another, and is not simulated.",
		Example: "  opsctl raft tune --nodes 3 --rtt 30ms --fsync 4ms\n" +
			"  opsctl raft tune --topology zones.yaml\n" +
			"  opsctl raft tune --metrics http://127.0.0.1:2379/metrics\n" +
			"  opsctl raft tune --for consul --rtt 30ms",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			return o.run(cmd, env, run)
		},
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.Uint64Var(&o.Seed, "seed", o.Seed, "the number `N` that all chance follows from")
	f.StringVar(&o.metrics, "metrics", "", "read fsync and round trips from an etcd member's metrics: a `FILE` or URL")
	f.StringVar(&o.product, "for", "etcd", "`PRODUCT` to print flags for: etcd, or consul")
	f.DurationVar(&o.stall, "stall", 200*time.Millisecond, "`TIME` that a leader may stand still without being replaced")
	f.IntVar(&o.trials, "trials", 300, "leaders that die for each pair, `N`")
	return cmd
}

func (o *tuneOptions) run(cmd *cobra.Command, env *cli.Env, run runFunc) error {
	if o.product != "etcd" && o.product != "consul" {
		return cli.Usagef("--for must be etcd or consul, not %q", o.product)
	}
	if o.trials < 1 || o.trials > maxTrials {
		return cli.Usagef("--trials must be from 1 to %d, not %d", maxTrials, o.trials)
	}
	if o.stall < 0 || o.stall > time.Minute {
		return cli.Usagef("--stall must be from 0s to 1m, not %v", o.stall)
	}
	c, err := o.config(cmd)
	if err != nil {
		return err
	}
	t := tuning{Stall: o.stall.Seconds(), Warnings: []string{}, Timers: []raftsim.Timers{}}
	if o.metrics != "" {
		m, err := readMetrics(cmd.Context(), o.metrics)
		if err != nil {
			return err
		}
		c.Topology.Take(m)
		t.Measured = &measured{m.Fsync.Median.Seconds(), m.Fsync.P99.Seconds(), m.Fsyncs, m.RTT.Median.Seconds(), m.RTT.P99.Seconds(), m.RoundTrips}
	}
	if o.product == "consul" {
		return showConsul(env, &c)
	}
	if err := o.try(cmd.Context(), env, run, &c, &t); err != nil {
		return err
	}
	return showTuning(env, &t)
}

// tuning is the result.
type tuning struct {
	Measured *measured        `json:"measured,omitempty"`
	Stall    float64          `json:"stallSeconds"`
	Timers   []raftsim.Timers `json:"items"`
	Flags    []string         `json:"flags"` // of etcd; empty where no pair is calm
	Warnings []string         `json:"warnings"`
	best     *raftsim.Timers
}

// measured is what an etcd member's metrics said.
type measured struct {
	FsyncP50   float64 `json:"fsyncP50Seconds"`
	FsyncP99   float64 `json:"fsyncP99Seconds"`
	Fsyncs     uint64  `json:"fsyncs"`
	RTTP50     float64 `json:"roundTripP50Seconds"`
	RTTP99     float64 `json:"roundTripP99Seconds"`
	RoundTrips uint64  `json:"roundTrips"`
}

// try simulates all candidates.
func (o *tuneOptions) try(ctx context.Context, env *cli.Env, run runFunc, c *raftsim.Config, t *tuning) error {
	candidates := c.Candidates()
	rep := env.Progress("simulating", cli.Items)
	rep.Start(int64(len(candidates)))
	defer rep.Done()
	for i := range candidates {
		one := &candidates[i]
		var calm []raftsim.Answer
		err := run(ctx, o.workers, raftsim.CalmTrials(*one, o.stall), func(_ int, a raftsim.Answer) error {
			calm = append(calm, a)
			return nil
		})
		tally := raftsim.Tally{Config: one, Scenario: raftsim.KillLeader}
		if err == nil {
			err = run(ctx, o.workers, raftsim.Trials(*one, raftsim.KillLeader, o.trials), func(_ int, a raftsim.Answer) error {
				tally.Add(&a)
				return nil
			})
		}
		if err != nil {
			return err
		}
		t.Timers = append(t.Timers, raftsim.Judge(one, calm, tally.Report()))
		rep.Add(1)
	}
	t.Timers[0].Current = true
	t.Warnings = append(t.Warnings, c.Warnings()...)
	t.Flags = []string{}
	if best := raftsim.Recommend(t.Timers); best >= 0 {
		t.best = &t.Timers[best]
		t.Flags = []string{
			fmt.Sprintf("--heartbeat-interval=%.0f", 1000*t.best.Heartbeat),
			fmt.Sprintf("--election-timeout=%.0f", 1000*t.best.Election),
		}
	}
	return nil
}

func showTuning(env *cli.Env, t *tuning) error {
	return render.Document(env, render.View{
		Kind: "RaftTuning", Body: t,
		Page: func(p *render.Page) { tuningPage(p, t) },
		CSV: func() (heads []string, rows [][]string) {
			for i := range t.Timers {
				x := &t.Timers[i]
				rows = append(rows, []string{exact(x.Heartbeat), exact(x.Election), quantileOf(x.Leaderless), strconv.Itoa(x.NeedlessElections), exact(x.HeartbeatsSecond)})
			}
			return []string{"heartbeatSeconds", "electionSeconds", "leaderlessP95Seconds", "needlessElections", "heartbeatsPerSecond"}, rows
		},
		Names: func() []string { return t.Flags },
	})
}

func exact(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func quantileOf(d *raftsim.Distribution) string {
	if d == nil {
		return ""
	}
	return number(d.P95.Seconds)
}

func tuningPage(p *render.Page, t *tuning) {
	if m := t.Measured; m != nil {
		p.Para("Measured: fsync %s, %s at the 99th percentile (%d); round trip %s, %s at the 99th percentile (%d).",
			seconds(m.FsyncP50), seconds(m.FsyncP99), m.Fsyncs, seconds(m.RTTP50), seconds(m.RTTP99), m.RoundTrips)
	}
	p.Heading("Timers")
	var rows [][]string
	few := false
	for i := range t.Timers {
		x := &t.Timers[i]
		note := ""
		if x.Current {
			note = "current"
		}
		if x.Recommended {
			note = strings.TrimPrefix(note+", recommended", ", ")
		}
		row := []string{seconds(x.Heartbeat), seconds(x.Election), "-", "-", strconv.Itoa(x.NeedlessElections), strconv.FormatFloat(x.HeartbeatsSecond, 'f', 0, 64), orDash(note)}
		if d := x.Leaderless; d != nil {
			row[2], row[3] = decimals(d.P50.Seconds), estimate(d.P95)
			few = few || !d.P95.High.Known()
		}
		rows = append(rows, row)
	}
	p.Table([]string{"HEARTBEAT", "ELECTION", "P50", "P95", "NEEDLESS", "MSG/S", ""}, []bool{true, true, true, true, true, true}, rows)
	stalls := ""
	if t.Stall > 0 {
		stalls = fmt.Sprintf(", while the leader stood still for %s every %s", seconds(t.Stall), raftsim.StallGap(time.Duration(t.Stall*float64(time.Second))))
	}
	p.Para("P50, P95: seconds without a leader after one has died, with a 95 %% confidence interval. Needless: elections in %s without a failure%s. Msg/s: heartbeats and their answers.",
		seconds(t.Timers[0].WatchedSeconds), stalls)
	if few {
		p.Para("%s", unknown)
	}
	p.Heading("Flags of etcd")
	if t.best == nil {
		p.Para("None of these pairs stays calm and recovers on such a network and such disks, with such stalls: find out what stalls.")
	} else {
		p.Para("%s", strings.Join(t.Flags, " "))
		p.Para("On every member the same. %s", gain(&t.Timers[0], t.best))
	}
	if len(t.Warnings) > 0 {
		p.Heading("Warnings, for the timers of now")
		for _, w := range t.Warnings {
			p.Para("- %s", w)
		}
	}
}

// gain is what the recommended timers gain and cost against the current ones.
func gain(now, best *raftsim.Timers) string {
	if best.Current {
		return "These are the timers of now: none of the others is faster and as calm."
	}
	if now.Leaderless == nil || best.Leaderless == nil {
		return ""
	}
	before := "longer than was waited for"
	if s := now.Leaderless.P95.Seconds; s.Known() {
		before = seconds(float64(s))
	}
	text := fmt.Sprintf("95 of 100 failovers take at most %s instead of %s; heartbeats are %.0f messages a second instead of %.0f.",
		seconds(float64(best.Leaderless.P95.Seconds)), before, best.HeartbeatsSecond, now.HeartbeatsSecond)
	if now.NeedlessElections > 0 {
		text += fmt.Sprintf(" The timers of now led to %d needless elections in %s.", now.NeedlessElections, seconds(now.WatchedSeconds))
	}
	return text
}

// metricsTimeout bounds asking a member.
const metricsTimeout = 10 * time.Second

func readMetrics(ctx context.Context, from string) (*raftsim.Measured, error) {
	body, err := openMetrics(ctx, from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	m, err := raftsim.ReadMetrics(body)
	if err != nil {
		return nil, &cli.Error{Code: cli.CodeFailed, ID: "raft.metrics", Err: fmt.Errorf("%s: %w", from, err), Hint: "name a file or URL with the metrics of an etcd member"}
	}
	return m, nil
}

func openMetrics(ctx context.Context, from string) (io.ReadCloser, error) {
	if scheme, _, found := strings.Cut(strings.ToLower(from), "://"); !found || scheme != "http" && scheme != "https" {
		f, err := os.Open(from)
		if err != nil {
			return nil, fileError(err)
		}
		return f, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return nil, cli.Usagef("--metrics: %v", err)
	}
	client := http.Client{Timeout: metricsTimeout}
	resp, err := client.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.Join(fmt.Errorf("%s: %s", from, resp.Status), resp.Body.Close())
	}
	if err != nil {
		return nil, &cli.Error{Code: cli.CodeFailed, ID: "raft.metrics", Err: err, Hint: "etcd serves its metrics at /metrics of its client URL; save them to a file where they need a certificate"}
	}
	return resp.Body, nil
}
