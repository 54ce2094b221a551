package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/health"
	"github.com/opsctl/opsctl/pkg/plan"
)

// unpackRelease lays a release down under a name of its own, and then gives it its name: a folder with the name of a
// version is always whole.
func (in *Installer) unpackRelease(c *Component, version string) plan.Step {
	staging, release := in.path(c.staging(version)), in.path(c.release(version))
	return plan.Step{
		Action: "create", Target: c.release(version), Detail: "the release, verified before it is unpacked",
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
			return errors.Join(atomicfile.Remove(staging), atomicfile.Remove(release), in.emptyFolder(c.home()))
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

// emptyFolder removes a folder that nothing is in.
func (in *Installer) emptyFolder(dir string) error {
	entries, err := os.ReadDir(in.path(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist) || len(entries) > 0:
		return nil
	case err != nil:
		return err
	}
	return atomicfile.Remove(in.path(dir))
}

// switchLink makes /opt/NAME/current say another version, by rename.
func (in *Installer) switchLink(c *Component, from, to string) plan.Step {
	link := in.path(c.currentLink())
	detail := "to " + to
	if from != "" {
		detail = fmt.Sprintf("from %s to %s", from, to)
	}
	return plan.Step{
		Action: "link", Target: c.currentLink(), Detail: detail,
		Do: func(context.Context) error {
			if err := atomicfile.Sweep(link); err != nil {
				return err
			}
			return atomicfile.Link(to, link)
		},
		Undo: func(context.Context) error {
			if from == "" {
				return atomicfile.Remove(link)
			}
			return atomicfile.Link(from, link)
		},
	}
}

// writeFile replaces a file by text; old is nil where there is none.
func (in *Installer) writeFile(name string, old, text []byte) plan.Step {
	s := plan.Step{Action: "replace", Target: name, Diff: plan.Diff(name, old, text)}
	if old == nil {
		s.Action = "create"
	}
	s.Do = func(context.Context) error {
		if err := atomicfile.MkdirAll(in.path(path.Dir(name)), 0o755); err != nil {
			return err
		}
		if err := atomicfile.Sweep(in.path(name)); err != nil {
			return err
		}
		return atomicfile.Write(in.path(name), text, 0o644)
	}
	s.Undo = func(context.Context) error {
		if old == nil {
			return errors.Join(atomicfile.Remove(in.path(name)), in.emptyFolder(path.Dir(name)))
		}
		return atomicfile.Write(in.path(name), old, 0o644)
	}
	return s
}

func (in *Installer) enable(c *Component) plan.Step {
	return plan.Step{
		Action: "enable", Target: c.service(), Detail: "start it at boot",
		Do:   func(ctx context.Context) error { return in.Manager.Enable(ctx, c.service()) },
		Undo: func(ctx context.Context) error { return in.Manager.Disable(ctx, c.service()) },
	}
}

func (in *Installer) restart(c *Component, have *state) plan.Step {
	s := plan.Step{Action: "start", Target: c.service()}
	if have.up() {
		s.Action = "restart"
	}
	s.Do = func(ctx context.Context) error {
		if have.live.Loaded {
			if err := in.Manager.ResetFailed(ctx, c.service()); err != nil {
				return err
			}
		}
		return in.withLog(ctx, c, in.Manager.Restart(ctx, c.service()))
	}
	// It must not run on while its files go.
	s.Undo = func(ctx context.Context) error { return in.Manager.Stop(ctx, c.service()) }
	return s
}

// restoreService starts again what ran, once all files are as they were.
func (in *Installer) restoreService(c *Component, have *state, o Options) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := in.Manager.Reload(ctx); err != nil || !have.up() {
			return err
		}
		if err := in.Manager.ResetFailed(ctx, c.service()); err != nil {
			return err
		}
		if err := in.Manager.Restart(ctx, c.service()); err != nil {
			return err
		}
		return health.Gate{Wait: max(o.Wait, restoreWait)}.Pass(ctx, in.well(c, have.settings))
	}
}
