package registrycmd

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

func newDu(env *cli.Env) *cobra.Command {
	var w where
	cmd := &cobra.Command{
		Use:   "du [REPO] [flags]",
		Short: "Show which repositories, or which tags of one, use the registry's bytes",
		Long: "Shows the bytes that each repository refers to, or each tag of REPO: how many nothing else\n" +
			"refers to, how many are shared, and how many a garbage collection that deletes untagged\n" +
			"manifests would free, were this one deleted. Each blob is counted once. Over the API the\n" +
			"sizes are those that manifests say, and what no tag leads to is not counted.",
		Example: "  opsctl registry du --root /var/lib/docker-registry\n" +
			"  opsctl registry du team/app --root /var/lib/docker-registry\n" +
			"  opsctl registry du registry.example.org/team/app",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			repository, err := w.repository(args)
			if err != nil {
				return err
			}
			return w.use(env, cmd, args, func(ctx context.Context, p *place) error {
				source, limits := p.source(ctx, false)
				u, err := usage.Of(ctx, source, repository, workers())
				if err != nil {
					return err
				}
				if err := render.Document(env, usageView(u, limits)); err != nil {
					return err
				}
				return partial(u.Problems)
			})
		},
	}
	w.add(cmd)
	return cmd
}

func usageView(u *usage.Usage, limits []string) render.View {
	return render.View{
		Kind: "RegistryUsage",
		Body: struct {
			*usage.Usage
			// Limits say what could not be seen.
			Limits []string `json:"limits,omitempty"`
		}{u, limits},
		Page: func(p *render.Page) {
			usagePage(p, u)
			notes(p, limits)
		},
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

// notes say what could not be seen.
func notes(p *render.Page, limits []string) {
	for _, limit := range limits {
		p.Para("note: %s", limit)
	}
}

// source is the place as usage reads it, and what it cannot see. With ask blobs are looked for over the API, too.
func (p *place) source(ctx context.Context, ask bool) (source usage.Source, limits []string) {
	if p.api == nil {
		return p.store, nil
	}
	return p.api.View(ctx, ask), []string{"over the API only what tags lead to can be seen: untagged manifests and what they keep are not"}
}
