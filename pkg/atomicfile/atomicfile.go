// Package atomicfile writes files that are there as a whole or not at all,
// also after a crash.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// Write replaces the file at path by data: a temporary file beside it, fsync,
// rename, fsync of the folder. A new file has mode perm whatever the umask, an old
// one keeps its own. What a symbolic link points at is replaced, not the link; a
// device, a pipe or a folder never is: ErrNotRegular. When it fails the old file
// stands untouched and no temporary is left, unless the process was killed.
func Write(path string, data []byte, perm fs.FileMode) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := renameio.WriteFile(path, data, perm, renameio.WithTempDir(dir), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	return SyncDir(dir)
}

// Writable says whether Write can begin: the error that it would have of the path
// and its folder. Nothing is touched (access(2)); a full disk shows only later.
func Writable(path string) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	if err := enterable(filepath.Dir(path)); err != nil {
		return fmt.Errorf("writing %s: its folder: %w", path, err)
	}
	return nil
}

// WritableDir says whether files can be made in a folder, and touches nothing either.
func WritableDir(dir string) error {
	if err := enterable(dir); err != nil {
		return fmt.Errorf("writing into %s: %w", dir, err)
	}
	return nil
}

// enterable is the error of making a file in a folder, or in what is none: the dot has the kernel look.
func enterable(dir string) error {
	return unix.Faccessat(unix.AT_FDCWD, dir+"/.", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}

// ErrNotRegular is the error of a path that holds something else than a file.
var ErrNotRegular = errors.New("is not a regular file")

// target follows symbolic links to the file that is to be replaced.
func target(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if link, lerr := os.Readlink(path); lerr == nil {
			return "", fmt.Errorf("writing %s: the link's target %s is missing", path, link)
		}
		return path, nil
	case err != nil:
		return "", fmt.Errorf("writing %s: %w", path, cause(err))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("writing %s: %w", path, ErrNotRegular)
	}
	return filepath.EvalSymlinks(path)
}

// cause is an error without the temporary file's name, which tells a user nothing.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}
