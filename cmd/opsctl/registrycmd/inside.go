package registrycmd

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/relay"
)

// away runs a command line on a registry's volumes, which it may not write when readOnly.
type away func(ctx context.Context, at found, line []string, readOnly bool, out io.Writer) error

// inside runs a command line in a container beside the registry's that has no network. A command that changes something shows its
// plan first, and is agreed to here.
func inside(ctx context.Context, env *cli.Env, cmd *cobra.Command, args []string, at found, run away) error {
	line := commandLine(env, cmd, args, at.in.Root)
	given := func(flag string) bool { return cmd.Flags().Lookup(flag) != nil && cmd.Flags().Changed(flag) }
	reads := cmd.Flags().Lookup("dry-run") == nil || cmd.Flags().Lookup("repair") != nil && !given("repair") || given("dry-run")
	if reads || given("yes") {
		return run(ctx, at, line, reads, env.Out)
	}
	plan := append(slices.Clone(line), "--dry-run", "--output", string(cli.Table))
	if err := run(ctx, at, plan, true, env.Err); err != nil && !partialOnly(err) {
		return err
	}
	if err := env.Confirm("Do it?"); err != nil {
		return err
	}
	return run(ctx, at, append(line, "--yes"), false, env.Out)
}

// partialOnly reports whether a plan was shown, though not all of it could be read.
func partialOnly(err error) bool {
	typed, ok := errors.AsType[*cli.Error](err)
	return ok && (typed.Code == cli.CodePartial || typed.Code == cli.CodeFound)
}

// elsewhere are the flags that are of no use in the container.
func elsewhere() []string {
	return []string{"root", "container", "registry", "ca-file", "config", "output", "keep-ref", "keep-running"}
}

// commandLine is a command and its flags as they were given, for the root directory in the container.
func commandLine(env *cli.Env, cmd *cobra.Command, args []string, root string) []string {
	line := []string{"registry", cmd.Name(), "--root", root, "--output", string(env.Format)}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(elsewhere(), f.Name) {
			line = append(line, "--"+f.Name+"="+f.Value.String())
		}
	})
	if len(args) > 0 {
		line = append(append(line, "--"), args...)
	}
	return line
}

// plainly runs a command line that needs nothing from here. Its exit code is the error's; it has said why itself.
func plainly(env *cli.Env) away {
	return func(ctx context.Context, at found, line []string, readOnly bool, out io.Writer) error {
		self, err := thisProgram(env)
		if err != nil {
			return err
		}
		exit, err := at.engine.RunSelf(ctx, self, engine.Run{
			Args: line, VolumesFrom: at.in.ID, ReadOnly: readOnly, Stdout: out, Stderr: env.Err,
		})
		return exitError(exit, err)
	}
}

// relayed runs a collection: the registry's cache and the images to keep are looked after from here.
func relayed(env *cli.Env, keep *digest.Set) away {
	return func(ctx context.Context, at found, line []string, readOnly bool, out io.Writer) error {
		self, err := thisProgram(env)
		if err != nil {
			return err
		}
		running, err := at.remembers(ctx)
		if err != nil {
			return err
		}
		if !at.in.Running {
			line = append(line, "--stopped")
		}
		var exit int
		err = relay.Serve(ctx, relay.Terms{Keep: keep, Running: running}, out, func(stdin io.Reader, stdout io.Writer) error {
			var err error
			exit, err = at.engine.RunSelf(ctx, self, engine.Run{
				Args: append(line, "--relay"), VolumesFrom: at.in.ID, ReadOnly: readOnly, Stdin: stdin, Stdout: stdout, Stderr: env.Err,
			})
			return err
		})
		return exitError(exit, err)
	}
}

func thisProgram(env *cli.Env) (engine.Self, error) {
	path, err := os.Executable()
	return engine.Self{Path: path, Version: env.Version}, err
}

func exitError(exit int, err error) error {
	if err != nil || exit == 0 {
		return err
	}
	return &cli.Error{Code: cli.Code(exit), ID: "container"}
}
