package engine

import (
	"context"
	"errors"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"
)

// Volume describes a volume.
func (e *Engine) Volume(ctx context.Context, name string) (volume.Volume, error) {
	found, err := e.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	return found.Volume, explain(err, "looking at volume", name, ErrNoVolume)
}

// CreateVolume makes a volume on the engine's machine; one of that name that is there stays as it is.
func (e *Engine) CreateVolume(ctx context.Context, name string, labels map[string]string) error {
	_, err := e.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: labels})
	return explain(err, "creating volume", name, nil)
}

// RemoveVolume removes a volume with its content. One that is not there is no error, one in use is.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	_, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	return ignore(explain(err, "removing volume", name, ErrNoVolume), ErrNoVolume)
}

// Network describes a network.
func (e *Engine) Network(ctx context.Context, name string) (network.Inspect, error) {
	found, err := e.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	return found.Network, explain(err, "looking at network", name, ErrNoNetwork)
}

// CreateNetwork makes a bridge network, on which containers find each other by name.
func (e *Engine) CreateNetwork(ctx context.Context, name string, labels map[string]string) error {
	_, err := e.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
	return explain(err, "creating network", name, nil)
}

// RemoveNetwork removes a network. One that is not there is no error, one in use is.
func (e *Engine) RemoveNetwork(ctx context.Context, name string) error {
	_, err := e.api.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
	return ignore(explain(err, "removing network", name, ErrNoNetwork), ErrNoNetwork)
}

func ignore(err, fine error) error {
	if errors.Is(err, fine) {
		return nil
	}
	return err
}
