package engine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// Container is what a new container is to be.
type Container struct {
	Name    string
	Image   string
	Args    []string // nil: the image's own
	Env     map[string]string
	Labels  map[string]string
	Binds   map[string]string // a path in the container -> the name of a volume, or an absolute path of the engine's machine
	Publish []Published
	Network string // a network of the engine's, on which the container has its name
	Restart string // "unless-stopped"; "" is never
}

// Published is a port of a container that listens on an address of the engine's machine.
type Published struct {
	On   netip.AddrPort
	Port uint16 // the container's, TCP
}

// Inspect describes a container, by its name or id.
func (e *Engine) Inspect(ctx context.Context, name string) (container.InspectResponse, error) {
	found, err := e.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	return found.Container, explain(err, "looking at container", name, ErrNoContainer)
}

// Labelled lists the names of the containers, running or not, that have a label with that value; with value "" those that
// have it at all. Sorted.
func (e *Engine) Labelled(ctx context.Context, label, value string) ([]string, error) {
	if value != "" {
		label += "=" + value
	}
	all, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", label)})
	if err != nil {
		return nil, explain(err, "listing containers with label", label, nil)
	}
	var names []string
	for _, c := range all.Items {
		// Others are links from other containers: /OTHER/NAME.
		for _, name := range c.Names {
			if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Create makes a container and does not start it.
func (e *Engine) Create(ctx context.Context, c Container) error {
	config := &container.Config{Image: c.Image, Cmd: c.Args, Labels: c.Labels, ExposedPorts: network.PortSet{}}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		config.Env = append(config.Env, name+"="+c.Env[name])
	}
	host := &container.HostConfig{
		NetworkMode:   container.NetworkMode(c.Network),
		PortBindings:  network.PortMap{},
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(c.Restart)},
	}
	for _, target := range slices.Sorted(maps.Keys(c.Binds)) {
		host.Binds = append(host.Binds, c.Binds[target]+":"+target)
	}
	for _, p := range c.Publish {
		port, _ := network.PortFrom(p.Port, network.TCP)
		config.ExposedPorts[port] = struct{}{}
		binding := network.PortBinding{HostIP: p.On.Addr(), HostPort: strconv.Itoa(int(p.On.Port()))}
		host.PortBindings[port] = append(host.PortBindings[port], binding)
	}
	_, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{Name: c.Name, Config: config, HostConfig: host})
	return explain(err, "creating container", c.Name, ErrNoImage)
}

// Start starts a container; it is no error when it runs.
func (e *Engine) Start(ctx context.Context, name string) error {
	_, err := e.api.ContainerStart(ctx, name, client.ContainerStartOptions{})
	return explain(err, "starting container", name, ErrNoContainer)
}

// Stop ends a container with SIGTERM, and ten seconds later with SIGKILL; it is no error when it does not run.
func (e *Engine) Stop(ctx context.Context, name string) error {
	_, err := e.api.ContainerStop(ctx, name, client.ContainerStopOptions{})
	return explain(err, "stopping container", name, ErrNoContainer)
}

// Rename gives a container another name.
func (e *Engine) Rename(ctx context.Context, name, to string) error {
	_, err := e.api.ContainerRename(ctx, name, client.ContainerRenameOptions{NewName: to})
	return explain(err, "renaming container", name, ErrNoContainer)
}

// Remove ends and removes a container, with the volumes that have no name. One that is not there is no error.
func (e *Engine) Remove(ctx context.Context, name string) error {
	_, err := e.api.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return ignore(explain(err, "removing container", name, ErrNoContainer), ErrNoContainer)
}

// Log is the last lines of what a container without a terminal wrote to its standard output and error.
func (e *Engine) Log(ctx context.Context, name string, lines int) (string, error) {
	stream, err := e.api.ContainerLogs(ctx, name, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
	if err != nil {
		return "", explain(err, "reading the log of container", name, ErrNoContainer)
	}
	defer func() { _ = stream.Close() }()
	var text strings.Builder
	if _, err := stdcopy.StdCopy(&text, &text, io.LimitReader(stream, maxLog)); err != nil {
		return "", fmt.Errorf("reading the log of container %s: %w", name, err)
	}
	return text.String(), nil
}

// maxLog bounds what is kept of a log, in bytes: lines may be of any length.
const maxLog = 1 << 20
