package registrycmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/deploy"
	"github.com/opsctl/opsctl/pkg/registry/locate"
	"github.com/opsctl/opsctl/pkg/registry/server"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// folder is the flags of commands that work on a registry's folder.
type folder struct{ root, container string }

func (f *folder) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.root, "root", "", "the registry's rootdirectory `DIR`, which holds docker/registry/v2")
	flags.StringVar(&f.container, "container", "", "the registry in the Docker container `NAME`; default: the one that registry up made")
}

// found is a registry's folder, as it is to be reached.
type found struct {
	root string
	// in is its container, nil where there is none, and engine what runs it.
	in     *locate.Registry
	engine *engine.Engine
}

// use finds the folder for one call. One that lies in an engine of another machine, or where this user may not look, is worked on
// by the same command line in a container beside the registry's.
func (f *folder) use(env *cli.Env, cmd *cobra.Command, args []string, run away, use func(context.Context, found) error) error {
	ctx := cmd.Context()
	if f.root != "" {
		if f.container != "" {
			return cli.Usagef("--root and --container exclude each other")
		}
		return use(ctx, found{root: f.root})
	}
	asked := f.container != ""
	err := withEngine(ctx, env, func(ctx context.Context, e *engine.Engine) error {
		if !asked {
			var err error
			if f.container, err = deploy.Default(ctx, e); err != nil {
				return err
			}
		}
		r, err := locate.Container(ctx, e, f.container)
		if err != nil {
			return err
		}
		at := found{r.HostRoot, r, e}
		if r.Reachable {
			return use(ctx, at)
		}
		if r.Mount == nil {
			return fmt.Errorf("container %s: %s", r.Name, r.Unreachable)
		}
		env.Log.Info("working in a container", "because", r.Unreachable)
		return inside(ctx, env, cmd, args, at, run)
	})
	// Nothing says which registry is meant, and nothing can be found out.
	if !asked && (errors.Is(err, engine.ErrUnreachable) || errors.Is(err, deploy.ErrNone) || errors.Is(err, deploy.ErrMany)) {
		return whichRegistry(err)
	}
	return explain(err)
}

func whichRegistry(why error) error {
	usage := cli.Usagef("which registry? %w", why)
	usage.Hint = "--root /var/lib/docker-registry is the rootdirectory of its configuration, --container NAME its container"
	return usage
}

// remembers is the registry in the container when it has a cache that can lead a push astray, and is made to forget through the
// addresses at which the container is reached; nil: it has none.
func (at *found) remembers(ctx context.Context) (*sweep.Running, error) {
	r := at.in
	p := &server.Process{Started: r.Started, Config: &r.Config}
	if !r.Running || !p.Remembers() {
		return nil, nil
	}
	why := errors.New("its configuration does not allow deletion")
	if r.Config.Delete {
		for _, base := range at.bases() {
			client := server.NewClient(base, nil)
			if why = client.Ping(ctx); why == nil {
				return &sweep.Running{Started: startedOf(p), Forget: client.Forget, Manifests: p.RemembersManifests()}, nil
			}
		}
	}
	return nil, cannotForget("container "+r.Name, r.Config.Cache, why)
}

// bases are the addresses at which the registry may answer: of its published port, and of the container.
func (at *found) bases() []string {
	scheme := "http"
	if at.in.Config.TLS {
		scheme = "https"
	}
	var all []netip.AddrPort
	for _, published := range at.in.Published {
		if !published.Addr().IsUnspecified() {
			all = append(all, published)
			continue
		}
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), published.Port()))
	}
	for _, ip := range at.in.IPs {
		all = append(all, netip.AddrPortFrom(ip, at.in.Port))
	}
	var bases []string
	for _, addr := range all {
		bases = append(bases, scheme+"://"+addr.String())
	}
	// The engine's own machine, where that is another.
	if host, err := url.Parse(at.engine.Host()); err == nil && host.Hostname() != "" {
		for _, published := range at.in.Published {
			bases = append(bases, scheme+"://"+net.JoinHostPort(host.Hostname(), strconv.Itoa(int(published.Port()))))
		}
	}
	return bases
}
