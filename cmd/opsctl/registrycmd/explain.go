package registrycmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/mark"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

func newExplain(env *cli.Env) *cobra.Command {
	var w where
	cmd := &cobra.Command{
		Use:   "explain DIGEST [flags]",
		Short: "Show what keeps a blob of a registry, or that nothing does",
		Long: "Shows, for each repository that needs it, the chain from a tag to the blob (a layer, a\n" +
			"configuration or a manifest) and all tags that lead to it: it stays until the last of them\n" +
			"is deleted.",
		Example: "  opsctl registry explain sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --root /var/lib/docker-registry",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := digest.Parse(args[0])
			if err != nil {
				return cli.Usagef("DIGEST: %w", err)
			}
			return w.use(env, cmd, args, func(ctx context.Context, p *place) error {
				source, limits := p.source(ctx, true)
				e, err := usage.Explain(ctx, source, d, workers())
				if err != nil {
					return err
				}
				view := render.View{
					Kind: "RegistryExplanation",
					Body: struct {
						*usage.Explanation
						// Limits say what could not be seen.
						Limits []string `json:"limits,omitempty"`
					}{e, limits},
					Page: func(p *render.Page) {
						explanationPage(p, e)
						notes(p, limits)
					},
				}
				if err := render.Document(env, view); err != nil {
					return err
				}
				return partial(e.Problems)
			})
		},
	}
	w.add(cmd)
	return cmd
}

func explanationPage(p *render.Page, e *usage.Explanation) {
	if e.Present {
		p.Para("%s, %s", e.Digest, p.Bytes(e.Bytes))
	} else {
		p.Para("%s is referred to, and the store does not have it", e.Digest)
	}
	switch {
	case len(e.Reasons) > 0:
	case e.Incomplete:
		p.Para("nothing that could be read keeps it; not all repositories could be listed")
	default:
		p.Para("nothing keeps it: a garbage collection frees %s", p.Bytes(e.Bytes))
	}
	for _, r := range e.Reasons {
		p.Heading(r.Repository)
		p.Para("%s", chain(r.Chain))
		switch {
		case r.Damaged:
			p.Para("kept because a tag or manifest of this repository cannot be read")
		case r.Untagged && r.Chain[0].Kind == mark.StepFallback:
			p.Para("the manifest that the fallback tag is about is gone: it goes when untagged manifests are deleted")
		case r.Untagged:
			p.Para("no tag leads to it: it goes when untagged manifests are deleted")
		default:
			p.Para("stays until the last of these tags is deleted: %s", strings.Join(r.Tags, " "))
		}
	}
}

// chain is such as: tag v1 -> index sha256:... -> image sha256:... -> blob sha256:...
func chain(steps []mark.Step) string {
	var parts []string
	for _, s := range steps {
		name := s.Name
		if name == "" {
			name = s.Digest.String()
		}
		parts = append(parts, s.Kind+" "+name)
	}
	return strings.Join(parts, " -> ")
}
