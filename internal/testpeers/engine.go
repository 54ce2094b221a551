package testpeers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Engine is a real Docker engine, dockerd with its containerd, in a box. Its folders have the same names inside the box
// and on this machine, and so a volume's path is one that a test can open. What it publishes on 127.0.0.1 listens in the box:
// [Engine.Within] prepares a program of this machine that reaches it.
type Engine struct {
	Socket string // a path on this machine
	Dir    string // a folder that has one name inside and outside: for what containers bind

	box    *Box
	tree   *Tree
	cgroup string
}

// engineTimeout bounds the time until dockerd answers.
const engineTimeout = 60 * time.Second

// RequireEngine starts an engine without images; it ends with the test, with all that it started. It is skipped as [Require] is.
func RequireEngine(tb testing.TB) *Engine {
	tb.Helper()
	tree := RequireTree(tb, EnginePackages())
	e, err := StartEngine(tb.Context(), tree)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("runs a real Docker engine: %v", err)
	default:
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// StartEngine starts an engine from the tree of [EnginePackages]. The caller closes it. Without root it gives [ErrMissing].
func StartEngine(ctx context.Context, tree *Tree) (_ *Engine, err error) {
	box, err := NewBox(ctx, tree, "docker01")
	if err != nil {
		return nil, err
	}
	e := &Engine{box: box, tree: tree, cgroup: "opsctl-engine-" + strconv.Itoa(box.holder.Process.Pid)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("starting a Docker engine: %w", err), e.Close())
		}
	}()
	if err := e.share(ctx); err != nil {
		return nil, err
	}
	if err := e.start(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// share gives the box a folder under the name that it has here, and its addresses back to the bridges of the engine.
func (e *Engine) share(ctx context.Context) error {
	shared := filepath.Join(e.box.base, "shared")
	e.Dir, e.Socket = filepath.Join(shared, "dir"), filepath.Join(shared, "docker.sock")
	if err := errors.Join(os.MkdirAll(e.Dir, 0o755), os.MkdirAll(e.box.Path(shared), 0o755)); err != nil {
		return err
	}
	mount := []string{"-t", strconv.Itoa(e.box.holder.Process.Pid), "-m", "--", "mount", "--bind", shared, filepath.Join(e.box.mount, shared)}
	if _, err := output(exec.CommandContext(ctx, "nsenter", mount...), "nsenter", mount); err != nil {
		return err
	}
	if err := e.linkIptables(); err != nil {
		return err
	}
	for _, args := range [][]string{{"route"}, {"-6", "route"}} {
		if _, err := e.box.Run(ctx, "/sbin/ip", append(args, "del", "local", "default", "dev", "lo")...); err != nil {
			return err
		}
	}
	return nil
}

// pathDir stands first in the engine's PATH.
const pathDir = "/etc/path"

// linkIptables makes the link that the package's scripts would make: in a container's network the names of the others are
// answered through rules.
func (e *Engine) linkIptables() error {
	return errors.Join(os.MkdirAll(e.box.Path(pathDir), 0o755), os.Symlink("/usr/sbin/iptables-nft", e.box.Path(pathDir+"/iptables")))
}

func (e *Engine) start(ctx context.Context) error {
	state := filepath.Join(filepath.Dir(e.Dir), "state")
	if err := os.MkdirAll(state, 0o711); err != nil {
		return err
	}
	containerd := filepath.Join(state, "containerd.sock")
	for _, argv := range [][]string{
		{"containerd", "--root", state + "/containerd", "--state", state + "/containerd-run", "--address", containerd, "--log-level", "warn"},
		{
			"dockerd", "--data-root", state + "/docker", "--exec-root", state + "/docker-run", "--pidfile", state + "/dockerd.pid",
			"--host", "unix://" + e.Socket, "--containerd", containerd, "--cgroup-parent", "/" + e.cgroup,
			"--iptables=false", "--ip6tables=false", "--bip", "172.31.250.1/24", "--log-level", "warn",
		},
	} {
		log, err := os.Create(filepath.Join(state, argv[0]+".log"))
		if err != nil {
			return err
		}
		cmd := e.box.Command(context.WithoutCancel(ctx), argv[0], argv[1:]...)
		cmd.Env = append(cmd.Env, "PATH="+pathDir+":/usr/sbin:/usr/bin:/sbin:/bin")
		// Files, not pipes: what shims inherit would keep a pipe open.
		cmd.Stdout, cmd.Stderr = log, log
		daemon, err := e.box.Start(cmd)
		if err := errors.Join(err, log.Close()); err != nil {
			return err
		}
		ready := func() bool { return exists(containerd) }
		if argv[0] == "dockerd" {
			ready = func() bool { return e.docker(ctx, "version").Run() == nil }
		}
		if err := e.await(ctx, daemon, ready); err != nil {
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s: %w: %s", argv[0], err, text)
		}
	}
	return nil
}

// await waits until ready is, or the daemon has ended.
func (*Engine) await(ctx context.Context, daemon *Daemon, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	for !ready() {
		if err := unix.Kill(daemon.Pid, 0); err != nil {
			return fmt.Errorf("it has ended: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause()
	}
	return nil
}

// Close ends the engine and its containers, and removes what they wrote.
func (e *Engine) Close() error { return errors.Join(e.box.Close(), e.removeCgroups()) }

// removeCgroups removes the folders that containers had in the machine's cgroups.
func (e *Engine) removeCgroups() error {
	tops, err := filepath.Glob("/sys/fs/cgroup/*/" + e.cgroup)
	if err != nil {
		return err
	}
	var errs []error
	for _, top := range append(tops, filepath.Join("/sys/fs/cgroup", e.cgroup)) {
		var dirs []string
		err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, dir := range slices.Backward(dirs) {
			errs = append(errs, os.Remove(dir))
		}
	}
	return errors.Join(errs...)
}

// docker prepares the Docker client of the engine's own package.
func (e *Engine) docker(ctx context.Context, args ...string) *exec.Cmd {
	cmd := e.box.Command(ctx, "docker", append([]string{"--host", "unix://" + e.Socket}, args...)...)
	cmd.Env = append(cmd.Env, "HOME=/root") // of the box: logins go there
	return cmd
}

// Docker runs the Docker client of the engine's own package, in the box, and returns its standard output; the error holds its
// standard error.
func (e *Engine) Docker(ctx context.Context, args ...string) (string, error) {
	out, err := output(e.docker(ctx, args...), "docker", args)
	return strings.TrimSpace(string(out)), err
}

// Dial connects to an address in the engine's network, for an [net/http.Transport].
func (e *Engine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	var err error
	e.box.net.do(func() { conn, err = new(net.Dialer).DialContext(ctx, network, address) })
	return conn, err
}

// Within prepares a program of this machine that sees the engine's network, and nothing else of the box.
func (e *Engine) Within(ctx context.Context, name string, args ...string) *exec.Cmd {
	enter := []string{"-t", strconv.Itoa(e.box.holder.Process.Pid), "-n", "--", name}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+e.Socket)
	return cmd
}
