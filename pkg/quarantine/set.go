package quarantine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

// Set is what one run has put away. Its methods that change something are called under the yard's lock.
type Set struct {
	// ID sorts as the runs began.
	ID    string
	Begun time.Time
	// Kind is what [Yard.Begin] was told.
	Kind string

	yard *Yard
}

// Path is where the caller keeps the file name of the set.
func (s *Set) Path(name string) string { return filepath.Join(s.yard.Dir(), s.ID, name) }

// Write keeps a file about the set, whole or not at all.
func (s *Set) Write(name string, data []byte) error {
	return atomicfile.Write(s.Path(name), data, 0o600)
}

// Read is the file's content; the error wraps [fs.ErrNotExist] where there is none.
func (s *Set) Read(name string) ([]byte, error) { return os.ReadFile(s.Path(name)) }

// Stamp is the file system's own time at which the set began: what was written to a file in the tree after it was written
// to something that was being taken.
func (s *Set) Stamp() (time.Time, error) {
	info, err := os.Stat(s.Path(kindFile))
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// Tree opens what is away, below the paths that it had in the base folder. The caller closes it.
func (s *Set) Tree() (*os.Root, error) {
	tree, err := s.yard.base.OpenRoot(s.tree("."))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", s.Path("tree"), cause(err))
	}
	return tree, nil
}

func (s *Set) tree(name string) string { return path.Join(Folder, s.ID, "tree", name) }

// Take puts entries of a folder away, whole, and calls taken with each that was. One that is not there, or of whose name the
// set has one, stays. The parents are mirrored with their modes and owners, so that they can be made again. An error
// wraps [ErrFileSystem] where renaming is not possible; what was taken before it is away.
func (s *Set) Take(dir string, names []string, taken func(name string)) error {
	if err := s.mirror(dir); err != nil {
		return s.failed("putting away", dir, err)
	}
	from, err := s.yard.base.Open(dir)
	if err != nil {
		return s.failed("putting away", dir, err)
	}
	defer func() { _ = from.Close() }()
	to, err := s.yard.base.Open(s.tree(dir))
	if err != nil {
		return s.failed("putting away", dir, err)
	}
	defer func() { _ = to.Close() }()
	for _, name := range names {
		err := unix.Renameat2(int(from.Fd()), name, int(to.Fd()), name, unix.RENAME_NOREPLACE)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
		case err != nil:
			return s.failed("putting away", path.Join(dir, name), err)
		default:
			taken(name)
		}
	}
	return nil
}

func (s *Set) failed(doing, name string, err error) error {
	if errors.Is(err, unix.EXDEV) {
		err = fmt.Errorf("%w than %s", ErrFileSystem, s.yard.dir)
	}
	return fmt.Errorf("%s %s: %w", doing, filepath.Join(s.yard.dir, name), cause(err))
}

