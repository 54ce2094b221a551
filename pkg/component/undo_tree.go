package component

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// removeTree moves a folder aside that a run made; what was moved is deleted when all else is done.
func (in *Installer) removeTree(p *plan.Plan, name string) error {
	from, to := in.path(name), in.path(asideOf(name))
	if _, err := in.Host.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return in.removeStaging(p, name)
	}
	p.Add(plan.Step{
		Action: "remove", Target: name, Detail: "that run made it",
		Do: func(context.Context) error {
			if err := atomicfile.Remove(to); err != nil { // what a killed run left
				return err
			}
			return errors.Join(atomicfile.Rename(from, to), in.emptyFolders(path.Dir(name)))
		},
		Undo: func(context.Context) error {
			if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return errors.Join(atomicfile.MkdirAll(filepath.Dir(from), 0o755), atomicfile.Rename(to, from))
		},
	})
	return nil
}

// removeStaging removes what a killed run left of a release that did not get its name.
func (in *Installer) removeStaging(p *plan.Plan, release string) error {
	home := path.Dir(release)
	staging := stagingOf(home, path.Base(release))
	entries, err := in.Host.ReadDir(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, staged := in.Host.Lstat(staging); err != nil || staged != nil && len(entries) > 0 || path.Dir(home) != "/opt" {
		return err
	}
	p.Add(plan.Step{Action: "remove", Target: staging, Detail: "that run began to make it", Do: func(context.Context) error {
		return errors.Join(atomicfile.Remove(in.path(staging)), in.emptyFolders(home))
	}})
	return nil
}

// asideOf is where a folder goes before it is deleted: a release out of its component's folder, which may go too.
func asideOf(name string) string {
	dir, base := path.Split(name)
	if dir = path.Clean(dir); path.Dir(dir) == "/opt" {
		return path.Join("/opt", ".removed-"+path.Base(dir)+"-"+base)
	}
	return path.Join(dir, ".removed-"+base)
}

// deleteAside adds the last step: what was moved aside goes for good, by this plan or by one that was killed.
func (in *Installer) deleteAside(p *plan.Plan, all []former) error {
	var names []string
	for _, f := range all {
		if f.Tree == "" {
			continue
		}
		for _, name := range []string{f.Tree, asideOf(f.Tree)} {
			_, err := in.Host.Lstat(name)
			if err == nil && !slices.Contains(names, asideOf(f.Tree)) {
				names = append(names, asideOf(f.Tree))
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	p.Add(plan.Step{Action: "delete", Target: strings.Join(names, " "), Detail: "what was moved aside", Do: func(context.Context) error {
		var errs []error
		for _, name := range names {
			errs = append(errs, atomicfile.Remove(in.path(name)))
		}
		return errors.Join(errs...)
	}})
	return nil
}
