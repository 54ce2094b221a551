package deploy

import (
	"context"
	"errors"
	"strings"

	dockerapi "github.com/moby/moby/api/types/container"

	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/plan"
)

// container plans one container; check waits until it answers.
func (p *upPlan) container(ctx context.Context, want container, check func(context.Context) error) error {
	found, err := find(ctx, p.Engine, p.Name, want.Name)
	if err != nil {
		return err
	}
	differs, err := p.compare(ctx, found, want)
	if err != nil {
		return err
	}
	aside, err := find(ctx, p.Engine, p.Name, former(want.Name))
	switch {
	case err != nil:
		return err
	case aside != nil && len(differs) > 0:
		// Its name is needed.
		p.remove(former(want.Name), "left by a run that was killed")
	case aside != nil:
		p.formers = append(p.formers, former(want.Name))
	}
	if len(differs) > 0 {
		p.setAside(want.Name, found.State.Running, strings.Join(differs, "; "))
		p.formers = append(p.formers, former(want.Name))
	}
	if found == nil || len(differs) > 0 {
		p.create(want)
		p.start(want, check, nil)
	} else if !found.State.Running {
		p.start(want, check, func(ctx context.Context) error { return p.Engine.Stop(ctx, want.Name) })
	}
	return nil
}

// compare says how a container differs from what it is to be; nil for one that is not there.
func (p *upPlan) compare(ctx context.Context, found *dockerapi.InspectResponse, want container) ([]string, error) {
	if found == nil {
		return nil, nil
	}
	made, err := p.Engine.Image(ctx, found.Image)
	if err != nil && !errors.Is(err, engine.ErrNoImage) {
		return nil, err
	}
	image, err := p.Engine.Image(ctx, want.Image)
	if err != nil && !errors.Is(err, engine.ErrNoImage) {
		return nil, err
	}
	return differences(found, image, made.Env, want), nil
}

// setAside ends a container and gives it another name; undone, it runs again.
func (p *upPlan) setAside(name string, running bool, why string) {
	p.Add(plan.Step{
		Action: "stop", Target: "container " + name, Detail: why,
		Do: func(ctx context.Context) error {
			if err := p.Engine.Stop(ctx, name); err != nil {
				return err
			}
			return p.Engine.Rename(ctx, name, former(name))
		},
		Undo: func(ctx context.Context) error {
			if _, err := p.Engine.Inspect(ctx, former(name)); err == nil {
				if err := p.Engine.Rename(ctx, former(name), name); err != nil {
					return err
				}
			}
			if !running {
				return nil
			}
			return p.Engine.Start(ctx, name)
		},
	})
}

func (p *upPlan) create(want container) {
	p.Add(plan.Step{
		Action: "create", Target: "container " + want.Name, Detail: "of " + want.Image,
		Do: func(ctx context.Context) error {
			if err := p.Engine.Create(ctx, want.Container); err != nil || len(want.files) == 0 {
				return err
			}
			return p.Engine.WriteFiles(ctx, want.Name, want.files)
		},
		Undo: func(ctx context.Context) error { return p.Engine.Remove(ctx, want.Name) },
	})
}

// start starts a container, and waits until check finds it well.
func (p *upPlan) start(want container, check, undo func(context.Context) error) {
	p.Add(plan.Step{
		Action: "start", Target: "container " + want.Name, Detail: "until it answers on " + want.Publish[0].On.String(),
		Do: func(ctx context.Context) error {
			if err := p.Engine.Start(ctx, want.Name); err != nil {
				return err
			}
			return check(ctx)
		},
		Undo: undo,
	})
}

func (p *upPlan) remove(name, why string) {
	p.Add(plan.Step{Action: "remove", Target: "container " + name, Detail: why, Do: func(ctx context.Context) error {
		return p.Engine.Remove(ctx, name)
	}})
}

// withoutUI removes a user interface that is there and no longer wanted.
func (p *upPlan) withoutUI(ctx context.Context) error {
	for _, name := range []string{p.uiName(), former(p.uiName())} {
		found, err := find(ctx, p.Engine, p.Name, name)
		if err != nil {
			return err
		}
		if found != nil {
			p.remove(name, "no user interface is wanted")
		}
	}
	return nil
}
