package registrycmd

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

func newDu(env *cli.Env) *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "du [REPO] [flags]",
		Short: "Show which repositories, or which tags of one, use the registry's bytes",
		Long: "Shows the bytes that each repository refers to, or each tag of REPO: how many nothing else\n" +
			"refers to, how many are shared, and how many a garbage collection that deletes untagged\n" +
			"manifests would free, were this one deleted. Each blob is counted once.",
		Example: "  opsctl registry du --root /var/lib/docker-registry\n" +
			"  opsctl registry du team/app --root /var/lib/docker-registry",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			repository := ""
			if len(args) == 1 {
				repository = args[0]
			}
			return withStore(cmd.Context(), root, func(ctx context.Context, store *layout.Store) error {
				u, err := usage.Of(ctx, store, repository, workers())
				if err != nil {
					return explain(err)
				}
				if err := render.Document(env, usageView(u)); err != nil {
					return err
				}
				return partial(u.Problems)
			})
		},
	}
	addRoot(cmd, &root)
	return cmd
}

func usageView(u *usage.Usage) render.View {
	return render.View{
		Kind: "RegistryUsage",
		Body: u,
		Page: func(p *render.Page) { usagePage(p, u) },
		CSV: func() ([]string, [][]string) {
			var rows [][]string
			for _, r := range u.Rows {
				rows = append(rows, append([]string{r.Name, strconv.Itoa(r.Blobs)}, decimals(r.Bytes, r.Exclusive, r.Shared, r.Freed)...))
			}
			return []string{"name", "blobs", "bytes", "exclusive_bytes", "shared_bytes", "freed_if_deleted_bytes"}, rows
		},
		Names: func() []string {
			var names []string
			for _, r := range u.Rows {
				names = append(names, r.Name)
			}
			return names
		},
	}
}

func decimals(numbers ...int64) []string {
	var all []string
	for _, n := range numbers {
		all = append(all, strconv.FormatInt(n, 10))
	}
	return all
}

func usagePage(p *render.Page, u *usage.Usage) {
	what := "REPOSITORY"
	if u.Repository != "" {
		what = "TAG"
	}
	rows := make([][]string, 0, len(u.Rows))
	for _, r := range u.Rows {
		rows = append(rows, []string{
			r.Name, strconv.Itoa(r.Blobs), p.Bytes(r.Bytes), p.Bytes(r.Exclusive), p.Bytes(r.Shared), p.Bytes(r.Freed),
		})
	}
	heads := []string{what, "BLOBS", "BYTES", "EXCLUSIVE", "SHARED", "FREED IF DELETED"}
	p.Table(heads, []bool{false, true, true, true, true, true}, rows)
	p.Para("%d blobs, %s", u.Blobs, p.Bytes(u.Bytes))
}

// explain says what to do about a name that the store does not have.
func explain(err error) error {
	switch {
	case errors.Is(err, usage.ErrNoRepository):
		return &cli.Error{Code: cli.CodeFailed, ID: "registry.repository", Err: err, Hint: "opsctl registry ls lists the repositories"}
	case errors.Is(err, usage.ErrNoBlob):
		return &cli.Error{Code: cli.CodeFailed, ID: "registry.blob", Err: err}
	}
	return err
}
