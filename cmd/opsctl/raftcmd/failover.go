package raftcmd

import (
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/raftsim"
)

func newFailover(env *cli.Env, run runFunc) *cobra.Command {
	o := newClusterFlags()
	var trials int
	var scenarios []string
	cmd := &cobra.Command{
		Use:   "failover [flags]",
		Short: "Say how long a cluster is without a leader, and without service, after a failure",
		Long: "Lets the leader die, its zone fail, and all nodes be restarted in turn, in many\n" +
			"simulated clusters, and says how long there is no leader and how long clients wait:\n" +
			"quantiles with 95 % confidence intervals, in which a trial that did not recover took\n" +
			"longer than all others. The timers, the network and the disks are those of the flags\n" +
			"or of the topology; etcd's defaults otherwise.",
		Example: "  opsctl raft failover\n" +
			"  opsctl raft failover --nodes 3 --rtt 20ms --trials 500\n" +
			"  opsctl raft failover --heartbeat-interval 50ms --election-timeout 500ms\n" +
			"  opsctl raft failover --scenario kill -o svg > failover.svg\n" +
			"  opsctl raft failover --scenario kill -o json | jq '.items[].leaderless.p95'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			if trials < 1 || trials > maxTrials {
				return cli.Usagef("--trials must be from 1 to %d, not %d", maxTrials, trials)
			}
			c, err := o.config(cmd)
			if err != nil {
				return err
			}
			chosen, err := chooseScenarios(&c, scenarios)
			if err != nil {
				return err
			}
			reports, err := failovers(cmd, env, run, &c, chosen, trials, o.workers)
			if err != nil {
				return err
			}
			return showFailovers(env, &c, reports)
		},
	}
	cli.WithFormats(cmd, cli.SVG)
	o.addFlags(cmd)
	cmd.Flags().Uint64Var(&o.Seed, "seed", o.Seed, "the number `N` that all chance follows from")
	cmd.Flags().IntVar(&trials, "trials", 1000, "simulated clusters of each scenario, `N`")
	cmd.Flags().StringSliceVar(&scenarios, "scenario", nil, "only these: `LIST` of kill, zone, rolling")
	return cmd
}

func chooseScenarios(c *raftsim.Config, wanted []string) ([]raftsim.Scenario, error) {
	possible := c.Topology.Scenarios()
	if len(wanted) == 0 {
		return possible, nil
	}
	var chosen []raftsim.Scenario
	for _, w := range wanted {
		s := raftsim.Scenario(w)
		switch {
		case slices.Contains(possible, s):
			chosen = append(chosen, s)
		case s == raftsim.LoseZone:
			return nil, cli.Usagef("--scenario zone: the cluster has one zone; name more of them with --topology")
		default:
			return nil, cli.Usagef("--scenario: there is no %q; kill, zone and rolling are", w)
		}
	}
	return chosen, nil
}

func failovers(cmd *cobra.Command, env *cli.Env, run runFunc, c *raftsim.Config, chosen []raftsim.Scenario, trials, workers int) ([]*raftsim.FailoverReport, error) {
	rep := env.Progress("simulating", cli.Items)
	rep.Start(int64(trials * len(chosen)))
	defer rep.Done()
	var reports []*raftsim.FailoverReport
	for _, s := range chosen {
		tally := raftsim.Tally{Config: c, Scenario: s}
		err := run(cmd.Context(), workers, raftsim.Trials(*c, s, trials), func(_ int, a raftsim.Answer) error {
			rep.Add(1)
			tally.Add(&a)
			return nil
		})
		if err != nil {
			return nil, err
		}
		reports = append(reports, tally.Report())
	}
	return reports, nil
}

func showFailovers(env *cli.Env, c *raftsim.Config, reports []*raftsim.FailoverReport) error {
	return render.Document(render.Unstamped(env), render.View{
		Kind: "RaftFailoverList",
		Body: struct {
			Items []*raftsim.FailoverReport `json:"items"`
		}{reports},
		Page: func(p *render.Page) { failoverPage(p, c, reports) },
		CSV: func() ([]string, [][]string) {
			return []string{"scenario", "of", "trials", "notRecovered", "p50Seconds", "p95Seconds", "p99Seconds", "maxSeconds"}, failoverCSV(reports)
		},
		Others: map[cli.Format]func(io.Writer) error{
			cli.SVG: func(w io.Writer) error { return writeFailovers(w, reports) },
		},
		Names: func() (names []string) {
			for _, r := range reports {
				names = append(names, string(r.Scenario))
			}
			return names
		},
	})
}

func failoverPage(p *render.Page, c *raftsim.Config, reports []*raftsim.FailoverReport) {
	p.Para("%s, heartbeat %s, election timeout %s; seconds, and below them the 95 %% confidence intervals.", count(len(c.Topology.Nodes), "node"), c.HeartbeatInterval, c.ElectionTimeout)
	var rows [][]string
	few := false
	for _, r := range reports {
		add := func(what string, d *raftsim.Distribution) {
			if d != nil {
				few = few || !d.P50.High.Known() || !d.P95.High.Known() || !d.P99.High.Known()
				rows = append(rows,
					[]string{string(r.Scenario), what, strconv.Itoa(r.Trials), decimals(d.P50.Seconds), decimals(d.P95.Seconds), decimals(d.P99.Seconds), decimals(d.Max)},
					[]string{"", "", "", interval(d.P50), interval(d.P95), interval(d.P99), ""})
			}
		}
		add("a leader", r.Leaderless)
		add("service", r.Outage)
	}
	p.Table([]string{"AFTER", "WITHOUT", "TRIALS", "P50", "P95", "P99", "MAX"}, []bool{false, false, true, true, true, true, true}, rows)
	if few {
		p.Para("%s", unknown)
	}
	for _, r := range reports {
		p.Heading(map[raftsim.Scenario]string{
			raftsim.KillLeader: "The leader dies", raftsim.LoseZone: "The leader's zone fails", raftsim.Rolling: "All nodes are restarted in turn",
		}[r.Scenario])
		p.Para("%s", r.Sentence)
	}
}

func estimate(e raftsim.Estimate) string {
	return decimals(e.Seconds) + " (" + interval(e) + ")"
}

// maxTrials bounds what is kept of them, two times each, and is more than any interval needs.
const maxTrials = 1_000_000

// unknown explains figures that are none.
const unknown = "?: so few trials do not say. longer: so many had not recovered when the trial ended."

func interval(e raftsim.Estimate) string {
	switch {
	case !e.Low.Known():
		return "?"
	case !e.High.Known():
		return decimals(e.Low) + "-?"
	}
	return decimals(e.Low) + "-" + decimals(e.High)
}

func decimals(s raftsim.Seconds) string {
	if !s.Known() {
		return "longer"
	}
	return strconv.FormatFloat(float64(s), 'f', 3, 64)
}

// number is "" where there is none.
func number(s raftsim.Seconds) string {
	if !s.Known() {
		return ""
	}
	return strconv.FormatFloat(float64(s), 'f', -1, 64)
}

func failoverCSV(reports []*raftsim.FailoverReport) (rows [][]string) {
	for _, r := range reports {
		for _, d := range []struct {
			of string
			d  *raftsim.Distribution
		}{{"leader", r.Leaderless}, {"service", r.Outage}} {
			if d.d != nil {
				rows = append(rows, []string{
					string(r.Scenario), d.of, strconv.Itoa(r.Trials), strconv.Itoa(r.NotRecovered),
					number(d.d.P50.Seconds), number(d.d.P95.Seconds), number(d.d.P99.Seconds), number(d.d.Max),
				})
			}
		}
	}
	return rows
}
