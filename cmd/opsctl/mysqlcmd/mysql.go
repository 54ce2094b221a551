// Package mysqlcmd holds the commands of `opsctl mysql`.
package mysqlcmd

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
)

// New builds the group.
func New(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mysql",
		Short: "Show what uses the space of a MySQL or MariaDB server, and what a rebuild would free",
		Long: "Works on a live server, on the files of one (a copy, a snapshot, a host that crashed),\n" +
			"or on both. Nothing is changed, neither on the server nor in its files.",
		Example: "  opsctl mysql space\n" +
			"  opsctl mysql space --datadir /var/lib/mysql",
	}
	cmd.AddCommand(newSpace(env, mysqlspace.Collect), newHistory(env, mysqlspace.Collect))
	return cmd
}
