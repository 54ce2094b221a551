package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Link makes path a symbolic link to target, in place of what link stood there: by
// rename, so that the name is there at every moment, and synced. Anything else than
// a link at path is ErrNotLink, and stays.
func Link(target, path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("linking %s: %w", path, cause(err))
	case err == nil && info.Mode().Type() != fs.ModeSymlink:
		return fmt.Errorf("linking %s: %w", path, ErrNotLink)
	}
	// Not renameio's: its temporary is a folder, which a process killed after the rename leaves for ever.
	temporary, err := linkBeside(target, path)
	if err != nil {
		return fmt.Errorf("linking %s: %w", path, cause(err))
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("linking %s: %w", path, errors.Join(cause(err), os.Remove(temporary)))
	}
	return SyncDir(filepath.Dir(path))
}

// linkBeside makes a link under a name that Sweep knows.
func linkBeside(target, path string) (name string, err error) {
	for range 100 {
		name = filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s%d", filepath.Base(path), rand.Uint64())) //nolint:gosec // a name, no secret
		if err = os.Symlink(target, name); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return name, err
}

// ErrNotLink is the error of a path that holds something else than a symbolic link.
var ErrNotLink = errors.New("is not a symbolic link")

// Rename moves a file or a folder and syncs both folders. A file at the new name is
// replaced, a folder only if it is empty.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("moving %s to %s: %w", from, to, cause(err))
	}
	if filepath.Dir(from) != filepath.Dir(to) {
		if err := SyncDir(filepath.Dir(from)); err != nil {
			return err
		}
	}
	return SyncDir(filepath.Dir(to))
}

// Remove takes a file, a link or a whole folder away and syncs the folder that held it.
// What is not there is no error.
func Remove(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("removing %s: %w", path, cause(err))
	}
	if err := SyncDir(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Mkdir makes one folder with mode perm whatever the umask, and syncs the one above. One
// that is there already keeps its mode; it says whether it made it.
func Mkdir(path string, perm fs.FileMode) (made bool, err error) {
	switch err := os.Mkdir(path, perm); {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("making %s: %w", path, cause(err))
	}
	if err := os.Chmod(path, perm); err != nil {
		return true, fmt.Errorf("making %s: %w", path, cause(err))
	}
	return true, SyncDir(filepath.Dir(path))
}

// MkdirAll makes a folder and those above it that are missing, each as Mkdir does.
func MkdirAll(path string, perm fs.FileMode) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	_, err := Mkdir(path, perm)
	return err
}

// Sweep removes the temporaries that killed calls of Write, Replace and Link for that path left beside it. No other process
// may be writing the path: the caller holds a lock.
func Sweep(path string) error {
	names, err := Left(path)
	for _, name := range names {
		err = errors.Join(err, Remove(name))
	}
	return err
}

// Left lists what Sweep would remove.
func Left(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking beside %s: %w", path, cause(err))
	}
	var names []string
	for _, e := range entries {
		// renameio appends digits to "." and the name.
		digits, ok := strings.CutPrefix(e.Name(), "."+filepath.Base(path))
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			names = append(names, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return names, nil
}

// SyncDir makes what was created, renamed or removed in a folder last.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}
