package datadir

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// input is a file that is open for reading. It is the descriptor and no os.File, which would try each one with epoll(7) and
// keep a cleanup for it: with tens of thousands of small files that is half of the time.
type input struct {
	fd   int
	name string
}

// open opens a file for reading: never a link's target, never waiting for a pipe's other end, and without changing the time
// of access where the kernel allows that (open(2), O_NOATIME: to the owner and to root). Errors are *[fs.PathError].
func open(name string) (*input, error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_LARGEFILE
	fd, err := again(func() (int, error) { return unix.Open(name, flags|unix.O_NOATIME, 0) })
	if errors.Is(err, unix.EPERM) {
		fd, err = again(func() (int, error) { return unix.Open(name, flags, 0) })
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &input{fd, name}, nil
}

// again repeats a call that a signal interrupted, which file systems over a network do.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// ReadAt is io.ReaderAt's.
func (f *input) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		got, err := again(func() (int, error) { return unix.Pread(f.fd, b[n:], at+int64(n)) })
		if err != nil {
			return n, &fs.PathError{Op: "read", Path: f.name, Err: err}
		}
		if got == 0 {
			return n, io.EOF
		}
		n += got
	}
	return n, nil
}

// Close closes it; once.
func (f *input) Close() error {
	if err := unix.Close(f.fd); err != nil && !errors.Is(err, unix.EINTR) {
		return &fs.PathError{Op: "close", Path: f.name, Err: err}
	}
	return nil
}

// sparsely tells the kernel that pages are read here and there, so that it reads no more than that. A file system that does
// not know the call does as well without.
func (f *input) sparsely() { _ = unix.Fadvise(f.fd, 0, 0, unix.FADV_RANDOM) }

// soon has the kernel begin to read the first n bytes, in one piece, while other files are looked at.
func (f *input) soon(n int64) { _ = unix.Fadvise(f.fd, 0, n, unix.FADV_WILLNEED) }

// readHead reads at most n bytes from the front of a file.
func readHead(name string, n int) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	head, err := f.head(n)
	return head, errors.Join(err, f.Close())
}

// head reads at most n bytes from the front.
func (f *input) head(n int) ([]byte, error) {
	head := make([]byte, n)
	got, err := f.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:got], err
}
