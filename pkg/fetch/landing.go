package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// landing is a file on its way into a folder. It has its own name only once it is
// whole, verified and on disk; until then it is name + ".partial".
type landing struct {
	root *os.Root
	dir  string
	name string
	file *os.File
	sum  hash.Hash
	// size is how many bytes are there, all of them in sum.
	size int64
}

const partialSuffix = ".partial"

// land prepares a landing, and writes nothing before begin.
func land(dir, name string) (*landing, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder for %s: %w", name, err)
	}
	return &landing{root: root, dir: dir, name: name, sum: sha256.New()}, nil
}

func (l *landing) path(suffix string) string { return filepath.Join(l.dir, l.name+suffix) }

// begin opens the file. What an interrupted landing left is gone on with when
// resume is set.
func (l *landing) begin(resume bool) error {
	if err := l.open(resume); err != nil {
		return fmt.Errorf("writing %s: %w", l.path(partialSuffix), err)
	}
	return nil
}

func (l *landing) open(resume bool) error {
	partial := l.name + partialSuffix
	info, err := l.root.Lstat(partial)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return cause(err)
	case !resume || !info.Mode().IsRegular():
		if err := l.root.RemoveAll(partial); err != nil {
			return cause(err)
		}
	}
	if l.file, err = l.root.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return cause(err)
	}
	l.size, err = io.Copy(l.sum, l.file)
	return err
}

// take looks for a file that landed before and has the sum.
func (l *landing) take(sum string) (File, bool, error) {
	info, err := l.root.Lstat(l.name)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, false, nil
	}
	if err == nil && info.Mode().IsRegular() {
		h := sha256.New()
		var n int64
		if n, err = l.hashOf(h); err == nil && hex.EncodeToString(h.Sum(nil)) == sum {
			return File{Path: l.path(""), SHA256: sum, Bytes: n, Origin: l.path("")}, true, nil
		}
	}
	if err == nil {
		err = l.root.RemoveAll(l.name)
	}
	if err != nil {
		err = fmt.Errorf("reading %s: %w", l.path(""), cause(err))
	}
	return File{}, false, err
}

func (l *landing) hashOf(h hash.Hash) (int64, error) {
	f, err := l.root.Open(l.name)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(h, f)
	return n, errors.Join(err, f.Close())
}

// Write implements io.Writer.
func (l *landing) Write(p []byte) (int, error) {
	n, err := l.file.Write(p)
	_, _ = l.sum.Write(p[:n]) // a hash never fails (hash.Hash)
	l.size += int64(n)
	if err != nil {
		err = fmt.Errorf("writing %s: %w", l.path(partialSuffix), cause(err))
	}
	return n, err
}

// reset forgets all that was written.
func (l *landing) reset() error {
	l.sum.Reset()
	l.size = 0
	_, err := l.file.Seek(0, io.SeekStart)
	if err := errors.Join(err, l.file.Truncate(0)); err != nil {
		return fmt.Errorf("writing %s: %w", l.path(partialSuffix), cause(err))
	}
	return nil
}

// verify compares what was written with its sum. origin is for the error.
func (l *landing) verify(want, origin string) error {
	if got := hex.EncodeToString(l.sum.Sum(nil)); got != want {
		return fmt.Errorf("%s: %w: expected %s, got %s of %d bytes", origin, ErrSum, want, got, l.size)
	}
	return nil
}

// commit gives a verified file its name, all of it on disk.
func (l *landing) commit(sum, origin string) (File, error) {
	f := File{Path: l.path(""), SHA256: sum, Bytes: l.size, Origin: origin}
	err := l.file.Sync()
	if err == nil {
		err = l.root.Rename(l.name+partialSuffix, l.name)
	}
	if err == nil {
		err = syncFolder(l.root, ".")
	}
	if err != nil {
		return File{}, fmt.Errorf("writing %s: %w", f.Path, cause(err))
	}
	return f, nil
}

// finish ends a landing: after an error nothing stays, except where keep is set.
func (l *landing) finish(err error, keep bool) error {
	if err == nil || !keep || l.size == 0 {
		if rerr := l.root.Remove(l.name + partialSuffix); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("removing %s: %w", l.path(partialSuffix), cause(rerr)))
		}
	}
	return errors.Join(err, l.close())
}

func (l *landing) close() error {
	var err error
	if l.file != nil {
		err = l.file.Close()
	}
	return errors.Join(err, l.root.Close())
}

// syncFolder puts the names in a folder on disk.
func syncFolder(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// wanted is the sum that content must have, of up to two that are known: "" is an
// error, and so are two that differ.
func wanted(origin string, sums ...string) (string, error) {
	want := ""
	for _, s := range sums {
		s = strings.ToLower(s)
		switch {
		case s == "":
		case !isSum(s):
			return "", fmt.Errorf("%s: %q is not a sha256", origin, s)
		case want != "" && want != s:
			return "", fmt.Errorf("%s: %w: %s is expected, and %s given", origin, ErrSum, want, s)
		default:
			want = s
		}
	}
	if want == "" {
		return "", fmt.Errorf("%s: %w", origin, ErrNoSum)
	}
	return want, nil
}

// cause is an error without the path that the caller's message names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}
