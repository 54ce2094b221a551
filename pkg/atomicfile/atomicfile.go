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
