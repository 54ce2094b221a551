package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Format is how a result is written to stdout.
type Format string

// The output formats of every command.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	CSV   Format = "csv"
	Name  Format = "name"
)

// Formats that single commands have besides: see WithFormats.
const (
	Prom Format = "prom" // metrics in Prometheus's text format
	HTML Format = "html" // one page that needs nothing else
	SVG  Format = "svg"  // one picture
)

// Formats returns the formats of every command in the order that help and completion show them.
func Formats() []Format {
	return []Format{Table, Wide, JSON, YAML, CSV, Name}
}

// formatFlag is -o of a command that has the formats all.
type formatFlag struct {
	format Format
	all    []Format
}

// String implements pflag.Value.
func (f *formatFlag) String() string { return string(f.format) }

// Type implements pflag.Value: the placeholder in help texts.
func (*formatFlag) Type() string { return "FORMAT" }

// Set implements pflag.Value.
func (f *formatFlag) Set(s string) error {
	if !slices.Contains(f.all, Format(s)) {
		return fmt.Errorf("must be one of %s", formatNames(f.all))
	}
	f.format = Format(s)
	return nil
}

func formatNames(formats []Format) string {
	names := make([]string, 0, len(formats))
	for _, f := range formats {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// addOutput defines -o with the formats of every command and extra ones.
func addOutput(flags *pflag.FlagSet, extra ...Format) {
	output := &formatFlag{format: Table, all: append(Formats(), extra...)}
	flags.VarP(output, "output", "o", "output `FORMAT`: "+formatNames(output.all))
}

// WithFormats gives a command formats that others lack. They are chosen by -o alone: what a variable or the configuration file
// sets holds for every command.
func WithFormats(cmd *cobra.Command, extra ...Format) *cobra.Command {
	addOutput(cmd.Flags(), extra...)
	var all []cobra.Completion
	for _, f := range append(Formats(), extra...) {
		all = append(all, string(f))
	}
	// The only error is about a flag that does not exist or has one already.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// peekFormat finds the output format on a command line that may not parse, so
// that the error about it comes out in the right form. The last one wins, as
// with pflag; fallback is the environment's choice.
func peekFormat(args []string, fallback string) Format {
	found := Table
	if f := Format(fallback); slices.Contains(Formats(), f) {
		found = f
	}
	for i, arg := range args {
		value, isOutput := "", false
		switch {
		case arg == "--":
			return found
		case arg == "-o" || arg == "--output":
			if i+1 < len(args) {
				value, isOutput = args[i+1], true
			}
		case strings.HasPrefix(arg, "--output="):
			value, isOutput = strings.TrimPrefix(arg, "--output="), true
		case strings.HasPrefix(arg, "-o"):
			value, isOutput = strings.TrimPrefix(strings.TrimPrefix(arg, "-o"), "="), true
		}
		if isOutput && slices.Contains(Formats(), Format(value)) {
			found = Format(value)
		}
	}
	return found
}
