// Package lockfile lets one process at a time do a piece of work on a host. The
// lock is flock(2)'s: the kernel drops it when the holder ends, however it ends,
// so there is no stale lock to clean up. The file itself is never deleted; to
// delete it is to race with whoever has just opened it.
package lockfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

// Lock is a lock that this process holds until Release.
type Lock struct {
	file *os.File
}

// HeldError is the error of a lock that another process holds.
type HeldError struct {
	// Path is the lock file.
	Path string
	// PID is the holder as it wrote itself down, 0 when that could not be read.
	PID int
	// Command is the holder's name from /proc/PID/comm (proc(5)), "" when that
	// could not be read. The kernel takes any byte there: what is not printable
	// stands as U+FFFD.
	Command string
}

// Error names the holder as far as it is known.
func (e *HeldError) Error() string {
	switch {
	case e.PID == 0:
		return fmt.Sprintf("lock %s is held by another process", e.Path)
	case e.Command == "":
		return fmt.Sprintf("lock %s is held by process %d", e.Path, e.PID)
	}
	return fmt.Sprintf("lock %s is held by process %d (%s)", e.Path, e.PID, e.Command)
}

// errReplaced is of a file that was moved away between opening and locking it.
var errReplaced = errors.New("was replaced while it was being locked")

// Acquire takes the lock at path without waiting. It creates the file, with mode
// 0644, in a folder that must exist, and writes this process's id into it. A lock
// that is taken, also by this very process, gives a *HeldError. What is no plain
// file with a single name is refused: a symbolic link would have another file
// overwritten.
func Acquire(path string) (*Lock, error) {
	var err error
	// Two tries more, for an administrator who removes the file just now.
	for range 3 {
		var lock *Lock
		if lock, err = acquire(path); !errors.Is(err, errReplaced) {
			return lock, err
		}
	}
	return nil, err
}

func acquire(path string) (_ *Lock, err error) {
	// O_NONBLOCK: opening a pipe that was put there must not hang.
	//nolint:gosec // G302: it holds a process id, and everybody may know who works.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) {
			err = errors.New("is a symbolic link")
		}
		return nil, fmt.Errorf("locking %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := plain(f); err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if err := flock(f); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, held(path, f)
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if err := sign(path, f); err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return &Lock{file: f}, nil
}

// Release gives the lock up; the file stays, empty. A second Release does nothing.
func (l *Lock) Release() error {
	if l == nil || l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	// Emptied first: the next holder's id must never be read as ours.
	return errors.Join(f.Truncate(0), f.Close())
}

// plain refuses everything but a regular file with one name.
func plain(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return errors.New("has more than one hard link")
	}
	return nil
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// sign makes sure that the locked file is still the one at path, and writes this
// process's id into it.
func sign(path string, f *os.File) error {
	ours, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(ours, there) {
		return errReplaced
	}
	if err != nil {
		return cause(err)
	}
	// The umask may have taken away what lets others read who holds the lock.
	if ours.Mode().Perm() != 0o644 {
		if err := f.Chmod(0o644); err != nil {
			return cause(err)
		}
	}
	if err := f.Truncate(0); err != nil {
		return cause(err)
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		// The lock is held all the same, and what makes room may need it; nobody is named then.
		return f.Truncate(0)
	}
	return err
}

// held reads who holds the lock. The holder may be about to write its id, or run
// in another PID namespace: then less is known.
func held(path string, f *os.File) *HeldError {
	e := &HeldError{Path: path}
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return e
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return e
	}
	e.PID = pid
	if name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm")); err == nil {
		e.Command = strings.Map(printable, strings.TrimSuffix(string(name), "\n"))
	}
	return e
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// cause is an error without the path that the caller's message names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
