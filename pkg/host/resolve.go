package host

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// Traverse follows a host's name as the kernel does and returns the absolute name, free of symbolic links,
// of what it stands for. Visit, unless nil, is called for every folder that is searched on the way, "/"
// first, with its resolved name; an error from it ends the walk and is returned as it is. Everything
// along the name must exist.
func (h *Host) Traverse(name string, visit func(dir string, info fs.FileInfo) error) (string, error) {
	rel, err := h.walk(name, true, visit)
	if err != nil {
		return "", err
	}
	return path.Join("/", rel), nil
}

// resolve gives the path, relative to the root folder and free of symbolic links, that the host itself
// would reach: an absolute link starts again at the root folder, and ".." stops there. os.Root then
// opens the result, so that a link which appears in between still cannot lead outside.
func (h *Host) resolve(name string, followLast bool) (string, error) {
	return h.walk(name, followLast, nil)
}

func (h *Host) walk(name string, followLast bool, visit func(string, fs.FileInfo) error) (string, error) {
	var done []string
	todo := elements(name)
	for links := 0; len(todo) > 0; {
		if err := h.visit(done, visit); err != nil {
			return "", err
		}
		elem := todo[0]
		todo = todo[1:]
		if elem == ".." {
			done = done[:max(0, len(done)-1)]
			continue
		}
		here := path.Join(append(slices.Clip(done), elem)...)
		info, err := h.lstatRel(here)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 || (len(todo) == 0 && !followLast) {
			if len(todo) > 0 && !info.IsDir() {
				return "", syscall.ENOTDIR
			}
			done = append(done, elem)
			continue
		}
		if links++; links > maxLinks {
			return "", syscall.ELOOP
		}
		target, err := h.readlinkRel(here)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(target, "/") {
			done = nil
		}
		todo = append(elements(target), todo...)
	}
	if len(done) == 0 {
		return ".", nil
	}
	return path.Join(done...), nil
}

func (h *Host) visit(dir []string, visit func(string, fs.FileInfo) error) error {
	if visit == nil {
		return nil
	}
	info, err := h.lstatRel(path.Join(append([]string{"."}, dir...)...))
	if err != nil {
		return err
	}
	return visit("/"+path.Join(dir...), info)
}

func (h *Host) lstatRel(rel string) (fs.FileInfo, error) {
	if h.Live() {
		return os.Lstat("/" + rel)
	}
	return h.root.Lstat(rel)
}

func (h *Host) readlinkRel(rel string) (string, error) {
	if h.Live() {
		return os.Readlink("/" + rel)
	}
	return h.root.Readlink(rel)
}

// elements splits a name and drops the elements that mean nothing, so that a trailing slash does
// not count as one.
func elements(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(e string) bool { return e == "" || e == "." })
}

func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
}
