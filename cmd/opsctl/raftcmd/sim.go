package raftcmd

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// simOptions are the flags of `raft sim`.
type simOptions struct {
	clusterFlags
	seeds    string
	faults   []string
	nemesis  string
	timeline bool
	save     string
	saveDir  string
}

// nemesisSnapshots is between two snapshots with a nemesis: so few that those who lag get one.
const nemesisSnapshots = 100

func newSim(env *cli.Env, run runFunc) *cobra.Command {
	o := simOptions{clusterFlags: newClusterFlags()}
	cmd := &cobra.Command{
		Use:   "sim [flags]",
		Short: "Run a cluster in virtual time, with faults, and check that it stays consistent",
		Long: "Runs a cluster of etcd's consensus core in virtual time, with clients that read and\n" +
			"write, on a simulated network and simulated disks. It reports elections and who did\n" +
			"not vote and why, times without a leader and without service, latencies, and whether\n" +
			"Raft's invariants held, which are checked at every step. The same seed gives the\n" +
			"same bytes, on any number of workers.\n\n" +
			"--fault does one thing to the cluster, and --fault help lists what can be done;\n" +
			"--nemesis default does many, chosen by the seed. A run in which an invariant does\n" +
			"not hold ends with exit code 3, and saves itself for `raft replay` and `raft shrink`.",
		Example: "  opsctl raft sim\n" +
			"  opsctl raft sim --nodes 5 --fault 'kill leader @10s for 5s' --timeline\n" +
			"  opsctl raft sim --nodes 4 --rtt 20ms --fault 'partition n1,n2 | n3,n4 @5s'\n" +
			"  opsctl raft sim --seeds 1..100 --nemesis default --duration 10s\n" +
			"  opsctl raft sim --duration 20s --fault 'kill leader @5s' -o html > run.html\n" +
			"  opsctl raft sim --fault help",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.faults) == 1 && o.faults[0] == "help" {
				_, err := io.WriteString(env.Out, fault.Help())
				return err
			}
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			return o.run(cmd, env, run)
		},
	}
	cli.WithFormats(cmd, cli.HTML, cli.SVG)
	o.addFlags(cmd)
	f := cmd.Flags()
	f.DurationVar(&o.Duration, "duration", o.Duration, "`TIME` that the run takes, in virtual time")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "the number `N` that all chance in the run follows from")
	f.StringVar(&o.seeds, "seeds", "", "run all seeds `FROM..TO`, and report each in a line")
	f.StringArrayVar(&o.faults, "fault", nil, "do `FAULT` to the cluster, such as 'kill leader @10s for 5s'; may be repeated; help lists all")
	f.StringVar(&o.nemesis, "nemesis", "none", "faults by the seed, default, or from a `FILE` with one a line")
	f.BoolVar(&o.timeline, "timeline", false, "show the run as a timeline")
	f.StringVar(&o.save, "save", "", "save the run to `FILE`, for raft replay")
	f.StringVar(&o.saveDir, "save-dir", ".", "save runs that violate an invariant in `DIR`")
	cmd.MarkFlagsMutuallyExclusive("seed", "seeds")
	cmd.MarkFlagsMutuallyExclusive("save", "seeds")
	cmd.MarkFlagsMutuallyExclusive("timeline", "seeds")
	return cmd
}

func (o *simOptions) run(cmd *cobra.Command, env *cli.Env, run runFunc) error {
	if o.nemesis == "default" && o.SnapshotEntries == 0 {
		o.SnapshotEntries = nemesisSnapshots
	}
	base, err := o.config(cmd)
	if err != nil {
		return err
	}
	if base.Faults, err = o.schedule(); err != nil {
		return err
	}
	if err := aimed(env, &base, o.nemesis == "default"); err != nil {
		return err
	}
	if o.seeds != "" && (env.Format == cli.HTML || env.Format == cli.SVG) {
		return cli.Usagef("-o %s shows one run: use --seed, not --seeds", env.Format)
	}
	if err := o.writable(cmd); err != nil {
		return err
	}
	first, last := o.Seed, o.Seed
	if o.seeds != "" {
		if first, last, err = parseSeeds(o.seeds); err != nil {
			return err
		}
	}
	if first == last && o.seeds == "" {
		return o.single(cmd.Context(), env, run, o.seeded(base, first))
	}
	return o.many(cmd.Context(), env, run, base, first, last)
}

// writable refuses places that runs could not be saved to, where somebody named one: most runs save nothing, and may be made anywhere.
func (o *simOptions) writable(cmd *cobra.Command) error {
	switch {
	case o.save != "":
		return savable("--save", atomicfile.Writable(o.save))
	case cmd.Flags().Changed("save-dir"):
		return savable("--save-dir", atomicfile.WritableDir(o.saveDir))
	}
	return nil
}

// schedule are the faults that do not depend on the seed.
func (o *simOptions) schedule() (faults []fault.Fault, err error) {
	for _, text := range o.faults {
		f, err := fault.Parse(text)
		if err != nil {
			return nil, &cli.Error{Code: cli.CodeUsage, ID: "usage", Err: fmt.Errorf("--fault: %w", err), Hint: "opsctl raft sim --fault help"}
		}
		faults = append(faults, f)
	}
	if o.nemesis == "none" || o.nemesis == "default" {
		return faults, nil
	}
	f, err := os.Open(o.nemesis)
	if err != nil {
		return nil, fileError(fmt.Errorf("--nemesis: %w", err))
	}
	defer func() { _ = f.Close() }()
	more, err := fault.ParseSchedule(f)
	if err != nil {
		return nil, &cli.Error{Code: cli.CodeUsage, ID: "usage", Err: fmt.Errorf("%s: %w", o.nemesis, err), Hint: "opsctl raft sim --fault help"}
	}
	return append(faults, more...), nil
}

