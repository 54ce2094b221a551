package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"golang.org/x/mod/semver"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// Installed is what a host has of a component.
type Installed struct {
	Component string   `json:"component"`
	Version   string   `json:"version"`  // that the link current says
	Releases  []string `json:"releases"` // that are laid down, the oldest first
	Listen    string   `json:"listen"`
	Active    string   `json:"active"`  // systemd's word: "active", "failed" ...; "" for an image
	Enabled   string   `json:"enabled"` // "enabled", "disabled" ...; "" for an image
	Healthy   bool     `json:"healthy"` // it answers, with metrics of that version
	Problem   string   `json:"problem"` // why not
	Pending   int      `json:"pending"` // steps that installing it again, as it was chosen, would take: what drifted
}

// ErrNotInstalled is in the error about a component that opsctl has not installed.
var ErrNotInstalled = errors.New("is not installed by opsctl")

// List looks at every component of the catalogue. Those that cannot be looked at are in the error.
func (in *Installer) List(ctx context.Context) ([]Installed, error) {
	list := []Installed{}
	var errs []error
	for _, name := range in.Catalogue.Names() {
		one, err := in.Status(ctx, name)
		switch {
		case errors.Is(err, ErrNotInstalled):
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		default:
			list = append(list, *one)
		}
	}
	return list, errors.Join(errs...)
}

// Status looks at one component, once.
func (in *Installer) Status(ctx context.Context, name string) (*Installed, error) {
	c, s, err := in.installed(name)
	if err != nil {
		return nil, err
	}
	have, err := in.read(ctx, c, s.Version)
	if err != nil {
		return nil, err
	}
	p, err := in.Plan(ctx, name, Options{})
	if err != nil {
		return nil, err
	}
	out := &Installed{Component: name, Version: have.current, Listen: s.Listen, Pending: len(p.Steps)}
	if out.Releases, err = in.releases(c); err != nil {
		return nil, err
	}
	if have.live == nil {
		return out, nil
	}
	out.Active, out.Enabled = have.live.Active, have.live.Enabled
	if err := in.well(c, s)(ctx); err != nil {
		out.Problem = err.Error()
	}
	out.Healthy = out.Problem == ""
	return out, nil
}

// installed finds a component that has settings.
func (in *Installer) installed(name string) (*Component, *Settings, error) {
	c, err := in.Catalogue.Get(name)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.readSettings(in.Host)
	if err != nil {
		return nil, nil, err
	}
	if s == nil {
		return nil, nil, fmt.Errorf("%s %w", name, ErrNotInstalled)
	}
	return c, s, nil
}

// releases lists the versions that are laid down, the oldest first.
func (in *Installer) releases(c *Component) ([]string, error) {
	entries, err := in.Host.ReadDir(c.home())
	if err != nil {
		return nil, err
	}
	versions := []string{}
	for _, e := range entries {
		if v, err := ParseVersion(e.Name()); err == nil && e.IsDir() && v == e.Name() {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(a, b string) int { return semver.Compare("v"+a, "v"+b) })
	return versions, nil
}

// ErrNoRelease is in the error about a version that is not laid down.
var ErrNoRelease = errors.New("is not laid down on this host")

// Rollback plans the way back to a release that is still there: that of the version to, or with "" the next older one than
// the one in use.
func (in *Installer) Rollback(ctx context.Context, name, to string, o Options) (*plan.Plan, error) {
	c, s, err := in.installed(name)
	if err != nil {
		return nil, err
	}
	versions, err := in.releases(c)
	if err != nil {
		return nil, err
	}
	if to == "" {
		for _, v := range versions {
			if semver.Compare("v"+v, "v"+s.Version) < 0 {
				to = v
			}
		}
		if to == "" {
			return nil, fmt.Errorf("a release of %s older than %s %w", name, s.Version, ErrNoRelease)
		}
	}
	if !slices.Contains(versions, to) {
		return nil, fmt.Errorf("%s %s %w", name, to, ErrNoRelease)
	}
	o.Version = to
	return in.Plan(ctx, name, o)
}

// Remove plans the end of a component. Its configuration and its data stay, unless purge is set; then its account goes too.
func (in *Installer) Remove(ctx context.Context, name string, purge bool) (*plan.Plan, error) {
	c, s, err := in.installed(name)
	if err != nil {
		return nil, err
	}
	have, err := in.read(ctx, c, s.Version)
	if err != nil {
		return nil, err
	}
	p := &plan.Plan{}
	if have.live != nil {
		p.Restored = in.restoreService(c, have, Options{})
		if have.live.Enabled == "enabled" {
			p.Add(plan.Step{
				Action: "disable", Target: c.service(),
				Do:   func(ctx context.Context) error { return in.Manager.Disable(ctx, c.service()) },
				Undo: func(ctx context.Context) error { return in.Manager.Enable(ctx, c.service()) },
			})
		}
		if have.live.Active != "inactive" {
			p.Add(plan.Step{Action: "stop", Target: c.service(), Do: func(ctx context.Context) error { return in.Manager.Stop(ctx, c.service()) }})
		}
	}
	targets := []string{c.unitFile(), c.home(), c.settingsFile()}
	if purge {
		// The data of a dynamic user lies in private, and its name is a link (systemd.exec(5), DynamicUser=).
		targets = []string{c.unitFile(), c.home(), path.Dir(c.settingsFile()), c.dataDir(), path.Join("/var/lib/private", c.Name)}
	}
	return p, in.removeAll(p, c, targets, purge)
}

// removeAll adds the steps that move things aside, all of them before anything is gone for good.
func (in *Installer) removeAll(p *plan.Plan, c *Component, targets []string, purge bool) error {
	aside := []string{}
	for _, name := range targets {
		if _, err := in.Host.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		from := in.path(name)
		to := path.Join(path.Dir(from), ".removed-"+path.Base(from))
		aside = append(aside, to)
		p.Add(plan.Step{
			Action: "remove", Target: name,
			Do: func(context.Context) error {
				if err := atomicfile.Remove(to); err != nil { // what a killed run left
					return err
				}
				return atomicfile.Rename(from, to)
			},
			Undo: func(context.Context) error {
				if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return atomicfile.Rename(to, from)
			},
		})
	}
	if in.Manager != nil {
		p.Add(plan.Step{Action: "reload", Target: "systemd", Detail: "so that it forgets the unit", Do: in.Manager.Reload})
	}
	has, err := in.hasAccount(c.account())
	if err != nil {
		return err
	}
	if purge && has {
		p.Add(plan.Step{
			Action: "remove", Target: "user " + c.account(),
			Do:   func(ctx context.Context) error { return in.run(ctx, "userdel", c.account()) },
			Undo: in.addAccount(c.account()).Do,
		})
	}
	p.Add(plan.Step{Action: "delete", Target: c.Name, Detail: "what was moved aside", Do: func(context.Context) error {
		var errs []error
		for _, each := range aside {
			errs = append(errs, atomicfile.Remove(each))
		}
		return errors.Join(errs...)
	}})
	return nil
}
