package layout

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// What a check of the store needs, below the names of the store's own folders.

// BlobsDir holds the blobs: <algorithm>/<two digits>/<hex>/data.
const BlobsDir = "blobs"

// RepositoriesDir holds the repositories.
const RepositoriesDir = repositories

// Entries yields what a folder holds, unsorted. A folder that does not exist holds nothing.
func (s *Store) Entries(dir string) iter.Seq2[fs.DirEntry, *Problem] { return s.entries(dir) }

// Exists reports whether something has that name, a symbolic link included.
func (s *Store) Exists(name string) (bool, error) {
	_, err := s.stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// LinkFile reads a link: the error wraps [fs.ErrNotExist], [ErrEmpty] or [ErrTooLarge], or is [digest.Malformed].
func (s *Store) LinkFile(name string) (digest.Digest, error) {
	d, _, err := s.calm(path.Dir(name), name)
	if errors.Is(err, errGone) {
		err = fs.ErrNotExist
	}
	return d, err
}

// Upload is one of a repository's uploads, as [Store.Uploads] yields it.
func (s *Store) Upload(repository, id string) (Upload, *Problem) {
	return s.upload(UploadsDir(repository), id)
}

// Problem is a problem with a file or folder of the store.
func (s *Store) Problem(name string, err error) *Problem { return s.problem(name, err) }

// Content opens a blob's content, which the caller closes. The error wraps [fs.ErrNotExist] when the store lacks it.
func (s *Store) Content(d digest.Digest) (io.ReadCloser, error) {
	name := dataPath(d)
	fd, err := s.open(name)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	if st, err := stat(fd); err != nil || !st.regular {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("opening: %w", errNoData)
	}
	return content(fd), nil
}

// content is a descriptor of a regular file: [os.NewFile] would try to have the runtime wait for it.
type content int

// Read implements [io.Reader].
func (c content) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(c), p)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Close implements [io.Closer].
func (c content) Close() error { return unix.Close(int(c)) }
