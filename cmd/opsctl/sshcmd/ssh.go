// Package sshcmd holds the commands of `opsctl ssh`.
package sshcmd

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

// New builds the group.
func New(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ssh",
		Short:   "Explain who logs in over SSH, and who could",
		Example: "  opsctl ssh audit\n  opsctl ssh who-can root",
	}
	cmd.AddCommand(newAudit(env, audit), newWhoCan(env))
	return cmd
}
