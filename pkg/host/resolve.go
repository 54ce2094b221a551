package host

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
)

// resolve walks a host's name below the root folder and gives the path, relative to it and free of
// symbolic links, that the host itself would reach: an absolute link starts again at the root
// folder, and ".." stops there. os.Root then opens the result, so that a link which appears in
// between still cannot lead outside.
func (h *Host) resolve(name string, followLast bool) (string, error) {
	var done []string
	todo := elements(name)
	links := 0
	for len(todo) > 0 {
		elem := todo[0]
		todo = todo[1:]
		if elem == ".." {
			done = done[:max(0, len(done)-1)]
			continue
		}
		here := path.Join(append(slices.Clip(done), elem)...)
		info, err := h.root.Lstat(here)
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
		target, err := h.root.Readlink(here)
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

// elements splits a name and drops the elements that mean nothing, so that a trailing slash does
// not count as one.
func elements(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(e string) bool { return e == "" || e == "." })
}

func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
}
