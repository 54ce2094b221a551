package component

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// Remove plans the end of a component. Its configuration and its data stay, unless purge is set; then its account goes too.
func (in *Installer) Remove(ctx context.Context, name string, purge bool) (*plan.Plan, error) {
	c, s, err := in.installed(name)
	if err != nil {
		return nil, err
	}
	have, err := in.readOwn(ctx, c, s)
	if err != nil {
		return nil, err
	}
	t := &target{c: c, have: have, want: s, o: Options{Wait: patience}}
	p := &plan.Plan{}
	if err := in.forget(ctx, p, t); err != nil {
		return nil, err
	}
	if have.live != nil {
		p.OnRestored(in.restoreService(t))
		if have.live.Enabled == "enabled" {
			p.Add(plan.Step{
				Action: "disable", Target: c.service(),
				Do:   func(ctx context.Context) error { return in.Manager.Disable(ctx, c.service()) },
				Undo: func(ctx context.Context) error { return in.Manager.Enable(ctx, c.service()) },
			})
		}
		if have.live.Active != "inactive" {
			p.Add(in.halt(t, ""))
		}
	}
	targets, err := in.ofComponent(c, s, purge)
	if err != nil {
		return nil, err
	}
	return p, in.removeAll(p, t, targets, purge)
}

// ofComponent lists what goes with a component: what opsctl made, and with purge its data and configuration. What others put
// into its folders stays, and so do those folders.
func (in *Installer) ofComponent(c *Component, s *Settings, purge bool) ([]string, error) {
	releases := []string{c.currentLink()}
	versions, err := in.releases(c)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		releases = append(releases, c.release(v))
	}
	if releases, err = in.whole(c.home(), releases); err != nil {
		return nil, err
	}
	targets := append([]string{c.unitFile()}, releases...)
	if !purge {
		own, err := in.whole(c.etc(), []string{c.settingsFile()})
		return append(targets, own...), err
	}
	targets = append(targets, c.etc())
	if data := c.dataDir(s); data != "" {
		// The data of a dynamic user lies in private, and its name is a link (systemd.exec(5), DynamicUser=).
		targets = append(targets, data, path.Join("/var/lib/private", c.Name))
	}
	return targets, nil
}

// whole is the folder itself where nothing but the names is in it.
func (in *Installer) whole(dir string, names []string) ([]string, error) {
	entries, err := in.Host.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if !slices.Contains(names, path.Join(dir, e.Name())) {
			return names, nil
		}
	}
	return []string{dir}, nil
}

// removeAll adds the steps that move things aside, all of them before anything is gone for good.
func (in *Installer) removeAll(p *plan.Plan, t *target, targets []string, purge bool) error {
	c, account := t.c, t.c.account(t.want)
	aside := []string{in.path(c.loadedFile())}
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
		p.Add(in.daemonReload("so that it forgets the unit"))
	}
	_, has, err := in.findAccount(account)
	if err != nil {
		return err
	}
	if purge && has && t.want.User == "" {
		p.Add(plan.Step{
			Action: "remove", Target: "user " + account,
			Do:   func(ctx context.Context) error { return in.run(ctx, "userdel", account) },
			Undo: in.addAccount(account).Do,
		})
	}
	p.Add(plan.Step{Action: "delete", Target: c.Name, Detail: "what was moved aside", Former: former{Gone: c.Name}, Do: func(context.Context) error {
		var errs []error
		for _, each := range aside {
			errs = append(errs, atomicfile.Remove(each))
		}
		return errors.Join(errs...)
	}})
	return nil
}
