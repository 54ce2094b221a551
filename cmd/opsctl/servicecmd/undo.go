package servicecmd

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
)

func newHistory(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "history",
		Short:   "List the runs that changed this host, the latest first",
		Long:    "UNDO tells which of them opsctl service undo can take back: the latest 20 at most.",
		Example: "  opsctl service history\n  opsctl service history -o json | jq -r '.items[0].id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, done, err := component.Connect(cmd.Context())
			if err != nil {
				return plancmd.Explain(err)
			}
			defer done()
			runs, err := in.Runs()
			if err != nil {
				return err
			}
			return render.List(env, "RunList", runColumns(env), func(r component.Run) string { return r.ID }, runs)
		},
	}
}

func runColumns(env *cli.Env) []render.Column[component.Run] {
	return []render.Column[component.Run]{
		{Head: "RUN", Value: func(r component.Run) string { return r.ID }},
		{Head: "BEGUN", Value: func(r component.Run) string { return render.Time(env, r.Begun) }},
		{Head: "COMMAND", Value: func(r component.Run) string { return r.Command }},
		{Head: "STEPS", Right: true, Value: func(r component.Run) string { return strconv.Itoa(r.Steps) }},
		{Head: "STATUS", Value: func(r component.Run) string { return r.Status }},
		{Head: "UNDO", Value: func(r component.Run) string {
			if r.Undoable {
				return "yes"
			}
			return "no"
		}},
	}
}

func newUndo(env *cli.Env) *cobra.Command {
	var (
		change plancmd.Flags
		o      component.Options
	)
	cmd := &cobra.Command{
		Use:   "undo [RUN] [flags]",
		Short: "Take a run back: files, links, owners, accounts and services as they were",
		Long: "Without RUN the latest that changed something, or was killed while it did. What the\n" +
			"run wrote must stand as it left it: if a later run or a hand changed it, nothing is\n" +
			"done (exit 6). Data that a service wrote since stay. It shows the plan first and asks;\n" +
			"undoing can itself be undone.",
		Example: "  opsctl service undo --dry-run\n  opsctl service undo 20261122T165433.000000Z --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := change.Check(); err != nil {
				return err
			}
			run := ""
			if len(args) > 0 {
				run = args[0]
			}
			return plancmd.Explain(undo(cmd.Context(), env, &change, run, o))
		},
	}
	patience(cmd.Flags(), &o)
	change.Add(cmd.Flags())
	return cmd
}

func undo(ctx context.Context, env *cli.Env, f *plancmd.Flags, run string, o component.Options) error {
	in, done, err := component.Connect(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, id, err := in.Undo(ctx, run, o)
	if errors.Is(err, component.ErrFormat) {
		return &cli.Error{Code: cli.CodeDeclined, ID: "install.format", Err: err, Hint: "opsctl service rollback COMPONENT --snapshot copies the data first"}
	}
	if err != nil {
		return err
	}
	return f.Run(ctx, env, plancmd.Job{
		Kind: "UndoPlan", Components: []string{"run " + id}, Args: []string{"service", "undo", id}, In: in, Undoes: id,
		Plan: func(ctx context.Context) (*plan.Plan, error) {
			p, _, err := in.Undo(ctx, id, o)
			return p, err
		},
	})
}
