package datadir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/progress"
)

// Options say what to walk.
type Options struct {
	// Dir is the data folder. A symbolic link to it is followed, as du(1) does with a slash behind.
	Dir string
	// Elsewhere are further folders of the server, beyond Dir, with what they are for; they are accounted apart.
	Elsewhere []Place
	// Workers bounds the files that are read at once; 0 for 32: what is waited for is a disk, and it is the faster the more it
	// is asked for.
	Workers  int
	Progress progress.Reporter // files looked into; nil for none
}

// Place is a folder that the server was told to use.
type Place struct {
	Dir string
	For string // "undo tablespaces", "binary logs": the variable's meaning
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return 32
}

// File is a file, folder or link of a data folder.
type File struct {
	space.File
	Kind     Kind
	Modified time.Time

	check  check // what its content must be; nil: the name is enough
	linked bool  // another name of an inode that was counted before: it adds nothing to sums
	folder bool
	odd    bool // neither a regular file nor a folder: a link, a socket
	inode  inode

	definition *Definition // of a .frm that was whole in what was looked at
}

type inode struct{ dev, ino uint64 }

// Tree is a data folder and what is in it.
type Tree struct {
	Root string // absolute, links resolved
	// Files are sorted by path. Those beyond Root, which tables, links or Options name, have absolute paths.
	Files []File
	// Problems are files that could not be read or are not what their name says; each is an *fs.PathError or a *WrongError.
	Problems []error

	options    Options
	mounts     []mountPoint
	external   []File // found so far, until follow adds them
	externalAt map[string]int
}

// WrongError says that a file is not what its name promises.
type WrongError struct {
	Path string
	Why  string
}

func (e *WrongError) Error() string { return e.Path + ": " + e.Why }

// Walk lists a data folder and says of every file what it is. The error is of Dir itself, or ctx's; what is wrong below is in
// Problems. A file that vanishes meanwhile is none: servers make and remove files all the time.
func Walk(ctx context.Context, o Options) (*Tree, error) {
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, fmt.Errorf("reading the data folder: %w", err)
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("reading the data folder: %w", err)
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "reading the data folder", Path: root, Err: syscall.ENOTDIR}
	}
	t := &Tree{Root: root, options: o, mounts: mountPoints(), externalAt: make(map[string]int)}
	rep := progress.OrNop(o.Progress)
	rep.Start(0)
	defer rep.Done()
	t.Files = []File{describe(".", info)}
	if err := t.list(ctx, []string{"."}); err != nil {
		return nil, err
	}
	if len(t.Files) == 1 && len(t.Problems) > 0 { // not listed, or nothing that was may be looked at
		return nil, fmt.Errorf("reading the data folder: %w", t.Problems[0])
	}
	t.classify()
	if err := t.look(ctx, rep); err != nil {
		return nil, err
	}
	t.orphans()
	if err := t.follow(ctx); err != nil {
		return nil, err
	}
	t.finish()
	return t, nil
}

// list adds what is in the folders and below, one level after the other, the folders of a level at once.
func (t *Tree) list(ctx context.Context, folders []string) error {
	for len(folders) > 0 {
		var mu sync.Mutex
		var next []string
		err := forEach(ctx, t.options.workers(), len(folders), func(i int) {
			files, problems := t.readDir(folders[i])
			mu.Lock()
			defer mu.Unlock()
			t.Files = append(t.Files, files...)
			t.Problems = append(t.Problems, problems...)
			for i := range files {
				if files[i].folder {
					next = append(next, files[i].Path)
				}
			}
		})
		if err != nil {
			return err
		}
		folders = next
	}
	return nil
}

func (t *Tree) readDir(folder string) (files []File, problems []error) {
	entries, err := os.ReadDir(t.abs(folder))
	if err != nil && !vanished(err) {
		problems = append(problems, err)
	}
	files = make([]File, 0, len(entries))
	for _, e := range entries {
		info, err := e.Info() // lstat(2)
		switch {
		case vanished(err):
		case err != nil:
			problems = append(problems, err)
		default:
			files = append(files, describe(path.Join(folder, e.Name()), info))
		}
	}
	return files, problems
}

func describe(name string, info fs.FileInfo) File {
	f := File{Modified: info.ModTime(), folder: info.IsDir()}
	f.Path, f.Apparent = name, info.Size()
	f.odd = !f.folder && !info.Mode().IsRegular()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Bytes = st.Blocks * 512
		f.inode = inode{st.Dev, st.Ino}
		f.linked = st.Nlink > 1 && !f.folder // perhaps: finish says which
	}
	return f
}

func vanished(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// abs is where a file is: paths are below Root unless absolute.
func (t *Tree) abs(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return filepath.Join(t.Root, name)
}

// finish sorts the files, gives each its mount, and counts an inode of several names once, by the first of them.
func (t *Tree) finish() {
	sort.SliceStable(t.Files, func(i, j int) bool {
		a, b := &t.Files[i], &t.Files[j]
		return cmp.Or(cmp.Compare(depthless(a.Path), depthless(b.Path)), strings.Compare(a.Path, b.Path)) < 0
	})
	seen := make(map[inode]bool)
	byDevice := make(map[uint64]string)
	for i := range t.Files {
		f := &t.Files[i]
		mount, known := byDevice[f.inode.dev]
		if !known {
			mount = t.mountOf(t.abs(f.Path))
			byDevice[f.inode.dev] = mount
		}
		f.Mount = mount
		if f.linked {
			f.linked = seen[f.inode]
			seen[f.inode] = true
		}
	}
	sort.Slice(t.Problems, func(i, j int) bool { return t.Problems[i].Error() < t.Problems[j].Error() })
}

// depthless puts what is below the data folder before what is beyond it.
func depthless(name string) int {
	if path.IsAbs(name) {
		return 1
	}
	return 0
}
