// Package scrapecmd holds the commands of `opsctl scrape`.
package scrapecmd

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

// New builds the group.
func New(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "scrape",
		Short:   "List and edit the scrape jobs of a Prometheus configuration",
		Example: "  opsctl scrape ls\n  opsctl scrape add node web01:9100 web02:9100",
	}
	cmd.AddCommand(newLs(env), newAdd(env), newRm(env))
	return cmd
}
