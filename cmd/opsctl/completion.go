package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

func newCompletion(env *cli.Env) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return cli.WithoutConfig(&cobra.Command{
		Use:     "completion SHELL",
		Short:   "Print a shell's completion script: " + strings.Join(shells, ", "),
		GroupID: selfGroup,
		Long: `Print the script that lets SHELL complete opsctl's commands, flags and values.

  bash        source <(opsctl completion bash)
  zsh         opsctl completion zsh > "${fpath[1]}/_opsctl"
  fish        opsctl completion fish > ~/.config/fish/completions/opsctl.fish
  powershell  opsctl completion powershell | Out-String | Invoke-Expression

Bash needs the package bash-completion.`,
		Example:   "  opsctl completion bash > opsctl.bash",
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return cli.Usagef("completion: name one shell of %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeCompletion(env.Out, cmd.Root(), args[0])
		},
	})
}

func writeCompletion(w io.Writer, root *cobra.Command, shell string) error {
	var buf bytes.Buffer
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&buf, true)
	case "zsh":
		err = root.GenZshCompletion(&buf)
	case "fish":
		err = root.GenFishCompletion(&buf, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(&buf)
	}
	if err != nil {
		return fmt.Errorf("generating the %s completion: %w", shell, err)
	}
	_, err = buf.WriteTo(w)
	return err
}
