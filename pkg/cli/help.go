package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth bounds the lines of help texts on wide terminals, and is their
// width where it is not known.
const helpWidth = 100

// writeHelp prints a command's help: what it does, how it is called, examples,
// subcommands, flags. It stands in for cobra's so that flag texts are wrapped
// to the terminal and global flags do not bury a command's own.
func writeHelp(env *Env, cmd *cobra.Command) {
	var buf bytes.Buffer
	width := helpWidth
	if env.Width > 0 {
		width = min(env.Width, helpWidth)
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(&buf, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(text), usageLine(cmd))
	if cmd.Example != "" {
		fmt.Fprintf(&buf, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	writeCommands(&buf, cmd)
	own, global := splitFlags(cmd)
	writeFlags(&buf, "Flags", own, width)
	writeFlags(&buf, "Global flags", global, width)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&buf, "\nRun '%s COMMAND --help' for more about a command.\n", cmd.CommandPath())
	}
	// The sticky writer reports a failure at the end of Main.
	_, _ = io.Copy(env.Out, &buf)
}

// splitFlags tells a command's own flags from everybody's: the root's
// persistent flags, and --help, which cobra adds to each command separately.
func splitFlags(cmd *cobra.Command) (own, global *pflag.FlagSet) {
	own, global = pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	global.SortFlags = false
	cmd.InitDefaultHelpFlag()
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" && cmd.Root().PersistentFlags().Lookup(flag.Name) == nil {
			own.AddFlag(flag)
		}
	})
	cmd.Root().PersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if mine := cmd.Flags().Lookup(flag.Name); mine != nil {
			flag = mine // -o of a command with formats of its own
		}
		global.AddFlag(flag)
	})
	if help := cmd.Flags().Lookup("help"); help != nil {
		help.Usage = "show this help"
		global.AddFlag(help)
	}
	return own, global
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && cmd.Use == cmd.Name() {
		return cmd.CommandPath() + " COMMAND [flags]"
	}
	return cmd.UseLine()
}

// writeCommands lists subcommands: those without a group first, then the
// others under the titles of their groups.
func writeCommands(buf *bytes.Buffer, cmd *cobra.Command) {
	subs := cmd.Commands()
	pad := 0
	for _, sub := range subs {
		if !sub.Hidden {
			pad = max(pad, len(sub.Name()))
		}
	}
	section := func(title, id string) {
		heading := "\n" + title + ":\n"
		for _, sub := range subs {
			// cobra counts the help command as not available.
			if (sub.IsAvailableCommand() || sub.Name() == "help") && sub.GroupID == id {
				fmt.Fprintf(buf, "%s  %-*s  %s\n", heading, pad, sub.Name(), sub.Short)
				heading = ""
			}
		}
	}
	section("Commands", "")
	for _, group := range cmd.Groups() {
		section(group.Title, group.ID)
	}
}

func writeFlags(buf *bytes.Buffer, title string, flags *pflag.FlagSet, width int) {
	if flags.HasAvailableFlags() {
		fmt.Fprintf(buf, "\n%s:\n%s", title, flags.FlagUsagesWrapped(width))
	}
}
