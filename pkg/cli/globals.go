package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli/config"
)

// globals are the flags that every command has. Their values are read through
// the configuration, except --config itself.
type globals struct {
	configFile string
	// readFile is os.ReadFile.
	readFile func(string) ([]byte, error)
}

// addGlobals defines the flags of every command on the root. Apart from
// --config each is a setting: the flag only carries what was typed.
func addGlobals(root *cobra.Command) *globals {
	g := &globals{readFile: os.ReadFile}
	flags := root.PersistentFlags()
	flags.SortFlags = false
	addOutput(flags)
	flags.BoolP("quiet", "q", false, "no progress and no notes on stderr")
	flags.BoolP("verbose", "v", false, "log what is done to stderr")
	flags.Duration("timeout", 0, "give up after `DURATION`, such as 90s (0s: never)")
	flags.StringVar(&g.configFile, "config", "", "read settings from `FILE`")
	flags.Bool("no-color", false, "never colour the output")
	flags.Bool("no-input", false, "never ask; fail where a question would be needed")
	flags.Bool("utc", false, "show times in UTC instead of the local zone")
	// The only error is about a flag that does not exist or has one already.
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatCompletions(), cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions)
	return g
}

func formatCompletions() []cobra.Completion {
	var all []cobra.Completion
	for _, f := range Formats() {
		all = append(all, string(f))
	}
	return all
}

const skipConfig = "opsctl.skip-config"

// WithoutConfig marks a command that works whatever the configuration holds,
// as help and completion must. Flags and variables count as ever.
func WithoutConfig(cmd *cobra.Command) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[skipConfig] = strconv.FormatBool(true)
	return cmd
}

// apply resolves the settings into env and returns the command's context, which
// --timeout limits.
func (g *globals) apply(env *Env, cmd *cobra.Command) (context.Context, context.CancelFunc, error) {
	sources := config.Sources{Flags: cmd.Flags(), Getenv: env.Getenv, ReadFile: g.readFile, File: g.configFile}
	if cmd.Annotations[skipConfig] != "" {
		sources.ReadFile = func(string) ([]byte, error) { return nil, nil }
	}
	settings, err := config.Load(sources)
	if err != nil {
		return nil, nil, configError(err)
	}
	env.set(settings)
	ctx := cmd.Context()
	if settings.Timeout <= 0 {
		return ctx, func() {}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, settings.Timeout, &timeoutError{settings.Timeout})
	return ctx, cancel, nil
}

func (e *Env) set(settings *config.Resolved) {
	e.Config = settings
	e.Format = Format(settings.Output)
	e.UTC = settings.UTC
	e.Quiet = settings.Quiet
	e.NoInput = settings.NoInput
	e.Color = e.OutTerm && !settings.NoColor && e.Getenv("NO_COLOR") == "" && e.Getenv("TERM") != "dumb"
	e.Log = newLogger(e.Err, settings.Verbose)
}

// newLogger logs warnings and worse; verbose everything. The text handler
// quotes control characters, so foreign text in a log line is inert.
func newLogger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

func configError(err error) error {
	typed := &Error{Code: CodeUsage, ID: "config", Err: err}
	var at *config.Error
	if errors.As(err, &at) && errors.Is(err, config.ErrUnknownKey) {
		typed.Hint = "opsctl config show lists the keys there are"
	}
	return typed
}

// timeoutError is the cause of a context that --timeout ended.
type timeoutError struct{ after time.Duration }

// Error implements error.
func (e *timeoutError) Error() string { return fmt.Sprintf("timed out after %s", e.after) }

// plain says in a few words what is wrong with a flag's value. The errors of
// strconv and time repeat the value and name Go functions.
func plain(invalid *pflag.InvalidValueError) error {
	var num *strconv.NumError
	isNum := errors.As(invalid, &num)
	switch kind := invalid.GetFlag().Value.Type(); {
	case kind == "duration":
		return errors.New("not a duration such as 90s or 5m")
	case kind == "bool":
		return errors.New("neither true nor false")
	case isNum && errors.Is(num, strconv.ErrRange):
		return errors.New("out of range")
	case isNum:
		return errors.New("not a number")
	default:
		return invalid.Unwrap()
	}
}
