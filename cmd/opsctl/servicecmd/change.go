package servicecmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
)

func newRollback(env *cli.Env) *cobra.Command {
	var (
		change plancmd.Flags
		o      component.Options
		to     string
	)
	cmd := &cobra.Command{
		Use:   "rollback COMPONENT [flags]",
		Short: "Go back to a release that is still on the host",
		Long: "Switches to the next older release, or to that of --to, and restarts the service;\n" +
			"then it must become well, or everything is put back as it was. It shows the plan\n" +
			"first and asks.",
		Example: "  opsctl service rollback node_exporter --dry-run\n  opsctl service rollback node_exporter --to 1.5.0 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := change.Check(); err != nil {
				return err
			}
			if to != "" {
				v, err := component.ParseVersion(to)
				if err != nil {
					return cli.Usagef("--to: %w", err)
				}
				to = v
			}
			return apply(cmd.Context(), env, &change, "RollbackPlan", []string{"service", "rollback", args[0]}, args[0],
				func(ctx context.Context, in *component.Installer) (*plan.Plan, error) {
					return in.Rollback(ctx, args[0], to, o)
				})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "go to release `VERSION`")
	cmd.Flags().BoolVar(&o.Snapshot, "snapshot", false, "go to a version that cannot read the data; they are copied first")
	patience(cmd.Flags(), &o)
	change.Add(cmd.Flags())
	return cmd
}

// patience defines --wait and --settle.
func patience(f *pflag.FlagSet, o *component.Options) {
	f.DurationVar(&o.Wait, "wait", 10*time.Minute, "how long the service may take to be well, if it is getting on")
	f.DurationVar(&o.Settle, "settle", 2*time.Second, "how long it has to stay well")
}

func newReload(env *cli.Env) *cobra.Command {
	var (
		change plancmd.Flags
		o      component.Options
	)
	cmd := &cobra.Command{
		Use:   "reload COMPONENT [flags]",
		Short: "Have a component read its configuration anew, after it was checked",
		Long: "The release's own program (promtool, amtool ...) judges the file first; then the service\n" +
			"is told to read it, and must say that it took it. One that refuses goes on with what it\n" +
			"had, and the exit code is 1. It shows the plan first and asks.",
		Example: "  opsctl service reload prometheus --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := change.Check(); err != nil {
				return err
			}
			return apply(cmd.Context(), env, &change, "ReloadPlan", []string{"service", "reload", args[0]}, args[0],
				func(ctx context.Context, in *component.Installer) (*plan.Plan, error) {
					return in.Reload(ctx, args[0], o)
				})
		},
	}
	patience(cmd.Flags(), &o)
	change.Add(cmd.Flags())
	return cmd
}

func newRemove(env *cli.Env) *cobra.Command {
	var (
		change plancmd.Flags
		purge  bool
	)
	cmd := &cobra.Command{
		Use:   "remove COMPONENT [flags]",
		Short: "Take a component off the host; its data and configuration stay",
		Long: "Stops the service, and removes its unit and its releases. What lies in /etc and\n" +
			"/var/lib stays, and so does its account, unless --purge says otherwise. Everything\n" +
			"is moved aside before anything is deleted. It shows the plan first and asks.",
		Example: "  opsctl service remove node_exporter --dry-run\n  opsctl service remove prometheus --purge --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := change.Check(); err != nil {
				return err
			}
			return apply(cmd.Context(), env, &change, "RemovePlan", []string{"service", "remove", args[0]}, args[0],
				func(ctx context.Context, in *component.Installer) (*plan.Plan, error) {
					return in.Remove(ctx, args[0], purge)
				})
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "remove its configuration, its data and its account too")
	change.Add(cmd.Flags())
	return cmd
}

// apply runs a change of a component on this machine.
func apply(ctx context.Context, env *cli.Env, f *plancmd.Flags, kind string, args []string, name string,
	planner func(context.Context, *component.Installer) (*plan.Plan, error),
) error {
	in, done, err := component.Connect(ctx)
	if err != nil {
		return plancmd.Explain(err)
	}
	defer done()
	return plancmd.Explain(f.Run(ctx, env, plancmd.Job{
		Kind: kind, Components: []string{name}, Args: args, In: in,
		Plan: func(ctx context.Context) (*plan.Plan, error) { return planner(ctx, in) },
	}))
}
