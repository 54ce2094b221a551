package registrycmd

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

func newLs(env *cli.Env) *cobra.Command {
	var w where
	cmd := &cobra.Command{
		Use:   "ls [REPO] [flags]",
		Short: "List the repositories of a registry, or the tags of one",
		Long: "Lists repositories with their tags, manifests and uploads under way, or the tags of\n" +
			"one repository with the digest of each and when it was last set. Of --root only folders\n" +
			"and links are read. The API tells neither manifests, nor uploads, nor when a tag was set.",
		Example: "  opsctl registry ls --root /var/lib/docker-registry\n" +
			"  opsctl registry ls --registry 127.0.0.1:5000\n" +
			"  opsctl registry ls team/app --root /var/lib/docker-registry -o json | jq -r '.items[].name'",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			repository, err := w.repository(args)
			if err != nil {
				return err
			}
			return w.use(env, cmd, args, func(ctx context.Context, p *place) error {
				lister, count := p.lister(ctx)
				if repository != "" {
					return lsTags(ctx, env, lister, repository)
				}
				return lsRepositories(ctx, env, lister, count)
			})
		},
	}
	w.add(cmd)
	return cmd
}

// lister is the place as lists are made of it.
func (p *place) lister(ctx context.Context) (usage.Lister, usage.Count) {
	if p.api != nil {
		view := p.api.View(ctx, false)
		return view, usage.ByNames(view.TagNames)
	}
	return p.store, usage.InFolders(p.store)
}

func lsRepositories(ctx context.Context, env *cli.Env, lister usage.Lister, count usage.Count) error {
	rows, problems, err := usage.Repositories(ctx, lister, workers(), count)
	if err != nil {
		return err
	}
	known := func(n *int, otherwise string) string {
		if n == nil {
			return otherwise
		}
		return strconv.Itoa(*n)
	}
	columns := []render.Column[usage.Repository]{
		{Head: "REPOSITORY", Value: func(r usage.Repository) string { return r.Name }},
		{Head: "TAGS", Right: true, Value: func(r usage.Repository) string { return strconv.Itoa(r.Tags) }},
		{
			Head: "MANIFESTS", Right: true, Value: func(r usage.Repository) string { return known(r.Manifests, "-") },
			Raw: func(r usage.Repository) string { return known(r.Manifests, "") },
		},
		{
			Head: "UPLOADS", Right: true, Value: func(r usage.Repository) string { return known(r.Uploads, "-") },
			Raw: func(r usage.Repository) string { return known(r.Uploads, "") },
		},
	}
	if err := render.List(env, "RegistryRepositoryList", columns, func(r usage.Repository) string { return r.Name }, rows); err != nil {
		return err
	}
	return partial(problems)
}

func lsTags(ctx context.Context, env *cli.Env, lister usage.Lister, repository string) error {
	rows, problems, err := usage.Tags(ctx, lister, repository)
	if err != nil {
		return errors.Join(err, joined(problems))
	}
	columns := []render.Column[layout.Tag]{
		{Head: "TAG", Value: func(t layout.Tag) string { return t.Name }},
		{Head: "DIGEST", Value: func(t layout.Tag) string { return t.Digest.String() }},
		{
			Head: "MODIFIED", Value: func(t layout.Tag) string { return moment(env, t.Modified) },
			Raw: func(t layout.Tag) string { return rawMoment(t.Modified) },
		},
	}
	if err := render.List(env, "RegistryTagList", columns, func(t layout.Tag) string { return t.Name }, rows); err != nil {
		return err
	}
	return partial(problems)
}

// moment is a time in a table, "-" when it is not known.
func moment(env *cli.Env, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return render.Time(env, t)
}

// rawMoment is a time for programs, "" when it is not known.
func rawMoment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
