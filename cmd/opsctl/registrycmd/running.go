package registrycmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/server"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// running finds the registries on this host that serve the store and remember what they have seen; nil: there is none. One that
// cannot be made to forget is an error.
func running(ctx context.Context, at found, o *sweep.Options) (*sweep.Running, error) {
	processes, err := server.Find(at.root)
	if errors.Is(err, server.ErrHidden) {
		if !o.Stopped {
			return nil, &cli.Error{
				Code: cli.CodeDenied, ID: "registry.hidden", Err: err,
				Hint: "run it as root, which sees whether that registry keeps what it has seen; --stopped says that none uses the folder",
			}
		}
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if o.Stopped && len(processes) > 0 {
		return nil, &cli.Error{
			Code: cli.CodeDeclined, ID: "registry.running", Err: fmt.Errorf("%v serves %s", processes[0], at.root),
			Hint: "stop it, or leave --stopped out",
		}
	}
	// What runs in the container is not to be seen by everybody.
	if at.in != nil && len(processes) == 0 {
		return at.remembers(ctx)
	}
	var all remembering
	var r *sweep.Running
	for _, p := range processes {
		if !p.Remembers() {
			continue
		}
		client := p.Client()
		if err := forgetful(ctx, p, client); err != nil {
			return nil, err
		}
		all = append(all, client)
		if r == nil {
			r = &sweep.Running{Started: startedOf(p)}
		}
		r.Manifests = r.Manifests || p.RemembersManifests()
		if started := startedOf(p); started.Before(r.Started) {
			r.Started = started
		}
	}
	if r != nil {
		r.Forget = all.forget
	}
	return r, nil
}

// startedOf is since when a registry's cache has been filled: since ever, where another program keeps it.
func startedOf(p *server.Process) time.Time {
	if p.Config.Cache != "inmemory" {
		return time.Time{}
	}
	return p.Started
}

// forgetful reports an error unless the registry can be made to forget.
func forgetful(ctx context.Context, p *server.Process, client *server.Client) error {
	why := errors.New("its configuration does not allow deletion")
	if p.Config.Delete {
		why = client.Ping(ctx)
	}
	if why == nil {
		return nil
	}
	return cannotForget(p.String(), p.Config.Cache, why)
}

func cannotForget(registry, cache string, why error) error {
	return &cli.Error{
		Code: cli.CodeDeclined, ID: "registry.cache",
		Err: fmt.Errorf("%s %w (storage.cache.blobdescriptor: %s) and cannot be made to forget: %w", registry, server.ErrRemembers, cache, why),
		Hint: "set storage.delete.enabled, or storage.maintenance.readonly.enabled for the time being, or stop it;" +
			" else clients would skip uploads of what is gone",
	}
}

// remembering are the registries that serve one store: each has its own memory.
type remembering []*server.Client

func (all remembering) forget(ctx context.Context, repository string, d digest.Digest) error {
	for _, client := range all {
		if err := client.Forget(ctx, repository, d); err != nil {
			return err
		}
	}
	return nil
}
