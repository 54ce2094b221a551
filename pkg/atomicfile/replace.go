package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Replace puts a file with that mode and owner at path, in place of the file or the symbolic link that stands there: what a
// link leads to stays, other than with Write. The name holds the old or the new file, never the new one with another mode or
// owner. Anything else at path is ErrNotRegular.
func Replace(path string, data []byte, perm fs.FileMode, uid, gid int) (err error) {
	if err := replaceable(path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	t, err := renameio.TempFile(dir, path) // mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	_, err = t.Write(data)
	// The mode comes last: a change of the owner drops its higher bits (chown(2)).
	if err := errors.Join(err, t.Chown(uid, gid), t.Chmod(perm)); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, cause(err)), t.Cleanup())
	}
	if err := t.CloseAtomicallyReplace(); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, cause(err)), t.Cleanup())
	}
	return SyncDir(dir)
}

// ReplaceByLink makes path a symbolic link as Link does, also where a file stands there.
func ReplaceByLink(target, path string) error {
	if err := replaceable(path); err != nil {
		return fmt.Errorf("linking %s: %w", path, err)
	}
	if err := renameio.Symlink(target, path); err != nil {
		return fmt.Errorf("linking %s: %w", path, cause(err))
	}
	return SyncDir(filepath.Dir(path))
}

// replaceable refuses what is neither a file nor a link, and thus more than its name.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return cause(err)
	case !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink:
		return ErrNotRegular
	}
	return nil
}
