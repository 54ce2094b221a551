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
// one keeps its own. When it fails the old file stands untouched and no
// temporary is left, unless the process was killed.
func Write(path string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := renameio.WriteFile(path, data, perm, renameio.WithTempDir(dir), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the folder of %s: %w", path, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", path, err)
	}
	return nil
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
