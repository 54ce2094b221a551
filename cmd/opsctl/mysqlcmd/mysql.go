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
		Short: "Show what uses a MySQL server's disk, and what would free it",
		Long: "Works on a live server of MySQL or MariaDB, on the files of one (a copy, a\n" +
			"snapshot, a host that crashed), or on both. Nothing is changed, neither on the\n" +
			"server nor in its files.",
		Example: "  opsctl mysql space\n" +
			"  opsctl mysql space --datadir /var/lib/mysql\n" +
			"  opsctl mysql reclaim",
	}
	cmd.AddCommand(newSpace(env, mysqlspace.Collect), newReclaim(env, mysqlspace.PlanReclaim), newHistory(env, mysqlspace.Collect))
	guardPasswords(env, cmd)
	return cmd
}
