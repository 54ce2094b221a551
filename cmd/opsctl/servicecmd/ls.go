package servicecmd

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
)

func newLs(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the components that opsctl installed, and how they are",
		Long: "Asks systemd and each service. DRIFT counts the steps that installing it again, as it\n" +
			"was chosen, would take: 0 when nobody changed anything.",
		Example: "  opsctl service ls\n  opsctl service ls -o json | jq -r '.items[] | select(.healthy | not) | .component'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, done, err := component.Connect(cmd.Context())
			if err != nil {
				return plancmd.Explain(err)
			}
			defer done()
			list, err := in.List(cmd.Context())
			if err != nil && len(list) == 0 {
				return plancmd.Explain(err)
			}
			if renderErr := render.List(env, "ServiceList", columns(), func(i component.Installed) string { return i.Component }, list); renderErr != nil {
				return renderErr
			}
			if err != nil {
				return cli.Partial(err)
			}
			return nil
		},
	}
}

func columns() []render.Column[component.Installed] {
	return []render.Column[component.Installed]{
		{Head: "COMPONENT", Value: func(i component.Installed) string { return i.Component }},
		{Head: "VERSION", Value: func(i component.Installed) string { return i.Version }},
		{Head: "LISTEN", Value: func(i component.Installed) string { return i.Listen }},
		{Head: "STATE", Value: func(i component.Installed) string { return i.Active + ", " + i.Enabled }},
		{Head: "HEALTH", Value: func(i component.Installed) string {
			if i.Healthy {
				return "ok"
			}
			return "FAIL"
		}},
		{Head: "DRIFT", Right: true, Value: func(i component.Installed) string { return strconv.Itoa(i.Pending) }},
		{Head: "RELEASES", Wide: true, Value: func(i component.Installed) string { return strings.Join(i.Releases, " ") }},
		{Head: "PROBLEM", Wide: true, Value: func(i component.Installed) string { return i.Problem }},
	}
}