// seeded is a run with a seed, and the faults that follow from it.
func (o *simOptions) seeded(base raftsim.Config, seed uint64) raftsim.Config {
	base.Seed = seed
	if o.nemesis == "default" {
		r := rand.New(rand.NewPCG(seed, nemesisStream)) //nolint:gosec // a simulation has to be repeatable
		base.Faults = append(slices.Clip(base.Faults), fault.Default(r, len(base.Topology.Nodes), base.Duration)...)
	}
	return base
}

// nemesisStream keeps the draws of schedules apart from those of runs.
const nemesisStream = 0x6e656d65736973

// parseSeeds reads FROM..TO.
func parseSeeds(text string) (first, last uint64, err error) {
	from, to, ok := strings.Cut(text, "..")
	first, err1 := strconv.ParseUint(from, 10, 64)
	last, err2 := strconv.ParseUint(to, 10, 64)
	if !ok || err1 != nil || err2 != nil || last < first {
		return 0, 0, cli.Usagef("--seeds: %q is no range of seeds: write it as 1..1000", text)
	}
	return first, last, nil
}

// single runs one seed and shows all of it.
func (o *simOptions) single(ctx context.Context, env *cli.Env, run runFunc, c raftsim.Config) error {
	a, err := run.one(ctx, views(env, c, o.timeline))
	if err != nil {
		return err
	}
	if err := showRun(env, &c, &a); err != nil {
		return err
	}
	if o.save != "" {
		if err := saveTrace(o.save, &c, a.Report); err != nil {
			return err
		}
		return cli.Verdict(len(a.Report.Violations) > 0, nil)
	}
	return o.found(env, []failure{{c, a.Report}})
}

// failure is a run in which an invariant did not hold.
type failure struct {
	config raftsim.Config
	report *raftsim.Report
}

// many runs seeds and shows a line of each.
func (o *simOptions) many(ctx context.Context, env *cli.Env, run runFunc, base raftsim.Config, first, last uint64) error {
	rep := progress.OrNop(env.Progress("simulating", cli.Items))
	rep.Start(int64(last - first + 1))
	defer rep.Done()
	jobs := func(yield func(raftsim.Job) bool) {
		for seed := first; yield(raftsim.Job{Config: o.seeded(base, seed)}) && seed != last; seed++ {
		}
	}
	var reports []*raftsim.Report
	var failures []failure
	err := run(ctx, o.workers, jobs, func(i int, a raftsim.Answer) error {
		rep.Add(1)
		if len(a.Report.Violations) > 0 {
			failures = append(failures, failure{o.seeded(base, first+uint64(i)), a.Report})
		}
		reports = append(reports, a.Report)
		return nil
	})
	rep.Done()
	if err != nil {
		return err
	}
	if err := showRuns(env, reports); err != nil {
		return err
	}
	return o.found(env, failures)
}

// maxSaved is how many failing runs save themselves.
const maxSaved = 10

// found saves what failed, and says that it did.
func (o *simOptions) found(env *cli.Env, failures []failure) error {
	found := false
	for i, f := range failures {
		if len(f.report.Violations) == 0 {
			continue
		}
		found = true
		if i >= maxSaved {
			break
		}
		path := filepath.Join(o.saveDir, fmt.Sprintf("raft-%d.json", f.config.Seed))
		if err := saveTrace(path, &f.config, f.report); err != nil {
			say(env, "this run could not save itself: %v", err)
			continue
		}
		say(env, "saved: opsctl raft replay %s", path)
	}
	if found {
		return cli.Found()
	}
	return nil
}

func showRuns(env *cli.Env, reports []*raftsim.Report) error {
	right := func(head string, value func(*raftsim.Report) string) render.Column[*raftsim.Report] {
		return render.Column[*raftsim.Report]{Head: head, Right: true, Value: value}
	}
	columns := []render.Column[*raftsim.Report]{
		right("SEED", func(r *raftsim.Report) string { return strconv.FormatUint(r.Seed, 10) }),
		{Head: "HASH", Value: func(r *raftsim.Report) string { return r.Hash }},
		right("TERM", func(r *raftsim.Report) string { return strconv.FormatUint(r.Term, 10) }),
		right("LEADERS", func(r *raftsim.Report) string { return strconv.Itoa(len(r.Leaders)) }),
		right("LEADERLESS", func(r *raftsim.Report) string { return seconds(total(r.Leaderless)) }),
		right("ANSWERED", func(r *raftsim.Report) string { return strconv.FormatUint(r.Operations.Answered, 10) }),
		right("EVENTS", func(r *raftsim.Report) string { return strconv.FormatUint(r.Events, 10) }),
		{Head: "INVARIANTS", Value: func(r *raftsim.Report) string {
			if len(r.Violations) > 0 {
				return "FAIL " + r.Violations[0].Invariant
			}
			return "ok"
		}},
	}
	return render.List(render.Unstamped(env), "RaftSimulationList", columns, func(r *raftsim.Report) string { return strconv.FormatUint(r.Seed, 10) }, reports)
}

func total(windows []raftsim.WindowReport) (sum float64) {
	for _, w := range windows {
		sum += w.ToSeconds - w.FromSeconds
	}
	return sum
}
