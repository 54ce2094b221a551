package registrycmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/registry/relay"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
	"github.com/opsctl/opsctl/pkg/span"
)

// gcOptions are the flags of gc.
type gcOptions struct {
	folder
	sweep.Options

	change plancmd.Flags
	keep   keepFlags
	never  bool // purge
	ask    bool // this runs in a container, see package relay
}

func newGC(env *cli.Env) *cobra.Command {
	var o gcOptions
	cmd := &cobra.Command{
		Use:   "gc [flags]",
		Short: "Collect a registry's garbage while it runs, undoably",
		Long: "Finds what no tag and no manifest needs, and puts it into a quarantine in the registry's\n" +
			"own folder: first the links to it, so that clients push it again, and once those have been\n" +
			"away for --grace the blobs themselves. Then the store is watched until nothing has changed\n" +
			"for --settle, and what is referred to again comes back. Nothing is deleted before a later\n" +
			"run, --purge-older-than after it was put away; until then opsctl registry undo takes the\n" +
			"run back. The registry may run and take pushes meanwhile.\n\n" +
			"Untagged manifests stay, unless --delete-untagged is given; the plan says what that\n" +
			"would add. With --grace 0s all is done in one run: a push that is under way just then may\n" +
			"fail, loudly, and succeeds when it is repeated.",
		Example: "  opsctl registry gc --root /var/lib/docker-registry --dry-run\n" +
			"  opsctl registry gc --root /var/lib/docker-registry --delete-untagged --yes\n" +
			"  opsctl registry gc --root /var/lib/docker-registry --stopped --grace 0s --yes",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.prepare(cmd.Context(), env); err != nil {
				return err
			}
			return o.use(env, cmd, args, relayed(env, o.Keep), func(ctx context.Context, at found) error { return o.run(ctx, env, at) })
		},
	}
	o.add(cmd)
	return cmd
}

// add defines the flags.
func (o *gcOptions) add(cmd *cobra.Command) {
	o.folder.add(cmd)
	o.change.Add(cmd.Flags())
	o.keep.add(cmd)
	o.Grace, o.Settle, o.PurgeOlderThan = time.Hour, time.Minute, span.Week
	f := cmd.Flags()
	f.BoolVarP(&o.DeleteUntagged, "delete-untagged", "m", false, "collect manifests without a tag as well")
	f.Var(span.Value{D: &o.Grace}, "grace", "leave alone what is younger, and blobs whose links have been away for less")
	f.Var(span.Value{D: &o.Settle}, "settle", "how long the store has to rest at the end")
	f.Var(span.Value{D: &o.PurgeOlderThan}, "purge-older-than", "delete what was put away longer ago")
	f.BoolVar(&o.never, "no-purge", false, "delete nothing, however long ago it was put away")
	f.BoolVar(&o.Stopped, "stopped", false, "no registry uses the folder: do not wait, and remove empty folders")
	f.BoolVar(&o.ask, "relay", false, "ask on stdout for what only the caller can do")
	_ = f.MarkHidden("relay")
}

// prepare reads what the flags name.
func (o *gcOptions) prepare(ctx context.Context, env *cli.Env) (err error) {
	if err := o.change.Check(); err != nil {
		return err
	}
	if o.never {
		o.PurgeOlderThan = -1
	}
	if !o.ask {
		o.Keep, err = o.keep.digests(ctx, env)
		return err
	}
	terms, err := relay.Attach(env.In, env.Out)
	o.Keep, o.Running = terms.Keep, terms.Running
	return err
}

func (o *gcOptions) run(ctx context.Context, env *cli.Env, at found) (err error) {
	if o.Stopped = o.Stopped || at.in != nil && !at.in.Running; o.Stopped {
		o.Settle = 0
	}
	if !o.ask {
		if o.Running, err = running(ctx, at, &o.Options); err != nil {
			return err
		}
	}
	return collect(ctx, env, at.root, o.Options, o.change)
}

