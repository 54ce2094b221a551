package servicecmd

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
)

func newStatus(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "status COMPONENT",
		Short: "Show how a component is: its unit, version, health, exposure and drift",
		Long: "Exits with 3 when the service is not well, or when something of it is not as it was\n" +
			"installed: opsctl install COMPONENT --dry-run shows what.",
		Example: "  opsctl service status prometheus\n  opsctl service status node_exporter -o json | jq .exposure",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, done, err := component.Connect(cmd.Context())
			if err != nil {
				return plancmd.Explain(err)
			}
			defer done()
			one, err := in.Status(cmd.Context(), args[0])
			if err != nil {
				return plancmd.Explain(err)
			}
			v := render.View{Kind: "ServiceStatus", Body: one, Page: statusPage(one), CSV: statusCSV(one), Names: func() []string { return []string{one.Component} }}
			if err := render.Document(env, v); err != nil {
				return err
			}
			if !one.Healthy || one.Pending > 0 {
				return cli.Found()
			}
			return nil
		},
	}
}

// statusRows are the lines of a status, in order; shown writes times.
func statusRows(i *component.Installed, shown func(time.Time) string) [][]string {
	health := "ok"
	if !i.Healthy {
		health = "FAIL: " + i.Problem
	}
	since := i.Since
	if t, err := time.Parse(time.RFC3339, since); err == nil {
		since = shown(t)
	}
	drift := "none"
	if i.Pending > 0 {
		drift = strings.Join(i.Drift, "; ")
	}
	rows := [][]string{
		{"component", i.Component},
		{"version", i.Version},
		{"releases", strings.Join(i.Releases, " ")},
		{"listen", i.Listen},
		{"unit", i.Unit},
		{"drop-ins", strings.Join(i.DropIns, " ")},
		{"state", i.Active + ", " + i.Enabled},
		{"since", since},
		{"process", strconv.FormatUint(uint64(i.MainPID), 10)},
		{"restarts", strconv.FormatUint(uint64(i.Restarts), 10)},
		{"health", health},
		{"exposure", i.Exposure},
		{"drift", drift},
	}
	return rows
}

func statusPage(i *component.Installed) func(*render.Page) {
	return func(p *render.Page) { p.Table([]string{"", ""}, nil, statusRows(i, p.Time)) }
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func statusCSV(i *component.Installed) func() ([]string, [][]string) {
	return func() ([]string, [][]string) { return []string{"field", "value"}, statusRows(i, utc) }
}
