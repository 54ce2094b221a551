package component

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ErrForeign is in the error about something that somebody else put where the component is to go.
var ErrForeign = errors.New("was not made by opsctl")

// Foreign is one such thing.
type Foreign struct {
	What string `json:"what"` // "unit", "folder", "link", "port", "file"
	Path string `json:"path"` // a file, or a port
	Note string `json:"note"` // more about it
}

func (f Foreign) String() string {
	if f.Note == "" {
		return fmt.Sprintf("%s %s %v", f.What, f.Path, ErrForeign)
	}
	return fmt.Sprintf("%s %s: %s", f.What, f.Path, f.Note)
}

// ForeignError names what stands in the way.
type ForeignError struct {
	Things []Foreign
	// Stays says why --adopt does not help; "" where it does.
	Stays string
}

func (e *ForeignError) Error() string {
	texts := []string{}
	for _, f := range e.Things {
		texts = append(texts, f.String())
	}
	if e.Stays != "" {
		texts = append(texts, e.Stays)
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives ErrForeign.
func (e *ForeignError) Unwrap() error { return ErrForeign }

// unitMark begins every unit that opsctl writes.
const unitMark = "# Written by opsctl"

// unitFolders are where packages, and some people, put units (systemd.unit(5)).
func unitFolders() []string {
	return []string{"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}
}

// foreign finds what is not opsctl's. Beside a component of opsctl's own a unit that a package brings says nothing: the one
// in /etc is read before it.
func (in *Installer) foreign(c *Component, s *state) ([]Foreign, error) {
	var things []Foreign
	seen := map[string]bool{}
	unit := func(file string) {
		if target, err := in.Host.RealPath(file); err == nil && !seen[target] {
			seen[target] = true
			things = append(things, Foreign{"unit", file, in.packageNote(file)})
		}
	}
	switch {
	case s.unit.Link != "":
		things = append(things, Foreign{"link", c.unitFile(), "it leads to " + s.unit.Link})
	case !s.unit.Absent && !bytes.HasPrefix(s.unit.Text, []byte(unitMark)):
		unit(c.unitFile())
	}
	if s.live != nil && s.live.Loaded && s.live.File != c.unitFile() && s.settings == nil {
		unit(s.live.File)
	}
	if s.settings != nil {
		return things, nil
	}
	for _, dir := range unitFolders() {
		if _, err := in.Host.Lstat(path.Join(dir, c.service())); err == nil {
			unit(path.Join(dir, c.service()))
		}
	}
	switch info, err := in.Host.Lstat(c.home()); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return things, err
	case info.Mode()&fs.ModeSymlink != 0:
		things = append(things, Foreign{"link", c.home(), ""})
	default:
		own, err := in.killedUnpacking(c)
		if err != nil {
			return things, err
		}
		if !own {
			things = append(things, Foreign{"folder", c.home(), ""})
		}
	}
	return things, nil
}

// packageNote tells which Debian package a file belongs to (dpkg-query(1), the files *.list); "" for none.
func (in *Installer) packageNote(file string) string {
	lists, err := in.Host.Glob("/var/lib/dpkg/info/*.list")
	if err != nil {
		return ""
	}
	names := []string{file, strings.TrimPrefix(file, "/usr"), "/usr" + file}
	const maxList = 16 << 20
	for _, list := range lists {
		text, err := in.Host.ReadFile(list, maxList)
		if err != nil {
			continue // a note, no more
		}
		for line := range strings.Lines(string(text)) {
			if slices.Contains(names, strings.TrimSuffix(line, "\n")) {
				owner := strings.TrimSuffix(path.Base(list), ".list")
				return fmt.Sprintf("it belongs to the Debian package %s", strings.TrimSuffix(owner, ":amd64"))
			}
		}
	}
	return ""
}

// own is an error when somebody else's things stand in a component's place.
func (s *state) own() error {
	if len(s.foreign) == 0 {
		return nil
	}
	return &ForeignError{Things: s.foreign}
}