// collect shows the plan and does it.
func collect(ctx context.Context, env *cli.Env, root string, o sweep.Options, flags plancmd.Flags) error {
	return withCollector(env, root, o, func(c *sweep.Collector) error {
		if flags.Yes {
			r, err := c.Collect(ctx)
			return collected(env, "RegistryGC", r, true, err)
		}
		r, err := c.Plan(ctx)
		if err != nil {
			return sweepError(err)
		}
		if flags.DryRun {
			err := collected(env, "RegistryGC", r, false, nil)
			if err == nil && flags.ExitCode && !nothing(r) {
				return cli.Found()
			}
			return err
		}
		if _, err := io.WriteString(env.Err, strings.Join(planLines(r), "\n")+"\n"); err != nil {
			return err
		}
		if err := env.Confirm("Put it into quarantine?"); err != nil {
			return err
		}
		r, err = c.Collect(ctx)
		return collected(env, "RegistryGC", r, true, err)
	})
}

// withCollector opens a collector for one call.
func withCollector(env *cli.Env, root string, o sweep.Options, use func(*sweep.Collector) error) error {
	o.Workers, o.Now = workers(), env.Now
	o.Progress = func(phase string) progress.Reporter { return env.Progress(phase, cli.Items) }
	c, err := sweep.Open(root, o)
	if err != nil {
		return explain(err)
	}
	defer func() { _ = c.Close() }()
	return use(c)
}

// sweepError says what to do about an error of the collector's.
func sweepError(err error) error {
	if held, ok := errors.AsType[*lockfile.HeldError](err); ok {
		return &cli.Error{Code: cli.CodeDeclined, ID: "registry.locked", Err: held, Hint: "wait for it to end"}
	}
	return explain(err)
}

// collected shows what was found or done. A run that failed has a report as well, which goes to stderr.
func collected(env *cli.Env, kind string, r *sweep.Report, done bool, failed error) error {
	if failed != nil {
		if r != nil {
			_, err := io.WriteString(env.Err, strings.Join(resultLines(r), "\n")+"\n")
			failed = errors.Join(failed, err)
		}
		return sweepError(failed)
	}
	lines := planLines
	switch {
	case kind == purgeKind:
		lines = purgeLines(done)
	case done:
		lines = resultLines
	}
	view := render.View{
		Kind: kind,
		Body: reportBody(kind, r, done),
		Page: func(p *render.Page) { reportPage(p, r, lines(r)) },
		CSV:  func() ([]string, [][]string) { return rowHeads(), rowCells(r) },
		Names: func() []string {
			var names []string
			for _, row := range r.Repositories {
				names = append(names, row.Name)
			}
			return names
		},
	}
	if err := render.Document(env, view); err != nil {
		return err
	}
	return partial(r.Problems)
}

// reportBody is the document; that of a purge has only what purging is about.
func reportBody(kind string, r *sweep.Report, done bool) any {
	if kind == purgeKind {
		return &purged{
			Applied: done, Freed: r.Freed, Restored: r.Restored, Held: r.Held, HeldUntil: r.HeldUntil,
			Problems: r.Problems, Incomplete: r.Incomplete, Unpurged: r.Unpurged, Seconds: r.Seconds,
		}
	}
	return struct {
		Applied bool `json:"applied"`
		*sweep.Report
	}{done, r}
}

func reportPage(p *render.Page, r *sweep.Report, lines []string) {
	if len(r.Repositories) > 0 {
		p.Table([]string{"REPOSITORY", "TAGS", "MANIFESTS", "DEAD MANIFESTS", "DEAD LAYERS", "DEAD TAGS", "STALE UPLOADS", "NOTE"},
			[]bool{false, true, true, true, true, true, true, false}, rowCells(r))
	}
	p.Text(strings.Join(lines, "\n"))
}