// mirror makes a folder of the base in the tree, with those above it.
func (s *Set) mirror(dir string) error {
	if dir == "." {
		return nil
	}
	if _, err := s.yard.base.Lstat(s.tree(dir)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.mirror(path.Dir(dir)); err != nil {
		return err
	}
	return like(s.yard.base, dir, s.tree(dir))
}

// like makes a folder with another's mode and owner. One that is there stays as it is.
func like(base *os.Root, model, dir string) error {
	info, err := base.Stat(model)
	if err != nil {
		return err
	}
	if err := base.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	uid, gid := owner(info)
	if err := base.Lchown(dir, uid, gid); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// After the owner, for changing that may take bits away.
	return base.Chmod(dir, info.Mode())
}

// Outcome counts what became of a restoring.
type Outcome struct {
	// Restored are the renames that were done: a folder counts once when it went back whole.
	Restored int
	// Kept are files that stayed in the set, since there is something newer at their place.
	Kept int
}

// Restore puts back what lies at name in the set's tree; a folder that is there already gets what it lacks. What has
// come there since stays. Nothing at name is no error.
func (s *Set) Restore(ctx context.Context, name string) (Outcome, error) {
	if err := s.parents(path.Dir(name)); err != nil {
		return Outcome{}, s.failed("restoring", name, err)
	}
	var done Outcome
	err := s.merge(ctx, name, &done)
	return done, err
}

// parents makes the folders in the base that have gone since, as the tree mirrors them.
func (s *Set) parents(dir string) error {
	if dir == "." {
		return nil
	}
	if _, err := s.yard.base.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.parents(path.Dir(dir)); err != nil {
		return err
	}
	err := s.remake(dir)
	if errors.Is(err, fs.ErrNotExist) { // nothing of it is in the set
		return nil
	}
	return err
}

// remake makes a folder of the base as the tree mirrors it. It gets its name when it has its mode and owner: whoever is killed
// in between would leave one that the registry cannot read, and that nobody makes good since it is there.
func (s *Set) remake(dir string) error {
	made := path.Join(Folder, s.ID, "new-"+strconv.FormatUint(rand.Uint64(), 16)) //nolint:gosec // G404: others may be at it, and none of them is hostile
	err := like(s.yard.base, s.tree(dir), made)
	if err == nil {
		err = s.rename(made, dir, unix.RENAME_NOREPLACE)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if gone := s.yard.base.Remove(made); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// rename is renameat2(2) of a path below the base to another.
func (s *Set) rename(old, name string, flags uint) error {
	from, err := s.yard.base.Open(path.Dir(old))
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := s.yard.base.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }()
	return unix.Renameat2(int(from.Fd()), path.Base(old), int(to.Fd()), path.Base(name), flags)
}

func (s *Set) merge(ctx context.Context, name string, done *Outcome) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	info, err := s.yard.base.Lstat(s.tree(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.failed("restoring", name, err)
	}
	moved, err := s.back(name, info.IsDir())
	if moved {
		done.Restored++
		return nil
	}
	var there fs.FileInfo
	if err == nil {
		there, err = s.yard.base.Lstat(name)
	}
	if errors.Is(err, fs.ErrNotExist) && s.elsewhere(name) {
		return s.merge(ctx, name, done)
	}
	if err != nil {
		return s.failed("restoring", name, err)
	}
	if !info.IsDir() || !there.IsDir() {
		done.Kept++
		return nil
	}
	return s.mergeAll(ctx, name, done)
}

// elsewhere reports whether a name that was there is not any more: another goroutine has restored it, or the base's own program
// has removed what stood at its place. Either way it is to be looked at again.
func (s *Set) elsewhere(name string) bool {
	_, away := s.yard.base.Lstat(s.tree(name))
	_, above := s.yard.base.Lstat(path.Dir(name))
	return errors.Is(away, fs.ErrNotExist) || away == nil && above == nil
}

func (s *Set) mergeAll(ctx context.Context, dir string, done *Outcome) error {
	entries, err := fs.ReadDir(s.yard.base.FS(), s.tree(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another goroutine has restored it
	}
	if err != nil {
		return s.failed("restoring", dir, err)
	}
	for _, entry := range entries {
		if err := s.merge(ctx, path.Join(dir, entry.Name()), done); err != nil {
			return err
		}
	}
	return nil
}

// back renames one entry to where it was, unless something is there; an empty folder is nothing.
func (s *Set) back(name string, folder bool) (bool, error) {
	// A folder replaces an empty one only (rename(2)), and that in one step.
	flags := uint(unix.RENAME_NOREPLACE)
	if folder {
		flags = 0
	}
	err := s.rename(s.tree(name), name, flags)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.ENOTDIR) {
		return false, nil
	}
	return err == nil, err
}

// RestoreAll takes away what was written ([Set.Wrote]), puts back all that is in the set, and drops the set when nothing
// stayed.
func (s *Set) RestoreAll(ctx context.Context) (Outcome, error) {
	var done Outcome
	if err := s.unwrite(); err != nil {
		return done, err
	}
	if err := s.mergeAll(ctx, ".", &done); err != nil || done.Kept > 0 {
		return done, err
	}
	return done, s.Purge()
}

// Empty reports whether the set holds nothing but the folders that it mirrors, which the base has as well: nothing was taken, or
// all has gone back.
func (s *Set) Empty() (bool, error) {
	empty := true
	err := fs.WalkDir(s.yard.base.FS(), s.tree("."), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mirrored := false
		if entry.IsDir() {
			there, err := s.yard.base.Stat(strings.TrimPrefix(name, s.tree(".")+"/"))
			mirrored = name == s.tree(".") || err == nil && there.IsDir()
		}
		if !mirrored {
			empty = false
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return false, s.failed("reading", ".", err)
	}
	return empty, nil
}

// Purge deletes the set, for good. One that was stopped at is finished by [Yard.FinishPurges].
func (s *Set) Purge() error {
	gone := path.Join(Folder, purging+s.ID)
	if err := s.yard.base.Rename(path.Join(Folder, s.ID), gone); err != nil {
		return fmt.Errorf("deleting %s: %w", s.Path(""), cause(err))
	}
	if err := s.yard.base.RemoveAll(gone); err != nil {
		return fmt.Errorf("deleting %s: %w", filepath.Join(s.yard.dir, gone), cause(err))
	}
	return nil
}
