package testpeers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Tree is a root file system in the cache, shared by every test and written by none.
type Tree struct {
	Dir    string // absolute path of the tree's "/"
	Recipe Recipe
}

// CacheDir is $OPSCTL_TEST_CACHE, else ~/.cache/opsctl-test.
func CacheDir() (string, error) {
	if dir := os.Getenv("OPSCTL_TEST_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "opsctl-test"), nil
}

// Get returns the recipe's tree, building it when the cache lacks it. A machine that cannot build it gives [ErrMissing].
func (r Recipe) Get(ctx context.Context) (*Tree, error) {
	dir, err := cached(r.Hash(), func(work string) error { return r.build(ctx, work) })
	if err != nil {
		return nil, fmt.Errorf("building the %s tree: %w", r.Suite, err)
	}
	return &Tree{Dir: filepath.Join(dir, "root"), Recipe: r}, nil
}

// cached is the path of a folder in the cache, built when it is not there: build works in a folder of its own and leaves the
// outcome in its folder out. Concurrent callers, also of other processes, wait for one builder; a folder in the cache is
// always whole.
func cached(name string, build func(work string) error) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, name)
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := build(work); err != nil {
		return "", err
	}
	return dir, settle(filepath.Join(work, "out"), dir)
}

// settle gives a built folder its name once all of it is on disk: a machine that stops would else leave a whole tree of empty
// files.
func settle(built, name string) error {
	dir, err := os.Open(built)
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Syncfs(int(dir.Fd())), dir.Close()); err != nil {
		return fmt.Errorf("syncing %s: %w", built, err)
	}
	return os.Rename(built, name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// lock takes an exclusive flock, which the kernel releases should the holder die.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
