// Package quarantine puts files and folders away instead of deleting them: renamed into a folder of the same file system,
// below the path that they had. What is away is known from where it lies, so a run that was killed needs no log to be taken
// back: whatever is in its set goes where it came from. It promises to overwrite nothing, neither when it takes nor when
// it restores, and to delete only whole sets.
//
//	BASE/opsctl-quarantine/lock
//	BASE/opsctl-quarantine/20261122T215335.000000Z/tree/...     what lay below BASE
//	BASE/opsctl-quarantine/20261122T215335.000000Z/NAME         what the caller keeps about the set
//	BASE/opsctl-quarantine/purge-20261122T215335.000000Z        a set that is being deleted, or was never whole
package quarantine

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/lockfile"
)

// Folder is the name of the quarantine in its base folder.
const Folder = "opsctl-quarantine"

// What taking and restoring may say.
var (
	ErrFileSystem = errors.New("lies on another file system")
	ErrNoSet      = errors.New("no such run")
)

const (
	idForm  = "20060102T150405.000000Z"
	purging = "purge-"
	// kindFile is written before anything is taken.
	kindFile = "kind"
)

// Yard is the quarantine of a base folder.
type Yard struct {
	dir  string
	base *os.Root
}

// Open opens the quarantine of a folder. Nothing is created before [Yard.Lock]. The caller closes it.
func Open(dir string) (*Yard, error) {
	base, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", dir, err)
	}
	return &Yard{dir, base}, nil
}

// Close ends the use of the quarantine and of its sets.
func (y *Yard) Close() error { return y.base.Close() }

// Dir is the quarantine's own folder.
func (y *Yard) Dir() string { return filepath.Join(y.dir, Folder) }

// Lock creates the quarantine and has this process alone use it until the lock is released. The error is a
// [*lockfile.HeldError] when another one does.
func (y *Yard) Lock() (*lockfile.Lock, error) {
	if err := y.base.Mkdir(Folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("creating %s: %w", y.Dir(), cause(err))
	}
	return lockfile.Acquire(filepath.Join(y.Dir(), "lock"))
}

// Sync has all that was renamed or written so far on disk.
func (y *Yard) Sync() error {
	dir, err := y.base.Open(".")
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Syncfs(int(dir.Fd())), dir.Close()); err != nil {
		return fmt.Errorf("syncing %s: %w", y.dir, err)
	}
	return nil
}

// Begin makes a new set, named after the time, under the lock. Kind says what for. The set is whole when it has its name: one
// that was killed before is deleted as a purge that was stopped is.
func (y *Yard) Begin(now time.Time, kind string) (*Set, error) {
	s := &Set{Begun: now.UTC(), Kind: kind, yard: y}
	for ; ; s.Begun = s.Begun.Add(time.Microsecond) {
		s.ID = s.Begun.Format(idForm)
		if _, err := y.base.Lstat(path.Join(Folder, s.ID)); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("beginning a set in %s: %w", y.Dir(), cause(err))
		}
	}
	making := path.Join(Folder, purging+s.ID)
	err := y.base.MkdirAll(path.Join(making, "tree"), 0o700)
	if err == nil {
		err = atomicfile.Write(filepath.Join(y.dir, making, kindFile), []byte(kind+"\n"), 0o600)
	}
	if err == nil {
		err = y.base.Rename(making, path.Join(Folder, s.ID))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("beginning a set in %s: %w", y.Dir(), cause(err)), y.base.RemoveAll(making))
	}
	return s, nil
}

// Sets are the sets that are there, the oldest first; those that are being deleted are none.
func (y *Yard) Sets() ([]*Set, error) {
	names, err := y.names()
	if err != nil {
		return nil, err
	}
	var sets []*Set
	for _, name := range names {
		if _, err := time.Parse(idForm, name); err != nil {
			continue
		}
		s, err := y.set(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", y.Dir(), err)
		}
		sets = append(sets, s)
	}
	slices.SortFunc(sets, func(a, b *Set) int { return cmp.Compare(a.ID, b.ID) })
	return sets, nil
}

// Set is one by its ID; the error wraps [ErrNoSet].
func (y *Yard) Set(id string) (*Set, error) {
	s, err := y.set(id)
	if err == nil {
		_, err = y.base.Lstat(path.Join(Folder, id))
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", id, ErrNoSet)
	}
	return s, nil
}

func (y *Yard) set(id string) (*Set, error) {
	begun, err := time.Parse(idForm, id)
	if err != nil {
		return nil, err
	}
	s := &Set{ID: id, Begun: begun, yard: y}
	// Somebody else has taken it away.
	kind, err := s.Read(kindFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.Kind = strings.TrimSpace(string(kind))
	return s, err
}

// names are those of the quarantine's folders.
func (y *Yard) names() ([]string, error) {
	dir, err := y.base.Open(Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", y.Dir(), cause(err))
	}
	entries, err := dir.ReadDir(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", y.Dir(), cause(err))
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// FinishPurges deletes what [Set.Purge] was stopped at, and what [Yard.Begin] was.
func (y *Yard) FinishPurges() error {
	names, err := y.names()
	for _, name := range names {
		if strings.HasPrefix(name, purging) {
			err = errors.Join(err, y.base.RemoveAll(path.Join(Folder, name)))
		}
	}
	return err
}

// RemoveEmpty removes a folder of the base when it is empty, and those above it up to top, which stays. What was taken from them has
// to be in a set, which can make them again.
func (y *Yard) RemoveEmpty(dir, top string) error {
	for dir != top && dir != "." {
		// rmdir(2), which Remove does to a folder, takes no folder that holds something.
		err := y.base.Remove(dir)
		if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing %s: %w", filepath.Join(y.dir, dir), cause(err))
		}
		dir = path.Dir(dir)
	}
	return nil
}

// cause leaves out the operation and the path, which is not the whole one.
func cause(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	if inner, ok := errors.AsType[*os.LinkError](err); ok {
		return inner.Err
	}
	return err
}

// owner is a folder's.
func owner(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return -1, -1
}
