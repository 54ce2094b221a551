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
	root     string
	registry string
	caFile   string
}

// add defines the flags.
func (w *where) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.root, "root", "", "the registry's rootdirectory `DIR`, which holds docker/registry/v2")
	f.StringVar(&w.registry, "registry", "", "the registry at `HOST[:PORT]`, over its API, with docker's credentials")
	f.StringVar(&w.caFile, "ca-file", "", "trust the authorities in `FILE` (PEM) as well, with --registry")
}

// place is an opened registry: one of the two.
type place struct {
	store *layout.Store
	api   *remote.Registry
}

// Close ends the use of the place.
func (p *place) Close() {
	if p.store != nil {
		_ = p.store.Close()
	}
}

// use opens the registry for one call.
func (w *where) use(ctx context.Context, env *cli.Env, use func(context.Context, *place) error) error {
	p, err := w.open(ctx, env)
	if err != nil {
		return explain(err)
	}
	defer p.Close()
	return explain(use(ctx, p))
}

// open opens the one place that the flags name. A further way to name one belongs here.
func (w *where) open(ctx context.Context, env *cli.Env) (*place, error) {
	switch {
	case w.root != "" && w.registry != "":
		return nil, cli.Usagef("--root and --registry exclude each other")
	case w.root != "" && w.caFile != "":
		return nil, cli.Usagef("--ca-file goes with --registry")
	case w.root != "":
		store, err := layout.Open(w.root)
		return &place{store: store}, err
	case w.registry != "":
		api, err := remote.Open(ctx, w.registry, remote.Options{CAFile: w.caFile, UserAgent: "opsctl/" + env.Version})
		return &place{api: api}, err
	}
	usage := cli.Usagef("which registry? --root or --registry is required")
	usage.Hint = "--root /var/lib/docker-registry is the rootdirectory of its configuration, --registry 127.0.0.1:5000 its address"
	return nil, usage
}

// name reads a name given as an argument. It may hold the registry's host, which is taken for --registry when no flag
// says where the registry is.
func (w *where) name(s string) (reference.Reference, error) {
	var ref reference.Reference
	var err error
	switch {
	case w.registry != "":
		ref, err = reference.Within(strings.TrimPrefix(s, w.registry+"/"))
	case w.root != "":
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
