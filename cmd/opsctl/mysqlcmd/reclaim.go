package mysqlcmd

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/span"
)

// planFunc is what the command calls; tests put their own in its place.
type planFunc func(context.Context, mysqlspace.PlanOptions) (*reclaim.Plan, error)

// reclaimOptions are the flags of `mysql reclaim`.
type reclaimOptions struct {
	source
	mysqlspace.PlanOptions
	replicas      []string
	keep, minSize string
	top           int
}

// fewSteps is how many steps the page shows unless --top says otherwise.
const fewSteps = 10

func newReclaim(env *cli.Env, plan planFunc) *cobra.Command {
	var o reclaimOptions
	cmd := &cobra.Command{
		Use:   "reclaim [flags]",
		Short: "Print a plan that gives disk space back, the most for the least risk first",
		Long: "Prints what would give space back, with the statements: rebuilds of tables (the server's\n" +
			"own, gh-ost's and pt-online-schema-change's way), purging of binary logs, truncation of undo\n" +
			"and temporary tablespaces, leftovers, logs. Each step says what it frees, how risky it is,\n" +
			"what room it needs meanwhile on which mount, whether that is there, and what forbids it.\n" +
			"It prints and never runs anything.\n\n" +
			"Binary logs are never purged past what the slowest known replica needs: --replica asks\n" +
			"replicas, with the same login. One that nobody asked blocks the step.",
		Example: "  opsctl mysql reclaim\n" +
			"  opsctl mysql reclaim --schema shop --top 3\n" +
			"  opsctl mysql reclaim --replica db2.example.org --replica db3.example.org --keep-binlogs 3d\n" +
			"  opsctl mysql reclaim --datadir /mnt/snapshot/mysql -o json | jq '.steps[0]'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(env, cmd); err != nil {
				return err
			}
			made, err := o.plan(cmd, env, plan)
			if err != nil {
				return err
			}
			if err := render.Document(env, o.view(made)); err != nil {
				return err
			}
			return verdict(false, made.Problems)
		},
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Schema, "schema", "", "plan only for `NAME`'s tables; * stands for any characters")
	f.StringVar(&o.Table, "table", "", "plan only for tables called `NAME`; * stands for any characters")
	f.StringVar(&o.minSize, "min-size", "1MiB", "leave out what frees less than `SIZE`")
	f.IntVar(&o.top, "top", 0, "show the `N` best steps; 0 shows all (unless set: 10 in table and wide, all elsewhere)")
	f.StringArrayVar(&o.replicas, "replica", nil, "ask the replica `HOST[:PORT]` which binary logs it still needs (repeatable)")
	f.StringVar(&o.keep, "keep-binlogs", "7d", "keep binary logs that are younger than `AGE`")
	f.StringVar(&o.Tmpdir, "tmpdir", "", "the server sorts in `DIR` (default what it says)")
	return cmd
}

func (o *reclaimOptions) check(env *cli.Env, cmd *cobra.Command) error {
	if err := cli.NotEmpty(cmd); err != nil {
		return err
	}
	var err error
	if o.KeepBinlogs, err = span.Parse(o.keep); err != nil {
		return cli.Usagef("--keep-binlogs: %w", err)
	}
	if o.LeastFreed, err = bytesize.Parse(o.minSize); err != nil {
		return cli.Usagef("--min-size: %w", err)
	}
	if o.top < 0 {
		return cli.Usagef("--top must not be negative, as %d is", o.top)
	}
	if !cmd.Flags().Changed("top") && (env.Format == cli.Table || env.Format == cli.Wide) {
		o.top = fewSteps
	}
	return nil
}

// plan asks the replicas and the server, reads files, and plans.
func (o *reclaimOptions) plan(cmd *cobra.Command, env *cli.Env, plan planFunc) (*reclaim.Plan, error) {
	o.Replicas = map[string][]live.Position{}
	for _, name := range o.replicas {
		said, err := o.askReplica(cmd.Context(), env, name)
		if err != nil {
			return nil, err
		}
		o.Replicas[name] = said
	}
	var made *reclaim.Plan
	_, err := o.collect(cmd, env, func(ctx context.Context, full mysqlspace.Options) (*space.Report, error) {
		o.PlanOptions.Options = full
		var err error
		made, err = plan(ctx, o.PlanOptions)
		return nil, err
	}, o.PlanOptions.Options)
	return made, err
}

// askReplica logs in at a replica as at the server.
func (o *reclaimOptions) askReplica(ctx context.Context, env *cli.Env, name string) (_ []live.Position, err error) {
	options := o.source.Options
	options.Host, options.Socket, options.Limit = name, "", o.limit
	if host, port, err := net.SplitHostPort(name); err == nil {
		options.Host = host
		if options.Port, err = strconv.Atoi(port); err != nil {
			return nil, cli.Usagef("--replica %q: the port is no number", name)
		}
	}
	if o.PasswordStdin {
		return nil, cli.Usagef("--password-stdin and --replica do not go together: standard input is read once")
	}
	config, err := mysqlconn.Resolve(ctx, options, connectEnv(env))
	if err != nil {
		return nil, connectError(err)
	}
	session, err := config.Open(ctx)
	if err != nil {
		return nil, connectError(err)
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	said, err := live.Positions(ctx, session)
	if err != nil {
		return nil, connectError(err)
	}
	return said, nil
}

func (o *reclaimOptions) view(plan *reclaim.Plan) render.View {
	shown := plan.Steps
	if o.top > 0 {
		shown = shown[:min(o.top, len(shown))]
	}
	body := *plan
	body.Steps = shown
	return render.View{
		Kind: "ReclaimPlan",
		Body: struct {
			reclaim.Plan
			InAll int `json:"stepsInAll"`
		}{body, len(plan.Steps)},
		Page: func(p *render.Page) { (&reclaimPage{p, plan, shown}).write() },
		CSV:  func() ([]string, [][]string) { return reclaimCSV(shown) },
		Names: func() []string {
			names := make([]string, 0, len(shown))
			for i := range shown {
				names = append(names, string(shown[i].Kind)+" "+shown[i].Name())
			}
			return names
		},
	}
}

func reclaimCSV(steps []reclaim.Step) (heads []string, rows [][]string) {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	for i := range steps {
		s := &steps[i]
		var commands []string
		for _, c := range s.Commands {
			commands = append(commands, c.Text)
		}
		rows = append(rows, []string{
			string(s.Kind), s.Schema, s.Table, s.File, number(s.FreesBytes), number(s.FreesLowBytes), number(s.FreesHighBytes), s.Mount,
			string(s.Risk), string(s.Fits), string(s.FitsInOrder), strings.Join(s.Blockers, "; "), strings.Join(commands, "\n"),
		})
	}
	return []string{
		"kind", "schema", "table", "file", "frees_bytes", "frees_low_bytes", "frees_high_bytes", "mount",
		"risk", "fits", "fits_in_order", "blockers", "commands",
	}, rows
}
