package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// WithSignals returns a context that SIGINT or SIGTERM cancels with a
// SignalError as its cause. After the first signal the handlers are gone, so
// that a second Ctrl-C kills a command that hangs. stop releases everything.
func WithSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&SignalError{Signal: s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(context.Canceled)
	}
}

// Main runs one command line and returns the exit code. It writes errors to
// env.Err and never exits by itself. newRoot builds the command tree; Main adds
// the global flags to it and makes it strict. env is filled in from flags and
// configuration before the command's RunE sees it.
func Main(ctx context.Context, env *Env, newRoot func(*Env) *cobra.Command, args []string) (code Code) {
	out := &stdout{w: env.Out}
	env.Out, env.Args = out, args
	env.Format = peekFormat(args, env.Getenv("OPSCTL_OUTPUT"))
	env.Log = slog.New(slog.DiscardHandler)
	defer func() {
		if v := recover(); v != nil {
			code = reportPanic(env, v, debug.Stack())
		}
	}()
	err := run(ctx, env, newRoot(env), args)
	if err == nil || out.err != nil && !errors.Is(out.err, syscall.EPIPE) {
		// A result that did not arrive outweighs whatever it was about.
		err = cmp.Or(out.err, err)
	}
	if failure := classify(ctx, err); failure != nil {
		report(env, failure)
		return failure.Code
	}
	return CodeOK
}

func run(ctx context.Context, env *Env, root *cobra.Command, args []string) error {
	if args == nil {
		args = []string{} // cobra reads os.Args itself when it gets nil
	}
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	makeStrict(env, root, args)
	return root.ExecuteContext(ctx)
}

// reportPanic turns a defect of opsctl into exit code 1 with the stack that a
// bug report needs.
func reportPanic(env *Env, v any, stack []byte) Code {
	failure := &Error{
		Code: CodeFailed, ID: "internal", Err: fmt.Errorf("internal error: %v", v),
		Hint: "this is a bug in opsctl " + env.Version + ": please report it with the command line and the stack below",
	}
	if env.Format == JSON {
		failure.Hint = "this is a bug in opsctl " + env.Version + ": please report it with the command line"
		failure.Err = fmt.Errorf("%w\n%s", failure.Err, stack)
		report(env, failure)
		return failure.Code
	}
	report(env, failure)
	// A failing stderr leaves nobody to tell.
	_, _ = env.Err.Write(stack)
	return failure.Code
}

var errNoCommand = errors.New("no command given")
