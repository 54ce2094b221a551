package component

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"golang.org/x/mod/semver"

	"github.com/opsctl/opsctl/pkg/plan"
)

// Installed is what a host has of a component.
type Installed struct {
	Component string   `json:"component"`
	Version   string   `json:"version"`  // that the link current says
	Releases  []string `json:"releases"` // that are laid down, the oldest first
	Listen    string   `json:"listen"`
	Active    string   `json:"active"`   // systemd's word: "active", "failed" ...; "" for an image
	Enabled   string   `json:"enabled"`  // "enabled", "disabled" ...; "" for an image
	Healthy   bool     `json:"healthy"`  // it answers, with metrics of that version
	Problem   string   `json:"problem"`  // why not
	Pending   int      `json:"pending"`  // steps that installing it again, as it was chosen, would take: what drifted
	Drift     []string `json:"drift"`    // those steps, in words
	Exposure  string   `json:"exposure"` // of the unit with its drop-ins, as systemd-analyze security has it: "2.1 (OK)"
	Unit      string   `json:"unit"`     // the file it was loaded from; "" for an image
	DropIns   []string `json:"dropIns"`
	MainPID   uint32   `json:"mainPid"`
	Restarts  uint32   `json:"restarts"` // automatic ones
	Since     string   `json:"since"`    // when the process was started, RFC 3339; "" for none
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
	have, err := in.read(ctx, c, s, s.Version)
	if err != nil {
		return nil, err
	}
	// What stands in the way, such as another program on its port, is its problem, and no reason to say nothing.
	p, standing := in.Plan(ctx, Request{Name: name})
	switch {
	case errors.Is(standing, ErrForeign):
		p = &plan.Plan{}
	case standing != nil:
		return nil, standing
	}
	out := &Installed{Component: name, Version: have.current, Listen: s.Listen, Pending: len(p.Steps), Drift: []string{}}
	for _, step := range p.Steps {
		out.Drift = append(out.Drift, step.Action+" "+step.Target)
	}
	if out.Releases, err = in.releases(c); err != nil {
		return nil, err
	}
	if have.live == nil {
		return out, nil
	}
	live := have.live
	out.Active, out.Enabled, out.Unit, out.DropIns = live.Active, live.Enabled, live.File, append([]string{}, live.DropIns...)
	out.MainPID, out.Restarts = live.MainPID, live.Restarts
	if !live.Started.IsZero() && live.MainPID != 0 {
		out.Since = live.Started.UTC().Format(time.RFC3339)
	}
	if err := errors.Join(standing, in.well(c, s)(ctx)); err != nil {
		out.Problem = err.Error()
	}
	out.Exposure = in.exposureOf(c.unitFile(), have.unit.text(), live.DropIns)
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
	sort.Slice(versions, func(i, j int) bool { return semver.Compare("v"+versions[i], "v"+versions[j]) < 0 })
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
			if older(v, s.Version) {
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
	return in.Plan(ctx, Request{Name: name, Options: o})
}
