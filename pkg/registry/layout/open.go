package layout

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// handle is the store's folder as a descriptor, for opening files below it in one call; nil where that was not possible.
func handle(root *os.Root) *os.File {
	dir, err := root.Open(".")
	if err != nil {
		return nil
	}
	return dir
}

// openat2 opens something below the store's folder in one call. RESOLVE_BENEATH of openat2(2)
// leaves the folder as little as [os.Root] does, which opens one folder after the other. Where the outcome is not final,
// because the kernel is older than 5.6 or because a symbolic link leads out, os.Root has to judge.
func (s *Store) openat2(name string, flags uint64) (fd int, final bool, err error) {
	if s.dir == nil {
		return -1, false, nil
	}
	how := &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS}
	for {
		fd, err = unix.Openat2(int(s.dir.Fd()), name, how)
		switch {
		case err == nil:
			return fd, true, nil
		case errors.Is(err, unix.ENOENT):
			return -1, true, &fs.PathError{Op: "open", Path: name, Err: err}
		case !errors.Is(err, unix.EINTR):
			return -1, false, nil
		}
	}
}

// open opens a file or folder for reading; it does not wait for a pipe.
func (s *Store) open(name string) (fd int, err error) {
	if fd, final, err := s.openat2(name, unix.O_RDONLY|unix.O_NONBLOCK); final {
		return fd, err
	}
	f, err := s.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	defer func() { _ = f.Close() }()
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}

// openDir opens a folder; what is none is opened as well, and cannot be listed.
func (s *Store) openDir(name string) (*os.File, error) {
	fd, err := s.open(name)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// state is what is known of a file or folder.
type state struct {
	regular  bool
	size     int64
	modified time.Time
}

// stat looks at a file or folder, not through a symbolic link.
func (s *Store) stat(name string) (state, error) {
	fd, final, err := s.openat2(name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return state{}, err
	}
	if final {
		defer func() { _ = unix.Close(fd) }()
		return stat(fd)
	}
	info, err := s.root.Lstat(name)
	if err != nil {
		return state{}, err
	}
	return state{info.Mode().IsRegular(), info.Size(), info.ModTime()}, nil
}

func stat(fd int) (state, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return state{}, err
	}
	return state{st.Mode&unix.S_IFMT == unix.S_IFREG, st.Size, time.Unix(st.Mtim.Unix())}, nil
}

// small reads a regular file of at most limit bytes, with the time of its last change.
func (s *Store) small(name string, limit int64) ([]byte, time.Time, error) {
	fd, err := s.open(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	st, err := stat(fd)
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case !st.regular:
		return nil, time.Time{}, errNotFile
	case st.size == 0:
		return nil, st.modified, ErrEmpty
	case st.size > limit:
		return nil, time.Time{}, fmt.Errorf("%d bytes: %w", st.size, ErrTooLarge)
	}
	data := make([]byte, st.size)
	n, err := readFull(fd, data)
	return data[:n], st.modified, err
}

// readFull fills data, or as much of it as the file has.
func readFull(fd int, data []byte) (n int, err error) {
	for n < len(data) {
		some, err := unix.Read(fd, data[n:])
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return n, err
		case some == 0:
			return n, nil
		default:
			n += some
		}
	}
	return n, nil
}
