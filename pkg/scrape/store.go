package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/host"
)

// DefaultFile is where Debian, and Prometheus's own documentation, have the configuration.
const DefaultFile = "/etc/prometheus/prometheus.yml"

// maxFile bounds a configuration, in bytes.
const maxFile = 16 << 20

// ErrChanged says that the file is another one than the edit was made for.
var ErrChanged = errors.New("the file has changed meanwhile")

// Read reads a configuration file: a regular one of at most 16 MiB.
func Read(path string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	data, err := host.Local().ReadFile(abs, maxFile)
	if err != nil {
		return nil, &Error{File: path, Err: cause(err), Hint: "name the configuration file of Prometheus, a regular file of at most 16 MiB"}
	}
	return data, nil
}

// cause is an error without the path, which stands in front already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Write replaces the configuration file as a whole, keeping its mode and its owner. before is what it held when it was
// read; if it holds something else now, nothing is written: [ErrChanged].
func Write(path string, before, after []byte) error {
	now, err := Read(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return &Error{File: path, Err: ErrChanged, Hint: "run the command again"}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, after, info.Mode().Perm()); err != nil {
		return err
	}
	return restoreOwner(path, info)
}

// restoreOwner gives the new file the owner of the old one.
func restoreOwner(path string, old fs.FileInfo) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	want, ok := old.Sys().(*syscall.Stat_t)
	have, ok2 := info.Sys().(*syscall.Stat_t)
	if !ok || !ok2 || want.Uid == have.Uid && want.Gid == have.Gid {
		return nil
	}
	if err := os.Chown(path, int(want.Uid), int(want.Gid)); err != nil {
		return fmt.Errorf("giving %s back to its owner: %w", path, cause(err))
	}
	return nil
}

// installedPromtool is where opsctl install puts it.
const installedPromtool = "/opt/prometheus/current/promtool"

// FindPromtool looks for promtool in PATH and where opsctl installs it; "" when there is none.
func FindPromtool() string {
	if path, err := exec.LookPath("promtool"); err == nil {
		return path
	}
	if path, err := exec.LookPath(installedPromtool); err == nil {
		return path
	}
	return ""
}
