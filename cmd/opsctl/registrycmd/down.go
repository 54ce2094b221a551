package registrycmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/registry/deploy"
)

func newDown(env *cli.Env) *cobra.Command {
	var (
		name   string
		change plancmd.Flags
	)
	cmd := &cobra.Command{
		Use:   "down [flags]",
		Short: "Stop and remove a registry that up made; its data stay",
		Long: "Removes the containers and the network, keeps the volume or folder with the data, and\n" +
			"says where that is: up serves them again. What opsctl did not make is left alone. It\n" +
			"shows the plan first and asks.",
		Example: "  opsctl registry down --dry-run\n  opsctl registry down --name cache --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := change.Check(); err != nil {
				return err
			}
			return withEngine(cmd.Context(), env, func(ctx context.Context, e *engine.Engine) error {
				return change.Run(ctx, env, plancmd.Job{
					Kind: "RegistryDownPlan", Components: []string{name}, In: plancmd.Direct{},
					Plan: func(ctx context.Context) (*plan.Plan, error) { return deploy.Down(ctx, e, name) },
				})
			})
		},
	}
	addName(cmd.Flags(), &name)
	change.Add(cmd.Flags())
	return cmd
}
