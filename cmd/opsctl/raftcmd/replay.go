package raftcmd

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// savable is the error of a place that no trace can be saved to, which is told before the work is done.
func savable(flag string, err error) error {
	if err == nil {
		return nil
	}
	hint := "name a file in a folder that can be written, with " + flag
	if flag == "--save-dir" {
		hint = "name a folder that can be written, with " + flag
	}
	return &cli.Error{Code: cli.CodeFailed, ID: "raft.save", Err: err, Hint: hint}
}

// saveTrace writes a run that can be repeated.
func saveTrace(path string, c *raftsim.Config, r *raftsim.Report) error {
	t := raftsim.Trace{Config: *c, Hash: r.Hash}
	if len(r.Violations) > 0 {
		t.Violation = &r.Violations[0]
	}
	var b bytes.Buffer
	if err := t.Write(&b); err != nil {
		return err
	}
	return atomicfile.Write(path, b.Bytes(), 0o644)
}

func readTrace(path string) (*raftsim.Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer func() { _ = f.Close() }()
	t, err := raftsim.ReadTrace(f)
	if err != nil {
		return nil, &cli.Error{Code: cli.CodeUsage, ID: "raft.trace", Err: fmt.Errorf("%s: %w", path, err), Hint: "a trace is what `opsctl raft sim` saves when an invariant does not hold"}
	}
	return t, nil
}

func newReplay(env *cli.Env, run runFunc) *cobra.Command {
	var timeline bool
	cmd := &cobra.Command{
		Use:   "replay TRACE",
		Short: "Repeat a run that saved itself, event by event",
		Long: "Repeats a run from the trace that `raft sim` saved, and compares the hash of all its\n" +
			"events. It ends as that run did: with exit code 3 where an invariant did not hold,\n" +
			"and with 1 where the run is another, which is so with another version of opsctl.",
		Example: "  opsctl raft replay raft-42.json --timeline\n" +
			"  opsctl raft replay raft-42.json -o html > run.html",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTrace(args[0])
			if err != nil {
				return err
			}
			a, err := run.one(cmd.Context(), views(env, t.Config, timeline))
			if err != nil {
				return err
			}
			if a.Report.Hash != t.Hash {
				return otherRun(args[0], t, a.Report)
			}
			if err := showRun(env, &t.Config, &a); err != nil {
				return err
			}
			if len(a.Report.Violations) > 0 {
				return cli.Found()
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&timeline, "timeline", false, "show the run as a timeline")
	return cli.WithFormats(cmd, cli.HTML, cli.SVG)
}

// otherRun is the error of a trace that is repeated in another way.
func otherRun(path string, t *raftsim.Trace, r *raftsim.Report) error {
	return &cli.Error{
		Code: cli.CodeFailed, ID: "raft.other", Err: fmt.Errorf("%s: this run has the hash %s, not %s", path, r.Hash, inert.String(t.Hash)),
		Hint: cores(t) + ": run it anew with opsctl raft sim --seed",
	}
}

// cores says why a trace may be another run here: of which core it is, and which is in this program.
func cores(t *raftsim.Trace) string {
	switch t.Core {
	case core.Version:
		return fmt.Sprintf("the trace is of %s, as this opsctl is, so another version of opsctl made it, or it was changed", core.Version)
	case "":
		return fmt.Sprintf("the trace does not say of which core it is, and this opsctl has %s", core.Version)
	}
	return fmt.Sprintf("the trace is of %s, and this opsctl has %s", inert.String(t.Core), core.Version)
}

func newShrink(env *cli.Env, run runFunc) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "shrink TRACE",
		Short: "Make the schedule of a failing run as small as it can be",
		Long: "Leaves out faults, clients and time from a run that saved itself, as long as the same\n" +
			"invariant is violated, and moves what is left to round times. What remains is\n" +
			"written as a trace of its own, which a person can read.",
		Example: "  opsctl raft shrink raft-42.json\n" +
			"  opsctl raft shrink raft-42.json --out small.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			if out == "" {
				out = smallName(args[0])
			}
			return shrink(cmd, env, run, args[0], out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the smaller trace to `FILE` (default TRACE with .small before .json)")
	return cmd
}

func shrink(cmd *cobra.Command, env *cli.Env, run runFunc, path, out string) error {
	t, err := readTrace(path)
	if err != nil {
		return err
	}
	if t.Violation == nil {
		return &cli.Error{Code: cli.CodeUsage, ID: "raft.trace", Err: fmt.Errorf("%s: the run violates nothing", path), Hint: "shrink a trace that opsctl raft sim saved"}
	}
	if err := savable("--out", atomicfile.Writable(out)); err != nil {
		return err
	}
	rep := env.Progress("shrinking", cli.Items)
	rep.Start(0)
	defer rep.Done()
	// A worker serves all runs: starting one takes longer than most of them.
	small, report, err := shrinkIn(cmd.Context(), run, t, func() { rep.Add(1) })
	rep.Done()
	if err != nil {
		return err
	}
	if !hasViolation(report, t.Violation.Invariant) {
		return &cli.Error{
			Code: cli.CodeFailed, ID: "raft.other", Err: fmt.Errorf("%s: the run does not violate %s any more", path, t.Violation.Invariant),
			Hint: cores(t) + ": run it anew with opsctl raft sim --seed",
		}
	}
	if err := saveTrace(out, &small, report); err != nil {
		return err
	}
	say(env, "%d faults became %d, %s became %s: opsctl raft replay %s", len(t.Config.Faults), len(small.Faults), t.Config.Duration, small.Duration, out)
	return showRun(env, &small, &raftsim.Answer{Report: report})
}
