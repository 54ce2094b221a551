package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/config"
	"github.com/opsctl/opsctl/pkg/cli/render"
)

func newConfig(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Settings and where they come from",
		GroupID: selfGroup,
		Example: "  opsctl config show",
	}
	cmd.AddCommand(newConfigShow(env))
	return cmd
}

func newConfigShow(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Print every setting with its value and its origin",
		Long: `Print every setting with its value and its origin.

A flag wins over an environment variable, a variable over the configuration
file, the file over the default. One file is read: the one --config or
OPSCTL_CONFIG names, else $XDG_CONFIG_HOME/opsctl/config.yaml (by default
~/.config/opsctl/config.yaml), else ` + config.SystemFile + `.`,
		Example: "  opsctl config show\n  OPSCTL_UTC=true opsctl config show --timeout 90s -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			key := func(v config.Value) string { return v.Key }
			return render.List(env, "ConfigList", []render.Column[config.Value]{
				{Head: "SETTING", Value: key},
				{Head: "VALUE", Value: func(v config.Value) string { return v.Value }},
				{Head: "ORIGIN", Value: func(v config.Value) string { return strings.TrimSpace(v.Origin + " " + v.Source) }},
			}, key, env.Config.Values)
		},
	}
}
