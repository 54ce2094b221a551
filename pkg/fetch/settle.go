package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// settle leaves the one top folder out, and puts all folders on disk.
func (u *unpacker) settle() error {
	names, err := list(u.root)
	if err != nil {
		return err
	}
	if len(names) == 1 && u.seen[names[0]] != file {
		if err := u.strip(names[0]); err != nil {
			return err
		}
	}
	return fs.WalkDir(u.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(u.root, name)
	})
}

// strip moves what lies in the top folder up. The folder gets out of the way first:
// a program often has its name.
func (u *unpacker) strip(top string) error {
	inside, err := u.root.OpenRoot(top)
	if err != nil {
		return err
	}
	names, err := list(inside)
	if err := errors.Join(err, inside.Close()); err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: it holds no file", ErrUnsafe)
	}
	aside := ".top"
	for aside == top || slices.Contains(names, aside) {
		aside += "~"
	}
	if err := u.root.Rename(top, aside); err != nil {
		return err
	}
	for _, name := range names {
		if err := u.root.Rename(aside+"/"+name, name); err != nil {
			return err
		}
	}
	return u.root.Remove(aside)
}

// list are the names in a folder.
func list(root *os.Root) ([]string, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	return names, errors.Join(err, d.Close())
}

// empty removes all that is in a folder.
func empty(root *os.Root) error {
	names, err := list(root)
	for _, name := range names {
		err = errors.Join(err, root.RemoveAll(name))
	}
	return err
}

// countingReader says how much was read from it.
type countingReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// boundedReader ends with ErrTooLarge where more comes out than the limits allow
// for what went in.
type boundedReader struct {
	r      io.Reader
	in     *countingReader
	limits Limits
	n      int64
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	switch {
	case b.n > b.limits.Bytes:
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, b.limits.Bytes)
	case b.n > freeBytes && b.n/b.limits.Ratio > b.in.n:
		return 0, fmt.Errorf("%w: more than %d times the compressed size", ErrTooLarge, b.limits.Ratio)
	}
	return n, err
}
