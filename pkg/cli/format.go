package cli

import (
	"fmt"
	"slices"
	"strings"
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

// Formats returns the formats in the order that help and completion show them.
func Formats() []Format {
	return []Format{Table, Wide, JSON, YAML, CSV, Name}
}

// String implements pflag.Value.
func (f *Format) String() string { return string(*f) }

// Type implements pflag.Value: the placeholder in help texts.
func (*Format) Type() string { return "FORMAT" }

// Set implements pflag.Value.
func (f *Format) Set(s string) error {
	if !slices.Contains(Formats(), Format(s)) {
		return fmt.Errorf("must be one of %s", formatNames())
	}
	*f = Format(s)
	return nil
}

func formatNames() string {
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
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
