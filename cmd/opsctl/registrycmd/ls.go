package registrycmd

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

func newLs(env *cli.Env) *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "ls [REPO] [flags]",
		Short: "List the repositories of a registry, or the tags of one",
		Long: "Lists repositories with their tags, manifests and uploads under way, or the tags of\n" +
			"one repository with the digest of each and when it was last set. Only folders and links\n" +
			"are read.",
		Example: "  opsctl registry ls --root /var/lib/docker-registry\n" +
			"  opsctl registry ls team/app --root /var/lib/docker-registry -o json | jq -r '.items[].name'",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), root, func(ctx context.Context, store *layout.Store) error {
				if len(args) == 1 {
					return lsTags(ctx, env, store, args[0])
				}
				return lsRepositories(ctx, env, store)
			})
		},
	}
	addRoot(cmd, &root)
	return cmd
}

func lsRepositories(ctx context.Context, env *cli.Env, store *layout.Store) error {
	rows, problems, err := usage.Repositories(ctx, store)
	if err != nil {
		return err
	}
	columns := []render.Column[usage.Repository]{
		{Head: "REPOSITORY", Value: func(r usage.Repository) string { return r.Name }},
		{Head: "TAGS", Right: true, Value: func(r usage.Repository) string { return strconv.Itoa(r.Tags) }},
		{Head: "MANIFESTS", Right: true, Value: func(r usage.Repository) string { return strconv.Itoa(r.Manifests) }},
		{Head: "UPLOADS", Right: true, Value: func(r usage.Repository) string { return strconv.Itoa(r.Uploads) }},
	}
	if err := render.List(env, "RegistryRepositoryList", columns, func(r usage.Repository) string { return r.Name }, rows); err != nil {
		return err
	}
	return partial(problems)
}

func lsTags(ctx context.Context, env *cli.Env, store *layout.Store, repository string) error {
	rows, problems, err := usage.Tags(ctx, store, repository)
	if err != nil {
		return explain(err)
	}
	columns := []render.Column[layout.Tag]{
		{Head: "TAG", Value: func(t layout.Tag) string { return t.Name }},
		{Head: "DIGEST", Value: func(t layout.Tag) string { return t.Digest.String() }},
		{
			Head: "MODIFIED", Value: func(t layout.Tag) string { return render.Time(env, t.Modified) },
			Raw: func(t layout.Tag) string { return t.Modified.UTC().Format(time.RFC3339) },
		},
	}
	if err := render.List(env, "RegistryTagList", columns, func(t layout.Tag) string { return t.Name }, rows); err != nil {
		return err
	}
	return partial(problems)
}
