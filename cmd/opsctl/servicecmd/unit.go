package servicecmd

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// newestSystemd is what a unit is written for where no systemd can be asked.
const newestSystemd = 257

func newUnit(env *cli.Env) *cobra.Command {
	version := 0
	cmd := &cobra.Command{
		Use:   "unit COMPONENT [flags]",
		Short: "Print the unit that an installation writes, and nothing else",
		Long: "As the component was chosen on this host, else as a new installation has it; for this\n" +
			"host's systemd, or that of --systemd-version.",
		Example: "  opsctl service unit prometheus\n  opsctl service unit node_exporter --systemd-version 219 | less",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, each := range []int{systemd.HostVersion(host.Local()), newestSystemd} {
				if version == 0 {
					version = each
				}
			}
			text, err := component.Unit(args[0], version)
			if err != nil {
				return plancmd.Explain(err)
			}
			body := map[string]any{"component": args[0], "systemd": version, "unit": text}
			return render.Document(env, render.View{
				Kind: "Unit", Body: body, Page: func(p *render.Page) { p.Text(text) },
				CSV:   func() ([]string, [][]string) { return []string{"component", "unit"}, [][]string{{args[0], text}} },
				Names: func() []string { return []string{args[0] + ".service"} },
			})
		},
	}
	cmd.Flags().IntVar(&version, "systemd-version", 0, "write it for systemd `N`")
	return cmd
}