func rowHeads() []string {
	return []string{"repository", "tags", "manifests", "dead_manifests", "dead_layers", "dead_tags", "stale_uploads", "note"}
}

func rowCells(r *sweep.Report) [][]string {
	var rows [][]string
	for _, row := range r.Repositories {
		note := ""
		switch {
		case row.Left == "busy":
			note = "left alone: an upload is under way"
		case row.Left != "":
			note = "left alone: " + row.Left
		case row.Removed:
			note = "empty: goes"
		}
		rows = append(rows, []string{
			row.Name, strconv.Itoa(row.Tags), strconv.Itoa(row.Manifests), strconv.Itoa(row.DeadManifests),
			strconv.Itoa(row.DeadLayers), strconv.Itoa(row.DeadTags), strconv.Itoa(row.StaleUploads), note,
		})
	}
	return rows
}

// nothing reports whether a plan would change nothing.
func nothing(r *sweep.Report) bool {
	for _, row := range r.Repositories {
		if row.Left == "" {
			return false
		}
	}
	return r.Quarantined.Blobs == 0
}

func amount(a sweep.Amount) string {
	return fmt.Sprintf("%s, %s, %s", render.Count(a.Manifests, "manifest"), render.Count(a.Blobs, "blob"), render.Bytes(a.Bytes))
}

// planLines says what would be done.
func planLines(r *sweep.Report) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("in use: %s, %s", render.Count(r.Kept.Manifests, "manifest"), render.Count(r.Kept.Blobs, "blob"))
	switch {
	case r.Incomplete:
		say("not all of the store can be read: no blob would go")
	case nothing(r):
		say("nothing would go into quarantine")
	default:
		say("would go into quarantine: %s", amount(r.Quarantined))
	}
	common(r, say)
	if r.Untagged != nil && r.Untagged.Manifests > 0 {
		say("--delete-untagged would add: %s", amount(*r.Untagged))
	}
	say("nothing leaves the disk by this run: quarantine is on the same file system")
	return append(lines, held(r)...)
}

// resultLines says what was done.
func resultLines(r *sweep.Report) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("in use: %s, %s", render.Count(r.Kept.Manifests, "manifest"), render.Count(r.Kept.Blobs, "blob"))
	if r.Incomplete {
		say("not all of the store could be read: no blob went")
	}
	say("put into quarantine: %s", amount(r.Quarantined))
	common(r, say)
	if r.Restored != (sweep.Amount{}) {
		say("referred to again and restored: %s", amount(r.Restored))
	}
	if r.Freed != (sweep.Amount{}) {
		say("deleted, put away by earlier runs: %s", amount(r.Freed))
	}
	if r.Unpurged {
		say("%s", unpurged)
	}
	if r.Unsettled {
		say("the registry did not come to rest; the next run looks again before anything is deleted")
	}
	lines = append(lines, held(r)...)
	if r.UndoID != "" {
		say("take it back: opsctl registry undo %s", r.UndoID)
	}
	return lines
}

func common(r *sweep.Report, say func(string, ...any)) {
	if r.Waiting.Blobs > 0 {
		say("dead, and their links not away for long enough: %s, %s; they may go after %s",
			render.Count(r.Waiting.Blobs, "blob"), render.Bytes(r.Waiting.Bytes), r.WaitingUntil.UTC().Format(time.RFC3339))
	}
	if r.Cached.Blobs > 0 {
		say("dead, and in the memory of the running registry: %s, %s; they may go after it was restarted",
			render.Count(r.Cached.Blobs, "manifest"), render.Bytes(r.Cached.Bytes))
	}
}

func held(r *sweep.Report) []string {
	if r.Held == (sweep.Amount{}) {
		return nil
	}
	line := fmt.Sprintf("in quarantine, on the disk: %s", amount(r.Held))
	if r.HeldUntil != nil {
		line += "; the first of it may leave the disk after " + r.HeldUntil.UTC().Format(time.RFC3339)
	}
	return []string{line}
}
