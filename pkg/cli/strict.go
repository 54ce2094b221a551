package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// makeStrict goes through the tree once and closes the gaps in cobra through
// which a wrong command line would pass as a right one:
//
//   - a group answers a mistyped subcommand with its help and exit code 0;
//   - errors about flags, arguments and flag groups have no type;
//   - suggestions work under the root only.
//
// Settings are applied by wrapping RunE, not in a persistent pre-run, which
// would also run for shell completion.
func makeStrict(env *Env, root *cobra.Command, args []string) {
	global := addGlobals(root)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(env, cmd) })
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, args, err) })
	visit(root, func(cmd *cobra.Command) {
		if cmd.HasSubCommands() && !cmd.Runnable() {
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = runGroup
			return
		}
		wrap(env, global, cmd)
	})
}

func visit(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, sub := range cmd.Commands() {
		visit(sub, f)
	}
}

// runGroup is what a command with subcommands does when none of them was named.
func runGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	err := Usagef("%w", errNoCommand)
	if cmd.HasParent() {
		err = Usagef("%s: %w", cmd.Name(), errNoCommand)
	}
	err.Hint = fmt.Sprintf("%s --help lists the commands", cmd.CommandPath())
	return err
}

func unknownCommand(group *cobra.Command, name string) error {
	err := Usagef("unknown command %q for %q", name, group.CommandPath())
	if group.SuggestionsMinimumDistance <= 0 {
		group.SuggestionsMinimumDistance = 2
	}
	err.Hint = fmt.Sprintf("%s --help lists the commands", group.CommandPath())
	if similar := group.SuggestionsFor(name); len(similar) > 0 {
		err.Hint = "did you mean " + group.CommandPath() + " " + strings.Join(similar, " or ") + "?"
	}
	return err
}

// wrap types the errors of a runnable command's arguments and applies the
// settings before it runs.
func wrap(env *Env, global *globals, cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		return argsError(cmd, args, check)
	}
	run := cmd.RunE
	if run == nil {
		return
	}
	// cobra checks required flags and flag groups after the pre-runs and
	// returns plain errors, so this comes first and types them.
	cmd.PreRunE = chain(cmd.PreRunE, func(cmd *cobra.Command, _ []string) error {
		for _, err := range []error{cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()} {
			if err != nil {
				return usageFor(cmd, err)
			}
		}
		return nil
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, cancel, err := global.apply(env, cmd)
		if err != nil {
			return err
		}
		defer cancel()
		cmd.SetContext(ctx)
		return timedOut(ctx, run(cmd, args))
	}
}

func chain(first, second func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	if first == nil {
		return second
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := first(cmd, args); err != nil {
			return err
		}
		return second(cmd, args)
	}
}

// argsError types the error of a positional argument check. A check may return
// an Error of its own.
func argsError(cmd *cobra.Command, args []string, check cobra.PositionalArgs) error {
	err := check(cmd, args)
	if _, typed := errors.AsType[*Error](err); err == nil || typed {
		return err
	}
	// cobra's NoArgs calls a superfluous argument an unknown command.
	if len(args) > 0 && cmd.ValidArgs == nil && check(cmd, nil) == nil && check(cmd, args[:1]) != nil {
		err = fmt.Errorf("takes no arguments, got %q", args[0])
	}
	return usageFor(cmd, err)
}

// usageFor says which command was misused and where its usage stands.
func usageFor(cmd *cobra.Command, err error) error {
	where := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	typed := Usagef("%s: %w", where, err)
	if !cmd.HasParent() {
		typed = Usagef("%w", err)
	}
	typed.Hint = cmd.CommandPath() + " --help shows how it is used"
	return typed
}

// flagError types the error of a flag. Under a group, a mistyped subcommand
// followed by that subcommand's own flags is about the subcommand.
func flagError(cmd *cobra.Command, args []string, err error) error {
	if cmd.HasSubCommands() {
		if _, rest, findErr := cmd.Root().Find(args); findErr == nil {
			cmd.FParseErrWhitelist.UnknownFlags = true
			if cmd.ParseFlags(rest) == nil && cmd.Flags().NArg() > 0 {
				return unknownCommand(cmd, cmd.Flags().Arg(0))
			}
		}
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		err = fmt.Errorf("invalid value %q for --%s: %w", invalid.GetValue(), invalid.GetFlag().Name, plain(invalid))
	}
	return usageFor(cmd, err)
}

// timedOut names --timeout in the error of a command that ran into it. A
// command that rendered a partial result and said so keeps its own error.
func timedOut(ctx context.Context, err error) error {
	cause, expired := errors.AsType[*timeoutError](context.Cause(ctx))
	if typed, ok := errors.AsType[*Error](err); ok && typed.Code != CodeFailed {
		return err
	}
	if !expired || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Code: CodeFailed, ID: "timeout", Err: fmt.Errorf("%w: %w", cause, err), Hint: "give it longer with --timeout"}
}
