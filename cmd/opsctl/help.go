package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
)

// newHelp builds `help`. Topics are its subcommands, so that they take -o like
// any other; every other argument is the path of a command.
func newHelp(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "help [COMMAND...]",
		Short:             "Explain a command or a topic, such as the exit codes",
		GroupID:           selfGroup,
		Example:           "  opsctl help version\n  opsctl help exit-codes",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeCommands,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownTopic(cmd, args)
			}
			return target.Help()
		},
	}
	cmd.AddCommand(newExitCodes(env))
	return cli.WithoutConfig(cmd)
}

func unknownTopic(help *cobra.Command, args []string) error {
	err := cli.Usagef("help: nothing is called %q", strings.Join(args, " "))
	err.Hint = "opsctl --help lists the commands"
	help.SuggestionsMinimumDistance = 2
	help.Root().SuggestionsMinimumDistance = 2
	if similar := append(help.SuggestionsFor(args[0]), help.Root().SuggestionsFor(args[0])...); len(similar) > 0 {
		err.Hint = fmt.Sprintf("did you mean opsctl help %s?", strings.Join(similar, " or "))
	}
	return err
}

func completeCommands(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	target, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	for _, sub := range target.Commands() {
		if sub.IsAvailableCommand() {
			found = append(found, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

func newExitCodes(env *cli.Env) *cobra.Command {
	return cli.WithoutConfig(&cobra.Command{
		Use:     "exit-codes",
		Short:   "What the exit codes mean",
		Example: "  opsctl help exit-codes\n  opsctl help exit-codes -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			code := func(m cli.CodeMeaning) string { return strconv.Itoa(int(m.Code)) }
			return render.List(env, "ExitCodeList", []render.Column[cli.CodeMeaning]{
				{Head: "CODE", Right: true, Value: code},
				{Head: "STDOUT", Value: stdoutOf, Raw: func(m cli.CodeMeaning) string { return strconv.FormatBool(m.Output) }},
				{Head: "MEANING", Value: func(m cli.CodeMeaning) string { return m.Meaning }},
			}, code, cli.ExitCodes())
		},
	})
}

func stdoutOf(m cli.CodeMeaning) string {
	if m.Output {
		return "the result"
	}
	return "empty"
}
