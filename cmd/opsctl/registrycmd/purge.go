package registrycmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
	"github.com/opsctl/opsctl/pkg/span"
)

func newPurge(env *cli.Env) *cobra.Command {
	var (
		where folder
		age   time.Duration
		flags plancmd.Flags
	)
	cmd := &cobra.Command{
		Use:   "purge [flags]",
		Short: "Delete what was put away long enough ago, for good",
		Long: "Marks the store, restores from quarantine what is referred to, and then deletes the runs\n" +
			"that are older than --older-than. They cannot be undone afterwards, and their bytes leave\n" +
			"the disk.",
		Example: "  opsctl registry purge --root /var/lib/docker-registry --dry-run\n" +
			"  opsctl registry purge --root /var/lib/docker-registry --older-than 2d --yes",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Check(); err != nil {
				return err
			}
			return where.use(env, cmd, args, plainly(env), func(ctx context.Context, at found) error {
				return withCollector(env, at.root, sweep.Options{PurgeOlderThan: age}, func(c *sweep.Collector) error {
					return purge(ctx, env, c, age, flags)
				})
			})
		},
	}
	where.add(cmd)
	flags.Add(cmd.Flags())
	age = span.Week
	cmd.Flags().Var(span.Value{D: &age}, "older-than", "delete what was put away longer ago")
	return cmd
}

func purge(ctx context.Context, env *cli.Env, c *sweep.Collector, age time.Duration, flags plancmd.Flags) error {
	r, err := c.PlanPurge(age)
	if err != nil {
		return sweepError(err)
	}
	nothing := r.Freed == (sweep.Amount{})
	// Without anything to delete there may be a purge to finish that was stopped, which asks for no leave again.
	if flags.DryRun || !flags.Yes && nothing {
		if err := collected(env, purgeKind, r, false, nil); err != nil || !flags.ExitCode || nothing {
			return err
		}
		return cli.Found()
	}
	if !flags.Yes {
		if _, err := fmt.Fprintf(env.Err, "to be deleted: %s\n", amount(r.Freed)); err != nil {
			return err
		}
		if err := env.Confirm("Delete it for good?"); err != nil {
			return err
		}
	}
	r, err = c.Purge(ctx, age)
	return collected(env, purgeKind, r, true, err)
}

// purgeKind is the document's.
const purgeKind = "RegistryPurge"

// purged is the document; see [sweep.Report].
type purged struct {
	Applied    bool              `json:"applied"`
	Freed      sweep.Amount      `json:"freed"`
	Restored   sweep.Amount      `json:"restored"`
	Held       sweep.Amount      `json:"held"`
	HeldUntil  *time.Time        `json:"heldUntil,omitempty"`
	Problems   []*layout.Problem `json:"problems"`
	Incomplete bool              `json:"incomplete"`
	Unpurged   bool              `json:"unpurged"`
	Seconds    []sweep.Phase     `json:"seconds"`
}

// unpurged is said where nothing was deleted though it was old enough.
const unpurged = "nothing was deleted: what cannot be read may refer to it; opsctl registry fsck says how to mend that"

// purgeLines says what was deleted, or would be.
func purgeLines(done bool) func(*sweep.Report) []string {
	return func(r *sweep.Report) []string {
		var lines []string
		say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
		switch {
		case r.Unpurged:
			say("%s", unpurged)
		case r.Freed == (sweep.Amount{}):
			say("nothing was put away long enough ago")
		case done:
			say("deleted: %s", amount(r.Freed))
		default:
			say("to be deleted: %s", amount(r.Freed))
		}
		if r.Restored != (sweep.Amount{}) {
			say("referred to again and restored: %s", amount(r.Restored))
		}
		return append(lines, held(r)...)
	}
}
