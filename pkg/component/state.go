package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// state is what a host has of a component: the files, and what runs.
type state struct {
	settings *Settings // nil: never installed by opsctl
	current  string    // what the link /opt/NAME/current says; "" for none
	released bool      // the wanted release is laid down
	unit     []byte    // the unit file; nil for none
	live     *manager.Unit
	exe      string // what the main process runs, by /proc; "" for none
}

// ErrForeign is in the error about something that somebody else put where the component is to go.
var ErrForeign = errors.New("was not made by opsctl")

// ForeignError names what stands in the way.
type ForeignError struct {
	What string // "unit", "folder", "program"
	Path string // a file, or an address
	Note string
}

func (e *ForeignError) Error() string {
	if e.Note != "" {
		return fmt.Sprintf("%s %s%s", e.What, e.Path, e.Note)
	}
	return fmt.Sprintf("%s %s %v", e.What, e.Path, ErrForeign)
}

// Unwrap gives ErrForeign.
func (e *ForeignError) Unwrap() error { return ErrForeign }

// unitMark begins every unit that opsctl writes.
const unitMark = "# Written by opsctl"

// read looks at the host. Nothing is opened for writing.
func (in *Installer) read(ctx context.Context, c *Component, version string) (*state, error) {
	s := &state{}
	var err error
	if s.settings, err = c.readSettings(in.Host); err != nil {
		return nil, err
	}
	s.current, err = os.Readlink(in.path(c.currentLink()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &ForeignError{"file", c.currentLink(), ": it is no link"}
	}
	if info, err := in.Host.Lstat(c.release(version)); err == nil {
		s.released = info.IsDir()
	}
	s.unit, err = in.Host.ReadFile(c.unitFile(), host1MiB)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if in.Manager != nil {
		if s.live, err = in.Manager.Unit(ctx, c.service()); err != nil {
			return nil, err
		}
		if s.live.MainPID != 0 {
			s.exe, _ = os.Readlink(fmt.Sprintf("/proc/%d/exe", s.live.MainPID))
		}
	}
	if err := s.foreign(c, in); err != nil {
		return nil, err
	}
	return s, nil
}

const host1MiB = 1 << 20

// foreign finds what is not opsctl's, in the order in which it would be met.
func (s *state) foreign(c *Component, in *Installer) error {
	if s.unit != nil && !bytes.HasPrefix(s.unit, []byte(unitMark)) {
		return &ForeignError{"unit", c.unitFile(), ""}
	}
	if s.live != nil && s.live.Loaded && s.live.File != c.unitFile() {
		return &ForeignError{"unit", s.live.File, ""}
	}
	for _, dir := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		if _, err := in.Host.Lstat(path.Join(dir, c.service())); err == nil {
			return &ForeignError{"unit", path.Join(dir, c.service()), ""}
		}
	}
	if s.settings == nil {
		if _, err := in.Host.Lstat(c.home()); err == nil {
			return &ForeignError{"folder", c.home(), ""}
		}
	}
	return nil
}

// up tells whether the service ran, or was about to.
func (s *state) up() bool {
	return s.live.Loaded && s.settings != nil && (s.live.Active == "active" || s.live.Active == "activating")
}

// runs tells whether the service runs the program of a release, from the unit as it stands.
func (s *state) runs(c *Component, version string) bool {
	return s.live != nil && s.live.Active == "active" && !s.live.NeedReload && strings.TrimSuffix(s.exe, " (deleted)") == path.Join(c.release(version), c.Binary)
}
