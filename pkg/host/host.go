// Package host is the machine a command looks at: its files, its name and, when it is the one the
// process runs on, its programs. [Local] is this machine; [Root] is another one whose file system
// lies in a folder (a mounted disk, a chroot, a copy for an investigation).
//
// All names that go in and come out are the host's own ("/etc/passwd"), whatever folder they are
// really read from; [Host.Path] translates for messages. Below a Root no name and no symbolic link,
// absolute or relative, leads out of the folder. Files are opened so that a FIFO, a device or a
// socket in a file's place is an error, never a wait.
package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrOffline says that the host is a folder: nothing can be run on it.
var ErrOffline = errors.New("the host is a folder, nothing can be run on it")

// ErrNotRegular says that a name to be read as a file is a folder, a FIFO, a socket or a device.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge says that a file holds more than the caller is prepared to read.
var ErrTooLarge = errors.New("file too large")

// maxLinks bounds the symbolic links followed for one name, as Linux does (path_resolution(7)).
const maxLinks = 40

// Host is one machine's file system, and its processes when it is the local one. The zero value is
// not usable. A Host may be used from many goroutines.
type Host struct {
	dir  string   // the real folder that is the host's "/", "" for the local machine
	root *os.Root // nil for the local machine
}

// Local is the machine this process runs on.
func Local() *Host { return &Host{} }

// Root takes the folder dir as the "/" of a host that is not running. It is an error when dir is not
// a folder that can be opened.
func Root(dir string) (*Host, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("locating %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("opening the host's root folder: %w", err)
	}
	return &Host{dir: abs, root: root}, nil
}

// Live says whether programs can be run on the host.
func (h *Host) Live() bool { return h.root == nil }

// Path is where the host's file name really lies, for messages only: below a Root, symbolic links
// make it differ from the file that Open reads.
func (h *Host) Path(name string) string {
	return filepath.Join(h.dir, path.Join("/", name))
}

// Name is the host's name: the kernel's for the local machine, the first line of /etc/hostname for
// a Root, "" when it has none.
func (h *Host) Name() string {
	if h.Live() {
		name, err := os.Hostname()
		if err != nil {
			return ""
		}
		return name
	}
	f, err := h.Open("/etc/hostname")
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // read only
	lines := bufio.NewScanner(io.LimitReader(f, 4096))
	for lines.Scan() {
		// hostname(5): blank lines and lines that start with # are skipped.
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// Open opens a regular file for reading, following symbolic links. Anything else than a regular
// file is an error that wraps ErrNotRegular; opening never blocks. The caller closes the file.
func (h *Host) Open(name string) (*os.File, error) {
	// Looking before opening spares devices that act on being opened (a watchdog, a tape).
	info, err := h.statReal(name, true)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		return nil, h.fail("open", name, err)
	}
	f, err := h.open(name, syscall.O_NONBLOCK|syscall.O_NOCTTY)
	if err != nil {
		return nil, h.fail("open", name, err)
	}
	info, err = f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		_ = f.Close()
		return nil, h.fail("open", name, err)
	}
	return f, nil
}

// ReadFile reads a whole regular file of at most limit bytes; a larger one is an error that wraps
// ErrTooLarge.
func (h *Host) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := h.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, h.fail("read", name, err)
	}
	if int64(len(data)) > limit {
		return nil, h.fail("read", name, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit))
	}
	return data, nil
}

// Stat describes a file, following symbolic links.
func (h *Host) Stat(name string) (fs.FileInfo, error) { return h.stat("stat", name, true) }

// Lstat describes a file, or the symbolic link itself when the name's last element is one.
func (h *Host) Lstat(name string) (fs.FileInfo, error) { return h.stat("lstat", name, false) }

// ReadDir lists a folder, sorted by name.
func (h *Host) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := h.open(name, syscall.O_DIRECTORY)
	if err != nil {
		return nil, h.fail("open", name, err)
	}
	defer f.Close() //nolint:errcheck // read only
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, h.fail("readdir", name, err)
	}
	sortEntries(entries)
	return entries, nil
}

// RealPath is the host's name for a file after all symbolic links in it are followed, as
// realpath(3): absolute, every element exists.
func (h *Host) RealPath(name string) (string, error) {
	resolved, err := h.Traverse(name, nil)
	if err != nil {
		return "", h.fail("realpath", name, err)
	}
	return resolved, nil
}

func (h *Host) open(name string, flags int) (*os.File, error) {
	if h.Live() {
		return os.OpenFile(absolute(name), os.O_RDONLY|flags, 0)
	}
	rel, err := h.resolve(name, true)
	if err != nil {
		return nil, err
	}
	return h.root.OpenFile(rel, os.O_RDONLY|flags, 0)
}

func (h *Host) stat(op, name string, follow bool) (fs.FileInfo, error) {
	info, err := h.statReal(name, follow)
	if err != nil {
		return nil, h.fail(op, name, err)
	}
	return info, nil
}

func (h *Host) statReal(name string, follow bool) (fs.FileInfo, error) {
	if h.Live() {
		if follow {
			return os.Stat(absolute(name))
		}
		return os.Lstat(absolute(name))
	}
	rel, err := h.resolve(name, follow)
	if err != nil {
		return nil, err
	}
	return h.root.Lstat(rel)
}

// absolute does not clean the name: "link/.." is the parent of the link's target.
func absolute(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + name
}

// fail words an error about the host's file, with the real path for the reader.
func (h *Host) fail(op, name string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: h.Path(name), Err: err}
}
