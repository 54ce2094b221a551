package test

import (
	"os"
	"strings"
	"testing"
)

// tracedCalls are those that change files, and those that put changes on disk.
const tracedCalls = "trace=open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir," +
	"mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr," +
	"truncate,ftruncate,fallocate,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,splice,sendmsg,sendto,fsync,fdatasync," +
	"mount,umount2,io_uring_setup"

// traced runs opsctl in the machine, which must succeed, and tells what it and the programs it started asked the kernel for.
func (r *installRig) traced(t *testing.T, args ...string) ([]call, string) {
	t.Helper()
	const file = "/run/strace"
	out := r.ask(t, "strace", append([]string{"-f", "-y", "-qq", "-s", "300", "-o", file, "-e", tracedCalls, r.program}, args...)...)
	f, err := os.Open(r.Path(file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	calls, err := parseStrace(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(calls) < 10 {
		t.Fatalf("strace saw %d calls", len(calls))
	}
	return calls, out
}

// how says what a call did to a path.
type how string

const (
	made    how = "made"    // its folder got the name
	gone    how = "gone"    // its folder lost it
	created how = "created" // it was opened, and made if it was not there
	written how = "written" // its content changed
	changed how = "changed" // its mode, owner, times or attributes
)

// touch is one change of one path.
type touch struct {
	path string
	how  how
}

// nameOf says where the calls that change a name have it: the argument of the folder, or -1, and the one of the name.
func nameOf(call string) (dir, name int, what how) {
	switch call {
	case "mkdir", "mknod":
		return -1, 0, made
	case "mkdirat", "mknodat":
		return 0, 1, made
	case "symlink", "link":
		return -1, 1, made
	case "symlinkat":
		return 1, 2, made
	case "linkat":
		return 2, 3, made
	case "unlink", "rmdir":
		return -1, 0, gone
	case "unlinkat":
		return 0, 1, gone
	case "chmod", "chown", "lchown", "setxattr", "lsetxattr", "removexattr":
		return -1, 0, changed
	case "fchmodat", "fchownat", "utimensat":
		return 0, 1, changed
	case "truncate":
		return -1, 0, written
	}
	return 0, 0, ""
}

// touches are the paths that a call changed.
func (c *call) touches() []touch {
	if !c.ok() {
		return nil
	}
	if dir, name, what := nameOf(c.name); what != "" {
		return onDisk(touch{c.path(dir, name), what})
	}
	switch c.name {
	case "rename":
		return onDisk(touch{c.path(-1, 0), gone}, touch{c.path(-1, 1), made})
	case "renameat", "renameat2":
		return onDisk(touch{c.path(0, 1), gone}, touch{c.path(2, 3), made})
	case "creat", "open", "openat", "openat2":
		path, flags := c.opened()
		switch {
		case strings.Contains(flags, "O_CREAT") && strings.Contains(flags, "O_EXCL"):
			return onDisk(touch{path, made})
		case strings.Contains(flags, "O_TRUNC"):
			return onDisk(touch{path, written})
		case strings.Contains(flags, "O_CREAT"):
			return onDisk(touch{path, created})
		}
	case "write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fallocate", "sendfile":
		return onDisk(touch{c.file(0), written})
	case "copy_file_range", "splice":
		return onDisk(touch{c.file(2), written})
	case "fchmod", "fchown", "fsetxattr":
		return onDisk(touch{c.file(0), changed})
	case "mount", "umount2", "io_uring_setup":
		return []touch{{c.name, changed}} // nothing else here could tell what it changes
	}
	return nil
}

// opened is what a call opens, and its flags.
func (c *call) opened() (path, flags string) {
	switch {
	case c.name == "creat":
		return c.path(-1, 0), "O_WRONLY|O_CREAT|O_TRUNC"
	case c.name == "open" && len(c.args) > 1:
		return c.path(-1, 0), c.args[1]
	case strings.HasPrefix(c.name, "openat") && len(c.args) > 2:
		return c.path(0, 1), c.args[2]
	}
	return "", ""
}

// onDisk leaves out what is no file: sockets, pipes, the terminal, the kernel's own.
func onDisk(all ...touch) []touch {
	kept := []touch{}
	for _, t := range all {
		if strings.HasPrefix(t.path, "/") && !strings.HasPrefix(t.path, "/dev/") && !strings.HasPrefix(t.path, "/proc/") {
			kept = append(kept, t)
		}
	}
	return kept
}

// below says whether a path is top or lies in it.
func below(path, top string) bool { return path == top || strings.HasPrefix(path, top+"/") }
