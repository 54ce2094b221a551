package registrycmd

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

func newUndo(env *cli.Env) *cobra.Command {
	var (
		where folder
		flags plancmd.Flags
	)
	cmd := &cobra.Command{
		Use:   "undo [ID] [flags]",
		Short: "Take back what registry gc, rm or fsck has put away",
		Long: "Puts everything back that the run ID has put into quarantine, and the runs after it, the\n" +
			"last one first; without ID the latest run. The folders are then as they were. What has come\n" +
			"to the same place since stays, and the old copy stays in quarantine.",
		Example: "  opsctl registry undo --root /var/lib/docker-registry --dry-run\n" +
			"  opsctl registry undo 20261122T215335.000000Z --root /var/lib/docker-registry --yes",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Check(); err != nil {
				return err
			}
			id := ""
			if len(args) == 1 {
				id = args[0]
			}
			return where.use(env, cmd, args, plainly(env), func(ctx context.Context, at found) error {
				return withCollector(env, at.root, sweep.Options{}, func(c *sweep.Collector) error { return undo(ctx, env, c, id, flags) })
			})
		},
	}
	where.add(cmd)
	flags.Add(cmd.Flags())
	return cmd
}

func undo(ctx context.Context, env *cli.Env, c *sweep.Collector, id string, flags plancmd.Flags) error {
	undone, err := c.PlanUndo(id)
	if err != nil {
		return sweepError(err)
	}
	if !flags.DryRun {
		if err := agreeUndo(env, undone, flags.Yes); err != nil {
			return err
		}
		if undone, err = c.Undo(ctx, id); err != nil {
			return sweepError(err)
		}
	}
	return showUndone(env, undone, flags)
}

func agreeUndo(env *cli.Env, undone *sweep.Undone, yes bool) error {
	if yes {
		return nil
	}
	for _, r := range undone.Runs {
		line := fmt.Sprintf("%s  %s: %s\n", r.ID, r.Kind, amount(r.Restored))
		if _, err := io.WriteString(env.Err, render.Safe(line[:len(line)-1])+"\n"); err != nil {
			return err
		}
	}
	return env.Confirm("Put it back?")
}

func showUndone(env *cli.Env, undone *sweep.Undone, flags plancmd.Flags) error {
	cells := func() [][]string {
		var rows [][]string
		for _, r := range undone.Runs {
			rows = append(rows, []string{
				r.ID, r.Kind, r.At.UTC().Format(time.RFC3339), strconv.Itoa(r.Restored.Manifests),
				strconv.Itoa(r.Restored.Blobs), strconv.FormatInt(r.Restored.Bytes, 10), strconv.Itoa(r.Kept),
			})
		}
		return rows
	}
	view := render.View{
		Kind: "RegistryUndo",
		Body: struct {
			Applied bool `json:"applied"`
			*sweep.Undone
		}{!flags.DryRun, undone},
		Page: func(p *render.Page) {
			p.Table([]string{"RUN", "KIND", "BEGUN", "MANIFESTS", "BLOBS", "BYTES", "KEPT AWAY"},
				[]bool{false, false, false, true, true, true, true}, cells())
			if flags.DryRun {
				p.Para("would be taken back, the first row first")
			} else {
				p.Para("taken back")
			}
		},
		CSV: func() ([]string, [][]string) {
			return []string{"run", "kind", "begun", "manifests", "blobs", "bytes", "kept_away"}, cells()
		},
		Names: func() []string {
			var ids []string
			for _, r := range undone.Runs {
				ids = append(ids, r.ID)
			}
			return ids
		},
	}
	if err := render.Document(env, view); err != nil {
		return err
	}
	if flags.ExitCode {
		return cli.Found()
	}
	return nil
}
