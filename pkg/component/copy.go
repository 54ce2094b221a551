package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

// copyTree copies a folder. What a time series database writes once, its chunks and indexes, becomes a second name of the
// same file; the rest is copied. All of it is on disk on return. The folder is the service's, and what its account exchanges
// meanwhile leads nowhere else: links are not followed, and what was opened is what is copied.
func (in *Installer) copyTree(ctx context.Context, from, to string) (err error) {
	root, err := os.OpenRoot(in.path(from))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	var folders []string
	err = fs.WalkDir(root.FS(), ".", func(rel string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			return nil
		}
		if d.IsDir() {
			folders = append(folders, rel)
		}
		return copyOne(root, rel, filepath.Join(in.path(to), filepath.FromSlash(rel)))
	})
	// Whose they are comes last, the inmost first: until then nobody else can exchange what is in them.
	for _, rel := range slices.Backward(folders) {
		name := filepath.Join(in.path(to), filepath.FromSlash(rel))
		info, statErr := root.Lstat(rel)
		if err = errors.Join(err, statErr, atomicfile.SyncDir(name)); err == nil {
			err = giveAs(name, info)
		}
	}
	return err
}

// giveAs gives a copy the mode and the owner of what it is a copy of.
func giveAs(name string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner", info.Name())
	}
	return give(name, info.Mode().Perm(), owner{int(stat.Uid), int(stat.Gid)})
}

// copyOne copies a file with its mode and owner, or makes a folder.
func copyOne(root *os.Root, rel, name string) (err error) {
	r, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		_, err := atomicfile.Mkdir(name, 0o700)
		return err
	case !info.Mode().IsRegular():
		return nil
	case writtenOnce(rel):
		return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(r.Fd())), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	}
	return errors.Join(copyFile(r, name), giveAs(name, info))
}

func copyFile(r *os.File, to string) error {
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = w.ReadFrom(r)
	return errors.Join(err, w.Sync(), w.Close())
}
