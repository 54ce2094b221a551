// Package engine is a Docker engine as opsctl uses it: containers, volumes, networks and images, files read out of
// containers, and programs run to their end in new ones. It talks to the engine's API; no docker program is needed.
//
// An [Engine] may be used from many goroutines. Errors wrap [ErrUnreachable], [ErrNoContainer] and their kind
// where a caller decides on them; for the rest the engine's own words stand.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

var (
	// ErrUnreachable says that no engine answers where one was looked for.
	ErrUnreachable = errors.New("no Docker engine answers")
	// ErrNoContainer says that the engine has no container of that name or id.
	ErrNoContainer = errors.New("no such container")
	// ErrNoImage says that the engine has no image of that name.
	ErrNoImage = errors.New("no such image")
	// ErrNoVolume says that the engine has no volume of that name.
	ErrNoVolume = errors.New("no such volume")
	// ErrNoNetwork says that the engine has no network of that name.
	ErrNoNetwork = errors.New("no such network")
	// ErrNoFile says that a container has no such file.
	ErrNoFile = errors.New("no such file in the container")
)

// Engine is a connection to a Docker engine.
type Engine struct {
	api  *client.Client
	host string
}

// Connect finds the engine that the docker program would use, and asks whether it is there. getenv gives DOCKER_HOST,
// DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and HOME. The caller closes it.
func Connect(ctx context.Context, getenv func(string) string) (*Engine, error) {
	at, err := findEndpoint(getenv)
	if err != nil {
		return nil, err
	}
	options, err := at.options()
	if err != nil {
		return nil, err
	}
	api, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the Docker engine at %s: %w", at.host, err)
	}
	e := &Engine{api: api, host: at.host}
	if _, err := api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return nil, errors.Join(e.unreachable(ctx, err), e.Close())
	}
	return e, nil
}

// unreachable is the error of an engine that does not answer. The client keeps the kernel's answer to itself, which tells
// a socket that this user may not open from one that is not there.
func (e *Engine) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if path, ok := strings.CutPrefix(e.host, "unix://"); ok {
		conn, dial := new(net.Dialer).DialContext(ctx, "unix", path)
		if dial == nil {
			_ = conn.Close()
		} else if errors.Is(dial, fs.ErrPermission) || errors.Is(dial, fs.ErrNotExist) {
			err = dial
		}
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, e.host, err)
}

// Close ends the connections.
func (e *Engine) Close() error { return e.api.Close() }

// Host is where the engine is, as DOCKER_HOST would say it: "unix:///var/run/docker.sock".
func (e *Engine) Host() string { return e.host }

// Local says whether the engine is reached through a socket of this machine. It may still run in a virtual machine: whether its
// paths are those of this machine, only a look at them can say.
func (e *Engine) Local() bool { return strings.HasPrefix(e.host, "unix://") }

// explain wraps an engine's error: doing is a participle, and missing the sentinel for what it does not have.
func explain(err error, doing, name string, missing error) error {
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err) && missing != nil:
		return fmt.Errorf("%s %s: %w", doing, name, missing)
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%s %s: %w: %w", doing, name, ErrUnreachable, err)
	}
	return fmt.Errorf("%s %s: %w", doing, name, err)
}
