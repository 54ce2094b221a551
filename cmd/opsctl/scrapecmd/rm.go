package scrapecmd

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/scrape"
)

func newRm(env *cli.Env) *cobra.Command {
	var o editOptions
	cmd := &cobra.Command{
		Use:   "rm JOB [TARGET...] [flags]",
		Short: "Remove a scrape job, or targets of one, without touching another byte",
		Long: "Without TARGET the whole job goes, whatever is in it; comments above it stay.\n" +
			"With TARGET these go, whatever their labels; a group without targets goes with\n" +
			"its last one, and so does the job, unless it finds targets by other means as\n" +
			"well, which is an error. What scrape add wrote is taken back to the byte.\n" +
			"A job or a target that is not there is nothing to do: exit 0.",
		Example: "  opsctl scrape rm node web02:9100\n" +
			"  opsctl scrape rm node --dry-run --exit-code",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0], func(name string, data []byte) ([]byte, error) {
				return scrape.Remove(name, data, args[0], args[1:]...)
			})
		},
	}
	o.flags(cmd)
	return cmd
}
