package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/journal"
	"github.com/opsctl/opsctl/pkg/plan"
)

// ErrKilled is in the error about a component whose adoption was killed half way: how it was run before stands in what that
// run kept, and nowhere else.
var ErrKilled = errors.New("was killed while it took over")

// killed is what the runs kept that were killed, and that no other has made good.
func (in *Installer) killed() (all map[string][]former, err error) {
	j, err := journal.Open(in.path(path.Join(StateDir, "journal")), time.Now)
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil // only root changes anything, and only root may look
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	all = map[string][]former{}
	for _, r := range j.Unfinished() {
		if all[r.ID], err = in.readFormer(r.ID); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return all, nil
}

// killedAdoption is an error when a run that was killed had begun to take the component over.
func (in *Installer) killedAdoption(c *Component) error {
	all, err := in.killed()
	for id, each := range all {
		if slices.ContainsFunc(each, func(f former) bool { return f.Adopted == c.Name }) {
			return fmt.Errorf("run %s %w %s", id, ErrKilled, c.Name)
		}
	}
	return err
}

// killedUnpacking tells whether the component's folder in /opt is there because a run was killed that was to fill it.
func (in *Installer) killedUnpacking(c *Component) (bool, error) {
	all, err := in.killed()
	for _, each := range all {
		if slices.ContainsFunc(each, func(f former) bool { return f.Tree != "" && path.Dir(f.Tree) == c.home() }) {
			return true, err
		}
	}
	return false, err
}

// oldest leaves out what a later run, which made a killed one good, kept of the same thing.
func oldest(all []former) []former {
	seen := map[string]bool{}
	var first []former
	for _, f := range all {
		key := f.key()
		if key == "" || !seen[key] {
			first = append(first, f)
		}
		seen[key] = true
	}
	return first
}

// key tells what a former is of; "" for units, of which several steps may speak.
func (f former) key() string {
	switch {
	case f.File != nil:
		return "file " + f.File.Path
	case f.Tree != "":
		return "tree " + f.Tree
	case f.Folder != "":
		return "folder " + f.Folder
	case f.Moved != nil:
		return "moved " + f.Moved.From
	case f.Account != "":
		return "account " + f.Account
	case f.Owners != nil:
		return "owners " + f.Owners.Path
	}
	return ""
}

// readableOnce is an error when a run is to be taken back after which data were written that the release from before it
// cannot read.
func (in *Installer) readableOnce(all []former) error {
	for _, name := range in.Catalogue.Names() {
		c, s, err := in.installed(name)
		if errors.Is(err, ErrNotInstalled) || err == nil && c.Data == nil {
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range all {
			if f.Unit == nil || f.Unit.Release == "" || f.Unit.Name != c.service() && f.Adopted != name {
				continue
			}
			then := &target{c: c, want: &Settings{Version: f.Unit.Release, Listen: s.Listen, Data: s.Data, Written: s.Written}}
			if err := then.formats(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// rereadOnce adds the step that makes a service, which runs on, read a configuration that is as it was.
func (in *Installer) rereadOnce(ctx context.Context, p *plan.Plan, all []former, units []unitThen, o Options) error {
	if in.Manager == nil {
		return nil
	}
	for _, f := range all {
		if f.Reloaded == "" {
			continue
		}
		c, s, err := in.installed(f.Reloaded)
		restarts := func(u unitThen) bool { return u.Name == c.service() }
		if errors.Is(err, ErrNotInstalled) || err == nil && slices.ContainsFunc(units, restarts) {
			continue
		}
		if err != nil {
			return err
		}
		have, err := in.readOwn(ctx, c, s)
		if err != nil {
			return err
		}
		if have.runs(c, s.Version) {
			in.reloadSteps(p, &target{c: c, o: o, have: have, want: s})
		}
	}
	return nil
}
