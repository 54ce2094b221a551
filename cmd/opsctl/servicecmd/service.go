// Package servicecmd holds the commands of `opsctl service`.
package servicecmd

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// New builds the group.
func New(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "service",
		Short:   "Look after installed components and their units",
		Example: "  opsctl service ls\n  opsctl service lint node_exporter.service",
	}
	cmd.AddCommand(
		newLs(env), newStatus(env), newReload(env), newRollback(env), newRemove(env),
		newHistory(env), newUndo(env), newUnit(env), newBundle(env), newLint(env, systemd.LintFiles),
	)
	return cmd
}
