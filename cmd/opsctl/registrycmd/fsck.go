package registrycmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/registry/fsck"
	"github.com/opsctl/opsctl/pkg/severity"
)

// fsckOptions are the flags.
type fsckOptions struct {
	folder

	failOn        string
	quick, repair bool
	change        plancmd.Flags
}

func newFsck(env *cli.Env) *cobra.Command {
	o := fsckOptions{failOn: string(severity.Low)}
	cmd := &cobra.Command{
		Use:   "fsck [flags]",
		Short: "Check a registry's folders, and mend what can be mended",
		Long: "Reads every blob against its digest, and looks at links, tags, manifests and uploads: what\n" +
			"is empty, damaged, missing or does not belong there. The registry may run meanwhile. The\n" +
			"exit code is 3 when something is found, and 4 when something could not be read.\n\n" +
			"With --repair it shows a plan and asks: what is broken goes into the quarantine in the\n" +
			"registry's own folder, and links that are empty are written anew where the folder's name\n" +
			"says what they held and that blob is sound. What cannot be judged is left alone. opsctl\n" +
			"registry undo takes it back. docs/registry.md explains each id.",
		Example: "  opsctl registry fsck --root /var/lib/docker-registry\n" +
			"  opsctl registry fsck --root /var/lib/docker-registry --quick --fail-on high\n" +
			"  opsctl registry fsck --root /var/lib/docker-registry --repair --dry-run",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.use(env, cmd, args, plainly(env), func(ctx context.Context, at found) error { return o.run(ctx, env, at.root) })
		},
	}
	o.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.quick, "quick", false, "do not read the blobs: sizes and links alone")
	f.BoolVar(&o.repair, "repair", false, "mend what can be mended")
	f.StringVar(&o.failOn, "fail-on", o.failOn, "exit 3 on a finding of this `SEVERITY` or above: info, low, medium, high, critical")
	o.change.Add(f)
	return cmd
}

func (o *fsckOptions) check(cmd *cobra.Command) error {
	limit, err := severity.Parse(o.failOn)
	if err != nil {
		return cli.Usagef("--fail-on: %w", err)
	}
	o.failOn = string(limit)
	if o.repair {
		if cmd.Flags().Changed("fail-on") {
			return cli.Usagef("--fail-on does not go with --repair")
		}
		return o.change.Check()
	}
	for _, name := range []string{"dry-run", "exit-code", "yes"} {
		if cmd.Flags().Changed(name) {
			return cli.Usagef("--%s goes with --repair", name)
		}
	}
	return nil
}

func (o *fsckOptions) run(ctx context.Context, env *cli.Env, root string) error {
	c, err := fsck.Open(root, fsck.Options{
		Quick: o.quick, Workers: workers(), Now: env.Now,
		Progress: func(phase string) progress.Reporter { return env.Progress(phase, cli.Bytes) },
	})
	if err != nil {
		return explain(err)
	}
	defer func() { _ = c.Close() }()
	report, err := c.Check(ctx)
	if err != nil {
		return err
	}
	if o.repair {
		return o.mend(ctx, env, c, report)
	}
	if err := render.Document(env, fsckView(report)); err != nil {
		return err
	}
	unread := partial(report.Problems)
	limit := severity.Severity(o.failOn)
	if slices.ContainsFunc(report.Items, func(f fsck.Finding) bool { return f.Severity.AtLeast(limit) }) {
		found := cli.Found()
		found.Err = unread
		return found
	}
	return unread
}

// mend shows what would be mended and does it.
func (o *fsckOptions) mend(ctx context.Context, env *cli.Env, c *fsck.Checker, report *fsck.Report) error {
	m := &mender{c: c, report: report}
	err := o.change.Run(ctx, env, plancmd.Job{
		Kind: "RegistryFsckPlan", Components: []string{"registry"}, In: m,
		Plan: func(context.Context) (*plan.Plan, error) { return c.Plan(report), nil },
	})
	if m.id != "" {
		_, failed := fmt.Fprintf(env.Err, "take it back: opsctl registry undo %s\n", m.id)
		err = errors.Join(err, failed)
	}
	if err != nil {
		return sweepError(err)
	}
	return partial(report.Problems)
}

// mender applies a repair; the steps look again themselves.
type mender struct {
	c      *fsck.Checker
	report *fsck.Report
	id     string
}

// Apply implements [plancmd.Applier].
func (m *mender) Apply(ctx context.Context, change component.Change) (err error) {
	m.id, err = m.c.Apply(ctx, m.report, change.Watch)
	return err
}

func fsckView(r *fsck.Report) render.View {
	return render.View{
		Kind: "RegistryFsck",
		Body: r,
		Page: func(p *render.Page) { fsckPage(p, r) },
		CSV: func() ([]string, [][]string) {
			rows := [][]string{}
			for _, f := range r.Items {
				rows = append(rows, []string{f.ID, string(f.Severity), f.Path, f.Message, f.Remedy, string(f.Repair)})
			}
			return []string{"id", "severity", "path", "message", "remedy", "repair"}, rows
		},
		Names: func() []string {
			names := []string{}
			for _, f := range r.Items {
				names = append(names, f.Path+":"+f.ID)
			}
			return names
		},
	}
}

func fsckPage(p *render.Page, r *fsck.Report) {
	mends := 0
	for _, f := range r.Items {
		p.Para("%s: %s  %s", f.Path, p.Severity(string(f.Severity)), f.ID)
		p.Para("    %s", f.Message)
		p.Para("    %s", f.Remedy)
		if f.Repair != "" {
			mends++
		}
	}
	what := strconv.Itoa(len(r.Items)) + " findings"
	switch {
	case len(r.Items) == 0:
		what = "no findings"
	case len(r.Items) == 1:
		what = "1 finding"
	}
	read := p.Bytes(r.Bytes) + " read"
	if r.Quick {
		read = "none of them read"
	}
	p.Para("%d repositories, %d blobs, %s: %s", r.Repositories, r.Blobs, read, what)
	if mends > 0 {
		p.Para("opsctl registry fsck --repair can mend %d of them", mends)
	}
}
