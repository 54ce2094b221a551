package registrycmd

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/registry/inspect"
)

func newInspect(env *cli.Env) *cobra.Command {
	var w where
	cmd := &cobra.Command{
		Use:   "inspect REF [flags]",
		Short: "Show one image: digest, platforms, configuration, layers, signatures",
		Long: "Shows what REPO:TAG or REPO@DIGEST names: its digest and media type, the platforms of an\n" +
			"index, the configuration and layers of an image with their sizes, what is signed or attested\n" +
			"about it, and which other tags of the repository are the same. Without a tag it is latest.",
		Example: "  opsctl registry inspect team/app:v1 --root /var/lib/docker-registry\n" +
			"  opsctl registry inspect 127.0.0.1:5000/team/app:v1 -o json | jq .config.labels",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := w.name(args[0])
			if err != nil {
				return err
			}
			if ref.Tag == "" && ref.Digest.IsZero() {
				ref.Tag = "latest"
			}
			return w.use(env, cmd, args, func(ctx context.Context, p *place) error {
				img, err := inspect.Look(ctx, p.images(ctx), ref)
				if err != nil {
					return err
				}
				view := render.View{
					Kind: "RegistryImage", Body: img, Page: func(p *render.Page) { imagePage(p, img) },
					Names: func() []string { return []string{img.Repository + "@" + img.Digest.String()} },
				}
				if err := render.Document(env, view); err != nil {
					return err
				}
				return partial(img.Problems)
			})
		},
	}
	w.add(cmd)
	return cmd
}

// images is the place as single images are looked at.
func (p *place) images(ctx context.Context) inspect.Source {
	if p.api != nil {
		return p.api.View(ctx, false)
	}
	return inspect.Folders{Store: p.store}
}

func imagePage(p *render.Page, img *inspect.Image) {
	rows := [][]string{
		{"repository", img.Repository},
		{"digest", img.Digest.String()},
		{"type", string(img.Kind)},
		{"media type", img.MediaType},
		{"size", p.Bytes(img.Bytes)},
	}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add("tag", img.Tag)
	add("same as", strings.Join(img.Tags, " "))
	if !img.Modified.IsZero() {
		add("tag set", p.Time(img.Modified))
	}
	add("artifact", img.ArtifactType)
	add("about", img.Subject.String())
	if c := img.Config; c != nil {
		if !c.Created.IsZero() {
			add("created", p.Time(c.Created))
		}
		add("entrypoint", strings.Join(c.Entrypoint, " "))
		add("command", strings.Join(c.Cmd, " "))
		add("user", c.User)
		add("directory", c.WorkingDir)
		for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
			add("label", name+"="+c.Labels[name])
		}
	}
	p.Table([]string{"FIELD", "VALUE"}, nil, rows)
	contentTables(p, img)
}

// contentTables show what the image consists of, and what is about it.
func contentTables(p *render.Page, img *inspect.Image) {
	var rows [][]string
	for _, child := range img.Platforms {
		created, size := "-", p.Bytes(child.Bytes)
		if !child.Created.IsZero() {
			created = p.Time(child.Created)
		}
		if !child.Present {
			size = "missing"
		}
		rows = append(rows, []string{cmp.Or(child.Platform, "-"), size, created, child.Digest.String()})
	}
	p.Heading("platforms")
	p.Table([]string{"PLATFORM", "SIZE", "CREATED", "DIGEST"}, []bool{false, true, false, false}, rows)
	if len(img.Layers) > 0 {
		rows = nil
		for _, l := range img.Layers {
			rows = append(rows, []string{p.Bytes(l.Bytes), l.Digest.String(), l.MediaType})
		}
		p.Heading("layers")
		p.Table([]string{"SIZE", "DIGEST", "MEDIA TYPE"}, []bool{true, false, false}, rows)
	}
	if len(img.Referrers) > 0 {
		rows = nil
		for _, r := range img.Referrers {
			rows = append(rows, []string{r.Type, r.Via, r.Digest.String()})
		}
		p.Heading("about it")
		p.Table([]string{"TYPE", "FOUND BY", "DIGEST"}, nil, rows)
	}
}
