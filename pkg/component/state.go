package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// state is what a host has of a component: the files, and what runs.
type state struct {
	settings *Settings // nil: never installed by opsctl
	current  string    // what the link /opt/NAME/current says; "" for none
	released bool      // the wanted release is laid down
	unit     *formerFile
	live     *manager.Unit // nil for an image
	exe      string        // what the main process runs, by /proc; "" for none
	foreign  []Foreign
}

// read looks at the host. Nothing is opened for writing.
func (in *Installer) read(ctx context.Context, c *Component, settings *Settings, version string) (*state, error) {
	s := &state{settings: settings}
	link, err := in.look(c.currentLink())
	if err != nil {
		return nil, err
	}
	s.current = link.Link
	if !link.Absent && link.Link == "" {
		s.foreign = append(s.foreign, Foreign{"file", c.currentLink(), "is no link"})
	}
	if s.released, err = in.hasRelease(c, version); err != nil {
		return nil, err
	}
	if s.unit, err = in.look(c.unitFile()); err != nil {
		return nil, err
	}
	if in.Manager != nil {
		if s.live, err = in.Manager.Unit(ctx, c.service()); err != nil {
			return nil, err
		}
		s.exe = exeOf(s.live.MainPID)
	}
	things, err := in.foreign(c, s)
	s.foreign = append(s.foreign, things...)
	return s, err
}

// readOwn looks at a component that is installed, in whose place nothing else may stand.
func (in *Installer) readOwn(ctx context.Context, c *Component, s *Settings) (*state, error) {
	have, err := in.read(ctx, c, s, s.Version)
	if err != nil {
		return nil, err
	}
	err = have.own()
	return have, err
}

// hasRelease tells whether a release is laid down. Below a link to another folder it is not.
func (in *Installer) hasRelease(c *Component, version string) (bool, error) {
	for _, dir := range []string{c.home(), c.release(version)} {
		info, err := in.Host.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// exeOf is the program that a process of this machine runs, "" for none.
func exeOf(pid uint32) string {
	if pid == 0 {
		return ""
	}
	exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return strings.TrimSuffix(exe, " (deleted)")
}

// up tells whether the service ran, or was about to.
func (s *state) up() bool {
	return s.live.Loaded && (s.live.Active == "active" || s.live.Active == "activating" || s.live.Active == "reloading")
}

// runs tells whether the service runs the program of a release, from the unit as it stands.
func (s *state) runs(c *Component, version string) bool {
	return s.live != nil && s.live.Active == "active" && !s.live.NeedReload && s.exe == c.program(version)
}
