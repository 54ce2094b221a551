package quarantine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// wroteFile lists what was written beside what was taken: the time of its last change in nanoseconds, and its path below the
// base, a line each.
const wroteFile = "wrote"

// Wrote notes that the caller has made a file or a folder in the base since the set began, such as in place of one that was taken:
// [Set.RestoreAll] takes it away first, unless it has changed by then. It is called after the making; what a run was killed before
// is not known, and stays.
func (s *Set) Wrote(name string) error {
	if !filepath.IsLocal(name) || strings.Contains(name, "\n") {
		return fmt.Errorf("noting %q: %w", name, fs.ErrInvalid)
	}
	info, err := s.yard.base.Lstat(name)
	if err != nil {
		return s.failed("noting", name, err)
	}
	list, err := s.Read(wroteFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.Write(wroteFile, fmt.Appendf(list, "%d %s\n", info.ModTime().UnixNano(), name))
}

// unwrite takes away what was written, where it is as it was then: a file that nothing has written to, an empty folder.
func (s *Set) unwrite() error {
	list, err := s.Read(wroteFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(list)) {
		stamp, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		at, bad := strconv.ParseInt(stamp, 10, 64)
		info, err := s.yard.base.Lstat(name)
		if bad != nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && (info.IsDir() || info.ModTime().UnixNano() == at) {
			err = s.yard.base.Remove(name) // rmdir(2) for a folder: one that holds something stays
		}
		if err != nil && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, fs.ErrExist) {
			return s.failed("taking back", name, err)
		}
	}
	return nil
}
