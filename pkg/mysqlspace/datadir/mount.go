package datadir

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

type mountPoint struct{ path string }

// mountPoints are those that the process sees, the longest first; none where /proc is not there.
func mountPoints() []mountPoint {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	var points []mountPoint
	for line := range strings.Lines(string(text)) {
		// proc(5): the fifth field is the mount point, with space, tab, newline and backslash in octal.
		if fields := strings.Fields(line); len(fields) > 4 {
			points = append(points, mountPoint{unescape.Replace(fields[4])})
		}
	}
	sort.SliceStable(points, func(i, j int) bool { return cmp.Compare(len(points[j].path), len(points[i].path)) < 0 })
	return points
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// mountOf is the mount point that a path lies below; "" where it is not known.
func (t *Tree) mountOf(name string) string {
	for _, m := range t.mounts {
		if m.path == "/" || name == m.path || strings.HasPrefix(name, m.path+"/") {
			return m.path
		}
	}
	return ""
}

// Mounts are the file systems that the data lie on, with what for, sorted by path.
func (t *Tree) Mounts() ([]space.Mount, error) {
	uses := make(map[string][]string)
	add := func(mount, use string) {
		if mount != "" && !slices.Contains(uses[mount], use) {
			uses[mount] = append(uses[mount], use)
		}
	}
	add(t.mountOf(t.Root), "datadir")
	for _, p := range t.options.Elsewhere {
		if dir, err := filepath.EvalSymlinks(p.Dir); err == nil {
			add(t.mountOf(dir), p.For)
		}
	}
	for i := range t.Files {
		if f := &t.Files[i]; !f.folder && filepath.IsAbs(f.Path) {
			add(f.Mount, string(f.Category))
		}
	}
	mounts := make([]space.Mount, 0, len(uses))
	for path, use := range uses {
		m, err := statfs(path, use)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
	sort.SliceStable(mounts, func(i, j int) bool { return mounts[i].Path < mounts[j].Path })
	return mounts, nil
}

// MountOf is the file system that a folder of the server lies on, with what the server has it for.
func MountOf(dir, use string) (space.Mount, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return space.Mount{}, err
	}
	t := Tree{mounts: mountPoints()}
	return statfs(cmp.Or(t.mountOf(dir), dir), []string{use})
}

func statfs(path string, use []string) (space.Mount, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return space.Mount{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	size := st.Frsize
	return space.Mount{
		Path: path, Bytes: int64(st.Blocks) * size, Used: int64(st.Blocks-st.Bfree) * size, Free: int64(st.Bavail) * size, For: use,
	}, nil
}
