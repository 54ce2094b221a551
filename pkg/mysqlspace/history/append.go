package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/lockfile"
)

// Limits of a history. RotateAt is the size from which on a file is moved aside before the next record; Kept is how many
// such files, FILE.1 the newest, stay.
const (
	RotateAt = 64 << 20
	Kept     = 9
)

// maxLine bounds a record that is written and a line that is read. One of 1,000 tables with names of 64 characters has about
// 200 KiB.
const maxLine = 4 << 20

// patience is how long a record waits for others to be written, which each take milliseconds.
const patience = 30 * time.Second

// Append writes the record behind the others of the file, whole and synced, under a lock beside it (path.lock). The file and
// its folder are made where they lack, readable to their owner alone. Where a crash tore the last line the record starts a
// new one. While another process is at it, Append waits; after half a minute the error is a *lockfile.HeldError. After an error
// of writing the file is as it was.
func Append(ctx context.Context, path string, record *Record) (err error) {
	line, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("encoding the record: %w", err)
	}
	if len(line) >= maxLine {
		return fmt.Errorf("the record has %d bytes, more than %d", len(line), maxLine)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of the history: %w", err)
	}
	lock, err := lockfile.AcquireWithin(ctx, path+".lock", patience)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := rotate(path, RotateAt, Kept); err != nil {
		return fmt.Errorf("moving %s aside: %w", path, err)
	}
	if err := appendLine(path, append(line, '\n')); err != nil {
		return fmt.Errorf("appending to %s: %w", path, err)
	}
	return nil
}

func appendLine(path string, line []byte) (err error) {
	// O_NONBLOCK: opening a pipe that was put there must not hang.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	if torn, err := isTorn(f, info.Size()); err != nil {
		return err
	} else if torn {
		line = append([]byte("\n"), line...)
	}
	if _, err := f.Write(line); err != nil {
		// A full disk took a part of the line: it goes again.
		return errors.Join(err, f.Truncate(info.Size()))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if info.Size() > 0 {
		return nil
	}
	return syncFolder(filepath.Dir(path))
}

// isTorn tells that a file does not end with a line feed.
func isTorn(f *os.File, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], size-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// rotate moves path to path.1, that to path.2 and so on, once it has limit bytes; of the moved ones kept stay.
func rotate(path string, limit int64, kept int) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() < limit {
		return nil
	}
	if err != nil {
		return err
	}
	free := 1
	for free < kept && exists(rotated(path, free)) {
		free++
	}
	for n := free; n > 0; n-- {
		if err := os.Rename(rotated(path, n-1), rotated(path, n)); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(path))
}

// rotated is the name of the nth file moved aside; the 0th is the file itself.
func rotated(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + strconv.Itoa(n)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
