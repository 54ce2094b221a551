package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/plan"
)

// Down plans the removal of the containers and the network of the registry called name; a note says where its data stay.
// Nothing there is an empty plan.
func Down(ctx context.Context, e *engine.Engine, name string) (*plan.Plan, error) {
	d := &Deployer{Engine: e, Options: Options{Name: name}}
	if err := d.nothingForeign(ctx); err != nil {
		return nil, err
	}
	p := &plan.Plan{Steps: []plan.Step{}}
	names, err := e.Labelled(ctx, Label, name)
	if err != nil {
		return nil, err
	}
	// The user interface first: it asks the registry.
	slices.Reverse(names)
	for _, container := range names {
		running, err := d.noteData(ctx, p, container)
		if err != nil {
			return nil, err
		}
		if running {
			p.Add(plan.Step{
				Action: "stop", Target: "container " + container,
				Do:   func(ctx context.Context) error { return e.Stop(ctx, container) },
				Undo: func(ctx context.Context) error { return e.Start(ctx, container) },
			})
		}
	}
	for _, container := range names {
		p.Add(plan.Step{Action: "remove", Target: "container " + container, Do: func(ctx context.Context) error { return e.Remove(ctx, container) }})
	}
	switch _, err := e.Network(ctx, name); {
	case err == nil:
		p.Add(plan.Step{Action: "remove", Target: "network " + name, Do: func(ctx context.Context) error { return e.RemoveNetwork(ctx, name) }})
	case !errors.Is(err, engine.ErrNoNetwork):
		return nil, err
	}
	return p, d.noteVolume(ctx, p)
}

// noteData notes where a container's data are, and says whether it runs.
func (d *Deployer) noteData(ctx context.Context, p *plan.Plan, name string) (running bool, err error) {
	found, err := find(ctx, d.Engine, d.Name, name)
	if err != nil || found == nil {
		return false, err
	}
	for _, m := range found.Mounts {
		if m.Destination != dataDir || found.Config.Labels[RoleLabel] != RoleRegistry {
			continue
		}
		note := "the data stay in " + m.Source
		if m.Name != "" {
			note = fmt.Sprintf("the data stay in volume %s, %s", m.Name, m.Source)
		}
		if !slices.Contains(p.Notes, note) {
			p.Note("%s", note)
		}
	}
	return found.State.Running, nil
}

// noteVolume notes where the data are when the container is gone that had them, as far as the volume's name tells.
func (d *Deployer) noteVolume(ctx context.Context, p *plan.Plan) error {
	if len(p.Notes) > 0 {
		return nil
	}
	found, err := d.Engine.Volume(ctx, d.Name)
	switch {
	case err == nil && found.Labels[Label] == d.Name:
		p.Note("the data stay in volume %s, %s", found.Name, found.Mountpoint)
	case err != nil && !errors.Is(err, engine.ErrNoVolume):
		return err
	}
	return nil
}

// Default is the name of the registry that Up made, where there is but one; [ErrNone] and [ErrMany] say that there is not.
func Default(ctx context.Context, e *engine.Engine) (string, error) {
	names, err := e.Labelled(ctx, RoleLabel, RoleRegistry)
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, former("")) })
	switch {
	case err != nil:
		return "", err
	case len(names) == 0:
		return "", ErrNone
	case len(names) > 1:
		return "", fmt.Errorf("%w: %q", ErrMany, names)
	}
	return names[0], nil
}

var (
	// ErrNone says that there is no registry of opsctl's.
	ErrNone = errors.New("the engine has no registry that opsctl made")
	// ErrMany says that there are several.
	ErrMany = errors.New("the engine has several registries that opsctl made")
)
