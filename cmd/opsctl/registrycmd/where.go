package registrycmd

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/reference"
	"github.com/opsctl/opsctl/pkg/registry/remote"
)

// where is the flags that say which registry, and how to reach it.
type where struct {
	folder

	registry string
	caFile   string
}

// add defines the flags.
func (w *where) add(cmd *cobra.Command) {
	f := cmd.Flags()
	w.folder.add(cmd)
	f.StringVar(&w.registry, "registry", "", "the registry at `HOST[:PORT]`, over its API, with docker's credentials")
	f.StringVar(&w.caFile, "ca-file", "", "trust the authorities in `FILE` (PEM) as well, with --registry")
}

// place is an opened registry: one of the two.
type place struct {
	store *layout.Store
	root  string // of the store
	api   *remote.Registry
}

// Close ends the use of the place.
func (p *place) Close() {
	if p.store != nil {
		_ = p.store.Close()
	}
}

// use opens the registry for one call: the one place that the flags name.
func (w *where) use(env *cli.Env, cmd *cobra.Command, args []string, use func(context.Context, *place) error) error {
	if w.registry == "" {
		if w.caFile != "" {
			return cli.Usagef("--ca-file goes with --registry")
		}
		return w.folder.use(env, cmd, args, plainly(env), func(ctx context.Context, at found) error {
			store, err := layout.Open(at.root)
			if err != nil {
				return explain(err)
			}
			p := &place{store: store, root: at.root}
			defer p.Close()
			return explain(use(ctx, p))
		})
	}
	if w.root != "" || w.container != "" {
		return cli.Usagef("--root, --container and --registry exclude each other")
	}
	api, err := remote.Open(cmd.Context(), w.registry, remote.Options{CAFile: w.caFile, UserAgent: "opsctl/" + env.Version})
	if err != nil {
		return explain(err)
	}
	return explain(use(cmd.Context(), &place{api: api}))
}

// name reads a name given as an argument. It may hold the registry's host, which is taken for --registry when no flag
// says where the registry is.
func (w *where) name(s string) (reference.Reference, error) {
	var ref reference.Reference
	var err error
	switch {
	case w.registry != "":
		ref, err = reference.Within(strings.TrimPrefix(s, w.registry+"/"))
	case w.root != "" || w.container != "":
		ref, err = reference.Within(s)
	default:
		ref, err = reference.Parse(s)
		w.registry = ref.Host
	}
	if err != nil {
		return ref, cli.Usagef("%w", err)
	}
	return ref, nil
}

// repository reads the argument REPO, which may be left out.
func (w *where) repository(args []string) (string, error) {
	if len(args) == 0 {
		return "", nil
	}
	ref, err := w.name(args[0])
	if err == nil && (ref.Tag != "" || !ref.Digest.IsZero()) {
		err = cli.Usagef("%q names an image, not a repository", args[0])
	}
	return ref.Repository, err
}

// explain gives what went wrong its exit code and the next step.
func explain(err error) error {
	if _, typed := errors.AsType[*cli.Error](err); err == nil || typed {
		return err
	}
	for _, e := range explanations() {
		if errors.Is(err, e.is) {
			return &cli.Error{Code: e.code, ID: e.id, Err: err, Hint: e.hint}
		}
	}
	return err
}
