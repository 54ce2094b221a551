package server

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Process is a registry that runs on this host.
type Process struct {
	PID     int
	Started time.Time // never later than it truly was
	Config  *Config
	// Version is the main module's, such as "v3.1.0", "" where the program does not say.
	Version string
	// net is its network namespace's file, "" where it is that of this process.
	net string
}

// ErrHidden is wrapped where a registry runs that this process may not look at: it may be the one that serves the store.
var ErrHidden = errors.New("may serve it, and cannot be looked at")

// Find lists the registries that run on this host and serve the store at root. The error wraps [ErrHidden] when there may be others.
func Find(root string) ([]*Process, error) { return find("/proc", root) }

func find(proc, root string) ([]*Process, error) {
	there, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	var found []*Process
	var hidden []error
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		p, err := look(filepath.Join(proc, entry.Name()), there)
		if errors.Is(err, fs.ErrPermission) {
			hidden = append(hidden, fmt.Errorf("process %d, a registry, %w: %w", pid, ErrHidden, err))
		}
		if p != nil {
			p.PID = pid
			p.Started = started(proc, pid)
			found = append(found, p)
		}
	}
	return found, errors.Join(hidden...)
}

// look reads one process; nil: it is no registry, serves another store, or has ended. The error
// is why it could not be told.
func look(dir string, store os.FileInfo) (*Process, error) {
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return nil, nil //nolint:nilerr // it has ended
	}
	args := strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
	if len(args) < 2 || !strings.HasSuffix(filepath.Base(args[0]), "registry") || args[1] != "serve" {
		return nil, nil
	}
	environ, err := os.ReadFile(filepath.Join(dir, "environ"))
	if err != nil {
		return nil, err
	}
	env := strings.Split(strings.TrimSuffix(string(environ), "\x00"), "\x00")
	text, err := os.ReadFile(inside(dir, configPath(args[2:], env)))
	if err != nil {
		return nil, err
	}
	config, err := ParseConfig(text, env)
	if err != nil || config.Driver != "filesystem" {
		return nil, err
	}
	served, err := os.Stat(inside(dir, config.Root))
	if err != nil || !os.SameFile(served, store) {
		return nil, err
	}
	p := &Process{Config: config}
	if info, err := buildinfo.ReadFile(filepath.Join(dir, "exe")); err == nil && strings.HasSuffix(info.Main.Path, "distribution/v3") {
		p.Version = info.Main.Version
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	if theirs, failed := os.Readlink(filepath.Join(dir, "ns/net")); err == nil && failed == nil && ours != theirs {
		p.net = filepath.Join(dir, "ns/net")
	}
	return p, nil
}

// configPath is the file that registry serve reads (registry/registry.go, resolveConfiguration).
func configPath(args, env []string) string {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			return arg
		}
	}
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "REGISTRY_CONFIGURATION_PATH="); ok {
			return value
		}
	}
	return ""
}

// inside is a path as the process sees it.
func inside(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Join(dir, "root", name)
	}
	return filepath.Join(dir, "cwd", name)
}

// ticks is the kernel's clock in /proc, a second (proc_pid_stat(5), USER_HZ).
const ticks = 100

// started is when a process began: the boot time, which is cut to a second, and the ticks since; zero when that cannot be read.
func started(proc string, pid int) time.Time {
	stat, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "stat"))
	if err != nil {
		return time.Time{}
	}
	// The name in the second field may hold anything, also a parenthesis.
	_, rest, ok := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	const starttime = 22 - 3 // the first field here is the third
	if !ok || len(fields) <= starttime {
		return time.Time{}
	}
	since, err := strconv.ParseInt(fields[starttime], 10, 64)
	boot, failed := booted(proc)
	if err != nil || failed != nil {
		return time.Time{}
	}
	return boot.Add(time.Duration(since) * time.Second / ticks)
}

func booted(proc string) (time.Time, error) {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(stat)) {
		if text, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			return time.Unix(seconds, 0), err
		}
	}
	return time.Time{}, errors.New("no btime")
}

// String names the process for messages.
func (p *Process) String() string { return fmt.Sprintf("the registry of process %d", p.PID) }
