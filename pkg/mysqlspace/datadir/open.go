package datadir

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// open opens a file for reading: never a link's target, never waiting for a pipe's other end, and without changing the time
// of access where the kernel allows that (open(2), O_NOATIME: to the owner and to root).
func open(name string) (*os.File, error) {
	const flags = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(name, flags|unix.O_NOATIME, 0)
	if errors.Is(err, syscall.EPERM) {
		return os.OpenFile(name, flags, 0)
	}
	return f, err
}

// readHead reads at most n bytes from the front of a file.
func readHead(name string, n int) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	head := make([]byte, n)
	got, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:got], errors.Join(err, f.Close())
}
