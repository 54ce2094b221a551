// Package registrycmd holds the commands of `opsctl registry`.
package registrycmd

import (
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// New builds the group.
func New(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "Run a container registry, see what fills it, and collect its garbage undoably",
		Long: "Runs a registry in a Docker engine; reads one through its API (--registry); and works on the\n" +
			"folders (--root) of one that keeps its data in files (registry:2, registry:3,\n" +
			"docker-registry), which may run meanwhile, unmodified.",
		Example: "  opsctl registry ls --root /var/lib/docker-registry\n" +
			"  opsctl registry gc --root /var/lib/docker-registry --dry-run",
	}
	cmd.AddCommand(
		newUp(env), newDown(env),
		newLs(env), newInspect(env), newDu(env), newExplain(env), newFsck(env),
		newRm(env), newGC(env), newUndo(env), newPurge(env),
	)
	return cmd
}

// workers is how many repositories are read at a time: more than there are processors, for they wait for the disk.
func workers() int { return 2 * runtime.GOMAXPROCS(0) }

// partial is the error of a result that lacks what could not be read, nil when nothing is wrong.
func partial(problems []*layout.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return cli.Partial(joined(problems))
}

// joined is problems as one error, nil when there are none.
func joined(problems []*layout.Problem) error {
	errs := make([]error, 0, len(problems))
	for _, trouble := range problems {
		errs = append(errs, trouble)
	}
	return errors.Join(errs...)
}
