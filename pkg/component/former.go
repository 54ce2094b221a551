package component

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// former is what a step brings back when it is undone, one of the fields: the value of plan.Step.Former.
type former struct {
	File    *formerFile   `json:"file,omitempty"`
	Tree    string        `json:"tree,omitempty"`   // a folder that was not there, with all that is in it
	Folder  string        `json:"folder,omitempty"` // one that was not there, and stays if something is in it
	Moved   *formerName   `json:"moved,omitempty"`
	Account string        `json:"account,omitempty"` // that was not there
	Owners  *formerOwners `json:"owners,omitempty"`
	Unit    *formerUnit   `json:"unit,omitempty"`
	Gone    string        `json:"gone,omitempty"` // what was deleted for good
	// Adopted is the component that the run takes over; it comes beside another field.
	Adopted string `json:"adopted,omitempty"`
	// Reloaded is the component that read its configuration anew, and has to again.
	Reloaded string `json:"reloaded,omitempty"`
}

// formerFile is a file or a link as it was.
type formerFile struct {
	Path   string      `json:"path"`
	Absent bool        `json:"absent,omitempty"`
	Link   string      `json:"link,omitempty"`
	Text   []byte      `json:"text,omitempty"`
	Mode   fs.FileMode `json:"mode,omitempty"`
	Owner  owner       `json:"owner"`
	// Left is the state that the step left, as state tells it.
	Left string `json:"left"`
}

// formerName is a file or folder that got another name.
type formerName struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// formerOwners are the owners of a folder and of all that is in it, by names relative to it.
type formerOwners struct {
	Path string           `json:"path"`
	Each map[string]owner `json:"each"`
}

// formerUnit is how a unit stood.
type formerUnit struct {
	Name    string `json:"name"`
	File    string `json:"file"` // it was loaded from
	Enabled bool   `json:"enabled"`
	Active  bool   `json:"active"`
	Ailing  bool   `json:"ailing,omitempty"` // systemd was starting it over and over: it is to do so again, not to be well
	// Release is the version of the component that ran, whose format its data had; "" for one that is not known.
	Release string `json:"release,omitempty"`
}

// unitFormer keeps how a unit stands.
func unitFormer(name string, u *manager.Unit) *formerUnit {
	active := u.Active == "active" || u.Active == "activating" || u.Active == "reloading"
	return &formerUnit{Name: name, File: u.File, Enabled: u.Enabled == "enabled", Active: u.Loaded && active, Ailing: u.Sub == "auto-restart"}
}

// errFolder is of a folder where a file or a link belongs.
var errFolder = errors.New("a file or a link belongs there")

// maxFile bounds the files that are kept to be put back.
const maxFile = 16 << 20

// look tells how a file or link stands.
func (in *Installer) look(name string) (*formerFile, error) {
	f := &formerFile{Path: name}
	info, err := in.Host.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		f.Absent = true
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Owner = owner{int(stat.Uid), int(stat.Gid)}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		f.Link, err = os.Readlink(in.path(name))
		return f, err
	}
	f.Mode = info.Mode().Perm()
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: %w", in.Host.Path(name), errFolder)
	}
	f.Text, err = in.Host.ReadFile(name, maxFile)
	return f, err
}

// state is a short text for how a file stands: two are equal when nobody could tell the files apart.
func (f *formerFile) state() string {
	switch {
	case f.Absent:
		return "absent"
	case f.Link != "":
		return "link " + f.Link
	}
	sum := sha256.Sum256(f.Text)
	return fmt.Sprintf("file %v %d:%d %s", f.Mode, f.Owner.UID, f.Owner.GID, hex.EncodeToString(sum[:]))
}

// put makes a file or link what f says.
func (in *Installer) put(f *formerFile) error {
	name := in.path(f.Path)
	if err := atomicfile.Sweep(name); err != nil { // what a killed run left
		return err
	}
	if f.Absent {
		return errors.Join(atomicfile.Remove(name), in.emptyFolders(path.Dir(f.Path)))
	}
	if err := atomicfile.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if f.Link != "" {
		return atomicfile.ReplaceByLink(f.Link, name)
	}
	return atomicfile.Replace(name, f.Text, f.Mode, f.Owner.UID, f.Owner.GID)
}

// follow is where the file lies that a name leads to: one that somebody keeps elsewhere, with a link in its place, is edited
// there.
func (in *Installer) follow(name string) (string, error) {
	info, err := in.Host.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return name, nil //nolint:nilerr // what cannot be looked at is for who reads it to say
	}
	return in.Host.RealPath(name)
}

// give sets a folder's mode and owner, on disk on return.
func give(name string, mode fs.FileMode, to owner) (err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode().Perm() == mode && int(stat.Uid) == to.UID && int(stat.Gid) == to.GID {
		return nil
	}
	return errors.Join(f.Chown(to.UID, to.GID), f.Chmod(mode), f.Sync())
}

// emptyFolders removes a folder that nothing is in, and those of components above it. Others may have been there before.
func (in *Installer) emptyFolders(dir string) error {
	common := []string{"/", "/etc", "/opt", "/var", "/var/lib", "/etc/systemd", "/etc/systemd/system"}
	own := func(prefix string) bool { return strings.HasPrefix(dir, prefix) }
	for first := true; !slices.Contains(common, dir) && (first || slices.ContainsFunc([]string{"/opt/", "/etc/", "/var/lib/"}, own)); dir, first = path.Dir(dir), false {
		entries, err := os.ReadDir(in.path(dir))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case len(entries) > 0:
			return nil
		}
		if err := atomicfile.Remove(in.path(dir)); err != nil {
			return err
		}
	}
	return nil
}

// recovered is a file system's own folder, at its top (fsck(8)).
const recovered = "lost+found"

// owners lists who owns a folder and all that is in it.
func (in *Installer) owners(name string) (*formerOwners, error) {
	all := &formerOwners{Path: name, Each: map[string]owner{}}
	err := filepath.WalkDir(in.path(name), func(each string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) && each != in.path(name) {
			return nil // a service that runs deletes files
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(in.path(name), each)
		if err != nil {
			return err
		}
		if rel == recovered {
			return fs.SkipDir
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			all.Each[rel] = owner{int(stat.Uid), int(stat.Gid)}
		}
		return nil
	})
	return all, err
}

// chown gives a folder and all that is in it to the owner that to says. Links are not
// followed, nor does a name that is exchanged meanwhile lead out of the folder.
func (in *Installer) chown(ctx context.Context, name string, to func(rel string) owner) (err error) {
	root, err := os.OpenRoot(in.path(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return fs.WalkDir(root.FS(), ".", func(rel string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if rel == recovered {
			return fs.SkipDir
		}
		want := to(rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == want.UID && int(stat.Gid) == want.GID {
			return nil
		}
		return root.Lchown(rel, want.UID, want.GID)
	})
}

// sameText tells whether two files hold the same.
func (f *formerFile) sameText(text []byte) bool {
	return !f.Absent && f.Link == "" && bytes.Equal(f.Text, text)
}
