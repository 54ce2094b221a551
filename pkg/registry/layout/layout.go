// Package layout reads the folders in which distribution's filesystem driver keeps a registry
// (registry/storage/paths.go of distribution/distribution). It promises to read below the root directory and nowhere
// else, to hold no folder whole in memory, and to go on past whatever is broken: a bad link, a stray file, a folder
// that cannot be read is a [Problem] that names it, never an end.
package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// ErrNotRegistry is wrapped by the error of [Open] for a folder that holds no registry.
var ErrNotRegistry = errors.New("not the root directory of a registry")

// ErrTooLarge is wrapped by [Store.Manifest] for a blob above the limit.
var ErrTooLarge = errors.New("too large")

// v2 is where the driver keeps everything, below its rootdirectory.
const v2 = "docker/registry/v2"

// batch is the number of directory entries held at a time.
const batch = 1024

// Store is a registry's root directory, open for reading. It is safe for concurrent use.
type Store struct {
	root *os.Root
	dir  *os.File // the same folder
	at   string   // where it is below the root directory, for problems
}

// Open opens the driver's rootdirectory, the folder that holds docker/registry/v2; it may be a symbolic link. The
// error wraps [ErrNotRegistry] when dir holds no registry, which is also so before the first push. The caller closes it.
func Open(dir string) (*Store, error) {
	top, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the root directory: %w", err)
	}
	defer func() { _ = top.Close() }()
	root, err := top.OpenRoot(v2)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%s: %w: it has no folder %s", dir, ErrNotRegistry, v2)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path.Join(dir, v2), err)
	}
	return &Store{root, handle(root), v2}, nil
}

// Dir is the folder below a root directory in which a registry keeps everything.
func Dir(root string) string { return filepath.Join(root, v2) }

// Within is the store of folders that lie elsewhere, laid out as those of a registry. Its problems name it by at, a path
// relative to the root directory. Closing the store closes root.
func Within(root *os.Root, at string) *Store { return &Store{root, handle(root), at} }

// Close ends the use of the store.
func (s *Store) Close() error {
	err := s.root.Close()
	if s.dir != nil {
		err = errors.Join(err, s.dir.Close())
	}
	return err
}

// Problem is something in the store that is not as a registry writes it.
//
//nolint:errname // it is a finding that is counted and listed, and only then an error
type Problem struct {
	// Path is relative to the root directory, with slashes.
	Path string
	Err  error
}

// Error implements error.
func (p *Problem) Error() string { return p.Path + ": " + reason(p.Err) }

// MarshalJSON implements [json.Marshaler]: the path and what is wrong with it.
func (p *Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Path    string `json:"path"`
		Message string `json:"message"`
	}{p.Path, reason(p.Err)})
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// reason leaves out the operation and path of a file error: the problem names the file in full.
func reason(err error) string {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err.Error()
	}
	return err.Error()
}

func (s *Store) problem(name string, err error) *Problem {
	return &Problem{Path: path.Join(s.at, name), Err: err}
}

// ErrStray is wrapped by a problem with something that no registry wrote and that hides nothing: a regular file where
// folders belong, a folder whose name is no digest.
var ErrStray = errors.New("does not belong here")

// ErrEmpty is of a file without content, which a registry that was killed may leave.
var ErrEmpty = errors.New("the file is empty")

// What is wrong with files; problems wrap them.
var (
	errNotFile   = errors.New("not a regular file")
	errNotFolder = errors.New("neither a folder nor a regular file")
	errNoData    = errors.New("the blob has no data")
)

// entries yields what a folder holds, unsorted, a batch at a time. A folder that does not exist holds nothing.
func (s *Store) entries(dir string) iter.Seq2[fs.DirEntry, *Problem] {
	return func(yield func(fs.DirEntry, *Problem) bool) {
		f, err := s.openDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, s.problem(dir, err))
			return
		}
		defer func() { _ = f.Close() }()
		for {
			some, err := f.ReadDir(batch)
			for _, entry := range some {
				if !yield(entry, nil) {
					return
				}
			}
			// getdents(2) says of a folder that was removed while it was read that it does not exist.
			if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) {
				return
			}
			if err != nil {
				yield(nil, s.problem(dir, err))
				return
			}
		}
	}
}

// folders yields the names of the folders in dir; everything else is a problem.
func (s *Store) folders(dir string) iter.Seq2[string, *Problem] {
	return func(yield func(string, *Problem) bool) {
		for entry, trouble := range s.entries(dir) {
			name := ""
			switch {
			case trouble != nil:
			case entry.IsDir():
				name = entry.Name()
			case entry.Type().IsRegular():
				trouble = s.problem(path.Join(dir, entry.Name()), ErrStray)
			default:
				trouble = s.problem(path.Join(dir, entry.Name()), errNotFolder)
			}
			if !yield(name, trouble) {
				return
			}
		}
	}
}

// linkLimit is above the longest link, "sha512:" and 128 digits.
const linkLimit = 256

// link reads a link file: a digest and nothing else.
func (s *Store) link(name string) (digest.Digest, time.Time, error) {
	text, changed, err := s.small(name, linkLimit)
	if err != nil {
		return digest.Digest{}, changed, err
	}
	d, err := digest.Parse(string(text))
	return d, changed, err
}

// A registry makes a link's folder, then the file, then writes the digest, and the older ones do so in place
// (registry/storage/driver/filesystem, PutContent): a link that is found in between is read again.
const (
	recent  = 10 * time.Second
	rereads = 5
)

// errGone is of a link whose folder was removed while it was read.
var errGone = errors.New("has gone")

// calm reads a link, again and again for some hundredths of a second while a registry may be writing it.
func (s *Store) calm(folder, name string) (digest.Digest, time.Time, error) {
	wait := 2 * time.Millisecond
	for try := 0; ; try++ {
		d, changed, err := s.link(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrEmpty) {
			return d, changed, err
		}
		info, gone := s.root.Lstat(folder)
		switch {
		case errors.Is(gone, fs.ErrNotExist):
			return d, changed, errGone
		case gone != nil || try == rereads || !recently(info.ModTime(), changed):
			return d, changed, err
		}
		time.Sleep(wait)
		wait *= 2
	}
}

// recently reports whether one of the times is that of a write that may still be under way.
func recently(times ...time.Time) bool {
	for _, at := range times {
		if time.Since(at) < recent {
			return true
		}
	}
	return false
}
