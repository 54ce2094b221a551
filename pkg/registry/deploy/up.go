package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/progress"
)

// Deployer makes plans for the registry that its options describe.
type Deployer struct {
	Engine *engine.Engine
	Options
	// Pulling is told of an image that is being pulled; nil: nobody is.
	Pulling func(image string) progress.Reporter
}

// upPlan is a plan in the making.
type upPlan struct {
	*Deployer
	plan.Plan
	formers []string // set aside, to be removed when all is well
}

// Up plans what lacks for the registry to run as the options say. A container that is not as it should be is set aside, and made
// anew beside the data; when the new one does not answer, the former runs again.
func (d *Deployer) Up(ctx context.Context) (*plan.Plan, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	f, err := d.read()
	if err != nil {
		return nil, err
	}
	if err := d.nothingForeign(ctx); err != nil {
		return nil, err
	}
	p := &upPlan{Deployer: d}
	p.Steps = []plan.Step{}
	containers := []container{d.registry(f)}
	if d.UI {
		containers = append(containers, d.ui(f))
	}
	for _, c := range containers {
		if err := p.pull(ctx, c.Image); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(p.addNetwork(ctx), p.addData(ctx)); err != nil {
		return nil, err
	}
	for _, c := range containers {
		if err := p.container(ctx, c, d.check(c, f)); err != nil {
			return nil, err
		}
	}
	if !d.UI {
		if err := p.withoutUI(ctx); err != nil {
			return nil, err
		}
	}
	for _, name := range p.formers {
		p.remove(name, "the former one")
	}
	if err := p.notes(ctx); err != nil {
		return nil, err
	}
	return &p.Plan, nil
}

// nothingForeign looks at everything that has a name of ours.
func (d *Deployer) nothingForeign(ctx context.Context) error {
	for _, name := range []string{d.Name, former(d.Name), d.uiName(), former(d.uiName())} {
		if _, err := find(ctx, d.Engine, d.Name, name); err != nil {
			return err
		}
	}
	return d.ownNetwork(ctx)
}

// ownNetwork is an error when the network of our name is not ours.
func (d *Deployer) ownNetwork(ctx context.Context) error {
	found, err := d.Engine.Network(ctx, d.Name)
	if errors.Is(err, engine.ErrNoNetwork) {
		return nil
	}
	if err == nil && found.Labels[Label] != d.Name {
		err = fmt.Errorf("network %s: %w", d.Name, ErrForeign)
	}
	return err
}

// former is the name of a container that is set aside.
func former(name string) string { return name + "-former" }

func (p *upPlan) pull(ctx context.Context, image string) error {
	_, err := p.Engine.Image(ctx, image)
	if !errors.Is(err, engine.ErrNoImage) {
		return err
	}
	p.Add(plan.Step{Action: "pull", Target: "image " + image, Do: func(ctx context.Context) error {
		var rep progress.Reporter
		if p.Pulling != nil {
			rep = p.Pulling(image)
		}
		return p.Engine.Pull(ctx, image, rep)
	}})
	return nil
}

func (p *upPlan) addNetwork(ctx context.Context) error {
	_, err := p.Engine.Network(ctx, p.Name)
	if !errors.Is(err, engine.ErrNoNetwork) {
		return err
	}
	p.Add(plan.Step{
		Action: "create", Target: "network " + p.Name,
		Do: func(ctx context.Context) error {
			return p.Engine.CreateNetwork(ctx, p.Name, map[string]string{Label: p.Name})
		},
		Undo: func(ctx context.Context) error { return p.Engine.RemoveNetwork(ctx, p.Name) },
	})
	return nil
}

// addData makes the place of the data, where it is not there.
func (p *upPlan) addData(ctx context.Context) error {
	if p.Dir != "" {
		return p.folder()
	}
	_, err := p.Engine.Volume(ctx, p.Volume)
	if !errors.Is(err, engine.ErrNoVolume) {
		return err
	}
	p.Add(plan.Step{
		Action: "create", Target: "volume " + p.Volume, Detail: "for the data",
		Do: func(ctx context.Context) error {
			return p.Engine.CreateVolume(ctx, p.Volume, map[string]string{Label: p.Name})
		},
		Undo: func(ctx context.Context) error { return p.Engine.RemoveVolume(ctx, p.Volume) },
	})
	return nil
}

// folder makes the folder of the data on this machine; the engine does it on another.
func (p *upPlan) folder() error {
	if !p.Engine.Local() {
		return nil
	}
	if _, err := os.Stat(p.Dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.Add(plan.Step{
		Action: "create", Target: p.Dir, Detail: "for the data",
		Do: func(context.Context) error { return os.MkdirAll(p.Dir, 0o755) }, //nolint:gosec // as the engine would make it
		Undo: func(context.Context) error {
			// Only the folder itself, and only while nothing is in it.
			_ = os.Remove(p.Dir)
			return nil
		},
	})
	return nil
}

// notes tells what the plan does not do.
func (p *upPlan) notes(ctx context.Context) error {
	found, err := find(ctx, p.Engine, p.Name, p.Name)
	if err != nil {
		return err
	}
	if found != nil {
		for _, m := range found.Mounts {
			if m.Destination == dataDir && m.Name != p.data() && m.Source != p.data() {
				p.Note("the former data stay in %s, and are not moved to %s", m.Source, p.data())
			}
		}
	}
	if p.TLSCert == "" && !p.Listen.Addr().IsLoopback() {
		p.Note("Docker pushes to %s without TLS only with insecure-registries in its daemon.json", p.Listen)
	}
	return nil
}
