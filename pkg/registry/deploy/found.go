package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	dockerapi "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/opsctl/opsctl/pkg/engine"
)

// ErrForeign says that something has a name of ours which opsctl did not make.
var ErrForeign = errors.New("not made by opsctl")

// find describes a container of the registry called name, nil when there is none.
func find(ctx context.Context, e *engine.Engine, registry, name string) (*dockerapi.InspectResponse, error) {
	found, err := e.Inspect(ctx, name)
	switch {
	case errors.Is(err, engine.ErrNoContainer):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, err
	case found.Config == nil || found.HostConfig == nil || found.State == nil:
		return nil, fmt.Errorf("container %s: the engine does not describe it", name)
	case found.Config.Labels[Label] != registry:
		return nil, fmt.Errorf("container %s: %w", name, ErrForeign)
	}
	return &found, nil
}

// differences says in words what of a container is not as it is wanted.
func differences(found *dockerapi.InspectResponse, image engine.Image, imageEnv []string, want container) []string {
	var all []string
	differ := func(what, is, wanted string) {
		if is != wanted {
			all = append(all, fmt.Sprintf("%s: %s -> %s", what, orNone(is), orNone(wanted)))
		}
	}
	differ("image", found.Config.Image, want.Image)
	if found.Config.Image == want.Image && image.ID != "" && image.ID != found.Image {
		all = append(all, "image: "+want.Image+" is another one by now")
	}
	is := environment(found.Config.Env, imageEnv)
	for _, name := range slices.Sorted(maps.Keys(merged(is, want.Env))) {
		differ(name, is[name], want.Env[name])
	}
	differ("data", strings.Join(slices.Sorted(slices.Values(found.HostConfig.Binds)), " "), binds(want.Binds))
	differ("address", bindings(found.HostConfig.PortBindings), published(want.Publish))
	differ("network", string(found.HostConfig.NetworkMode), want.Network)
	differ("restart", string(found.HostConfig.RestartPolicy.Name), want.Restart)
	if found.Config.Labels[filesLabel] != want.Labels[filesLabel] {
		all = append(all, "the files of users, certificate and key")
	}
	return all
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// environment is what a container was given beyond its image's.
func environment(all, image []string) map[string]string {
	env := map[string]string{}
	for _, entry := range all {
		if !slices.Contains(image, entry) {
			name, value, _ := strings.Cut(entry, "=")
			env[name] = value
		}
	}
	return env
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func binds(all map[string]string) string {
	var list []string
	for target, source := range all {
		list = append(list, source+":"+target)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func published(all []engine.Published) string {
	var list []string
	for _, p := range all {
		list = append(list, fmt.Sprintf("%s=%d", p.On, p.Port))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// bindings is a container's published ports, written as published does.
func bindings(ports network.PortMap) string {
	var list []string
	for port, all := range ports {
		for _, b := range all {
			list = append(list, fmt.Sprintf("%s=%d", net.JoinHostPort(b.HostIP.String(), b.HostPort), port.Num()))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
