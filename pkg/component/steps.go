package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// unpackRelease lays a release down under a name of its own, and then gives it its name: a folder with the name of a
// version is always whole.
func (in *Installer) unpackRelease(c *Component, version string) plan.Step {
	staging, release := in.path(c.staging(version)), in.path(c.release(version))
	return plan.Step{
		Action: "create", Target: c.release(version), Detail: "the release, verified before it is unpacked",
		Former: former{Tree: c.release(version)},
		Do: func(ctx context.Context) error {
			if err := atomicfile.MkdirAll(in.path(c.home()), 0o755); err != nil {
				return err
			}
			// What a killed run left.
			if err := atomicfile.Remove(staging); err != nil {
				return err
			}
			if _, err := atomicfile.Mkdir(staging, 0o755); err != nil {
				return err
			}
			if err := in.Unpack(ctx, c, version, staging); err != nil {
				return errors.Join(err, atomicfile.Remove(staging))
			}
			if err := executable(staging, c.Binary); err != nil {
				return errors.Join(err, atomicfile.Remove(staging))
			}
			return atomicfile.Rename(staging, release)
		},
		Undo: func(context.Context) error {
			return errors.Join(atomicfile.Remove(staging), atomicfile.Remove(release), in.emptyFolders(c.home()))
		},
	}
}

// executable looks for a release's program.
func executable(dir, binary string) error {
	info, err := os.Lstat(path.Join(dir, binary))
	switch {
	case err != nil:
		return fmt.Errorf("the release has no %s: %w", binary, err)
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return fmt.Errorf("the release's %s is no program", binary)
	}
	return nil
}

// switchLink makes /opt/NAME/current say another version, by rename.
func (in *Installer) switchLink(c *Component, to string) (plan.Step, error) {
	was, err := in.look(c.currentLink())
	if err != nil {
		return plan.Step{}, err
	}
	detail := "to " + to
	if was.Link != "" {
		detail = fmt.Sprintf("from %s to %s", was.Link, to)
	}
	s := in.change(was, &formerFile{Path: c.currentLink(), Link: to})
	s.Action, s.Detail = "link", detail
	return s, nil
}

// writeFile replaces a file by text, or makes one; nothing where it holds that already. The file is root's, and everybody
// may read it, but one that is there keeps its mode and its owner.
func (in *Installer) writeFile(p *plan.Plan, name string, text []byte) (changed bool, err error) {
	was, err := in.look(name)
	if err != nil || was.sameText(text) {
		return false, err
	}
	after := &formerFile{Path: name, Text: text, Mode: 0o644}
	if !was.Absent && was.Link == "" {
		after.Mode, after.Owner = was.Mode, was.Owner
	}
	s := in.change(was, after)
	s.Diff = systemd.Redact(plan.Diff(name, was.text(), text))
	p.Add(s)
	return true, nil
}

// change is a step from one state of a file to another. What somebody else wrote there since the plan was made, or since the
// step was done, is not overwritten.
func (in *Installer) change(was, after *formerFile) plan.Step {
	was.Left = after.state()
	to := func(f *formerFile) error {
		now, err := in.look(f.Path)
		if err != nil {
			return err
		}
		if state := now.state(); state != was.state() && state != after.state() {
			return fmt.Errorf("%s was edited meanwhile, and is left as it is: %w", in.Host.Path(f.Path), ErrChanged)
		}
		return in.put(f)
	}
	s := plan.Step{
		Action: "replace", Target: after.Path, Former: former{File: was},
		Do:   func(context.Context) error { return to(after) },
		Undo: func(context.Context) error { return to(was) },
	}
	switch {
	case was.Absent:
		s.Action = "create"
	case after.Absent:
		s.Action = "remove"
	}
	return s
}

// text is nil for a file that is not there.
func (f *formerFile) text() []byte {
	if f.Absent || f.Link != "" {
		return nil
	}
	return append([]byte{}, f.Text...)
}

// makeFolder makes a folder for the data of a service.
func (in *Installer) makeFolder(c *Component, s *Settings, name string) plan.Step {
	return plan.Step{
		Action: "create", Target: name, Detail: "the folder of its data, for user " + c.account(s),
		Former: former{Folder: name},
		Do: func(context.Context) error {
			to, found, err := in.findAccount(c.account(s))
			if err != nil || !found {
				return errors.Join(err, fmt.Errorf("account %s: %w", c.account(s), fs.ErrNotExist))
			}
			if err := atomicfile.MkdirAll(in.path(path.Dir(name)), 0o755); err != nil {
				return err
			}
			if _, err := atomicfile.Mkdir(in.path(name), 0o750); err != nil {
				return err
			}
			return give(in.path(name), 0o750, to)
		},
		Undo: func(context.Context) error { return in.emptyFolders(name) },
	}
}

// ownData gives a folder that is there, and all that is in it, to the service's account.
func (in *Installer) ownData(p *plan.Plan, t *target, name string) error {
	c, s := t.c, t.want
	was, err := in.owners(name)
	if err != nil {
		return err
	}
	to, found, err := in.findAccount(c.account(s))
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(slices.Collect(maps.Values(was.Each)), func(each owner) bool { return !found || each != to })
	switch {
	case !others:
		return nil
	case len(was.Each) > 1 && !t.o.Adopt:
		note := fmt.Sprintf("it is not empty, and files in it are not user %s's", c.account(s))
		return &ForeignError{Things: []Foreign{{"folder", name, note}}}
	}
	p.Add(plan.Step{
		// How many they are changes while the plan is read, and a service runs.
		Action: "own", Target: name, Detail: "its files and folders go to user " + c.account(s),
		Former: former{Owners: was},
		Do: func(ctx context.Context) error {
			to, found, err := in.findAccount(c.account(s))
			if err != nil || !found {
				return errors.Join(err, fmt.Errorf("account %s: %w", c.account(s), fs.ErrNotExist))
			}
			return in.chown(ctx, name, func(string) owner { return to })
		},
		Undo: func(ctx context.Context) error { return in.disown(ctx, was) },
	})
	return nil
}

// disown gives files back to whom they belonged, and those that came later to whom the folder belonged: who wrote the older
// ones goes on with them.
func (in *Installer) disown(ctx context.Context, was *formerOwners) error {
	return in.chown(ctx, was.Path, func(rel string) owner {
		if o, ok := was.Each[rel]; ok {
			return o
		}
		return was.Each["."]
	})
}

// rename gives something another name in the same folder.
func (in *Installer) rename(from, to, detail string) plan.Step {
	return plan.Step{
		Action: "rename", Target: from, Detail: detail, Former: former{Moved: &formerName{from, to}},
		Do:   func(context.Context) error { return in.moveOnce(from, to) },
		Undo: func(context.Context) error { return in.moveOnce(to, from) },
	}
}

// moveOnce renames what is there, and leaves it where it has been done before.
func (in *Installer) moveOnce(from, to string) error {
	if _, err := os.Lstat(in.path(from)); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(in.path(to)); err == nil {
			return nil
		}
	}
	return atomicfile.Rename(filepath.Clean(in.path(from)), in.path(to))
}
