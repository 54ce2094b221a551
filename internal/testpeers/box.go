package testpeers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownDirs are the folders each box has for itself; the rest of a box is the tree, read-only.
var ownDirs = []string{"etc", "home", "root", "run", "srv", "tmp", "var"}

// Box is a private, disposable view of a tree in namespaces of its own. Inside it every IPv4 and IPv6 address is local,
// so clients may come from wherever a test wants.
type Box struct {
	// Dir holds the box's own folders (etc, home, root, run, srv, tmp, var) as plain folders of this machine: a test
	// writes and reads them there, and may hand Dir to code that takes a host's root.
	Dir string

	base   string
	mount  string // the merged view; visible only inside the mount namespace
	holder *exec.Cmd
	hold   io.Closer // the first process of the box ends when this closes
	net    *netThread
}

// holderScript is the first process of a box. $1 tree, $2 own folders, $3 mount point, $4 host name.
const holderScript = `set -e
mount --make-rprivate /
mount --bind "$1" "$3"
mount -o remount,bind,ro "$3"
for d in ` + "etc home root run srv tmp var" + `; do mount --bind "$2/$d" "$3/$d"; done
mount -t proc proc "$3/proc"
mount -t sysfs -o ro sys "$3/sys"
if test -d /sys/fs/cgroup; then mount --rbind /sys/fs/cgroup "$3/sys/fs/cgroup"; fi
mount -t tmpfs -o mode=0755,size=1m dev "$3/dev"
mkdir "$3/dev/pts" "$3/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$3/dev/pts"
mknod -m 0666 "$3/dev/null" c 1 3
mknod -m 0666 "$3/dev/zero" c 1 5
mknod -m 0666 "$3/dev/random" c 1 8
mknod -m 0666 "$3/dev/urandom" c 1 9
mknod -m 0666 "$3/dev/tty" c 5 0
ln -s pts/ptmx "$3/dev/ptmx"
ln -s /run/log.sock "$3/dev/log"
hostname "$4"
chroot "$3" /sbin/ip link set lo up
chroot "$3" /sbin/ip route add local 0.0.0.0/0 dev lo
chroot "$3" /sbin/ip -6 route add local ::/0 dev lo
echo 1 >"$3/proc/sys/net/ipv6/ip_nonlocal_bind"
echo ready
read -r _ || true
`

// NewBox starts a box named hostname over tree. The caller closes it. Without root it gives [ErrMissing].
func NewBox(ctx context.Context, tree *Tree, hostname string) (_ *Box, err error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("root: %w", ErrMissing)
	}
	// Not below the caller's temporary folder: a socket's path has at most 107 bytes.
	base, err := os.MkdirTemp("", "opsctl-box-")
	if err != nil {
		return nil, err
	}
	b := &Box{Dir: filepath.Join(base, "own"), base: base, mount: filepath.Join(base, "view")}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := b.makeDirs(); err != nil {
		return nil, err
	}
	if err := b.enter(ctx, tree, hostname); err != nil {
		return nil, fmt.Errorf("starting a box: %w", err)
	}
	b.net, err = newNetThread(b.holder.Process.Pid)
	return b, err
}

func (b *Box) makeDirs() error {
	// sshd walks from a key file up to "/" and wants root's folders unwritable by others, whatever the umask.
	for _, dir := range append([]string{b.base, b.mount, b.Dir}, b.own("")...) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"run/sshd", "var/log", "var/empty", "var/spool", "var/lib", "etc/ssh"} {
		if err := os.MkdirAll(filepath.Join(b.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	return errors.Join(
		os.Chmod(filepath.Join(b.Dir, "root"), 0o700),
		os.Chmod(filepath.Join(b.Dir, "tmp"), 0o777|os.ModeSticky),
	)
}

func (b *Box) own(name string) []string {
	var paths []string
	for _, dir := range ownDirs {
		paths = append(paths, filepath.Join(b.Dir, dir, name))
	}
	return paths
}

// enter starts the process that keeps the namespaces and waits until it has set them up.
func (b *Box) enter(ctx context.Context, tree *Tree, hostname string) error {
	// No CommandContext: the box outlives ctx and ends with Close, or with the pipe when this process dies.
	b.holder = exec.Command("/bin/sh", "-c", holderScript, "box", tree.Dir, b.Dir, b.mount, hostname)
	b.holder.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	b.holder.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS,
	}
	var stderr strings.Builder
	b.holder.Stderr = &stderr
	stdin, err := b.holder.StdinPipe()
	if err != nil {
		return err
	}
	b.hold = stdin
	stdout, err := b.holder.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.holder.Start(); err != nil {
		b.holder = nil
		return err
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		_ = stdin.Close()
		wait := b.holder.Wait()
		b.holder = nil
		return fmt.Errorf("%w: %w: %s", err, wait, stderr.String())
	}
	return ctx.Err()
}

// Close ends every process of the box and removes its folders.
func (b *Box) Close() error {
	if b.net != nil {
		b.net.close()
	}
	if b.holder != nil {
		// The first process of a pid namespace takes all others with it; the exit status says only how it was ended.
		_ = b.hold.Close()
		_ = b.holder.Wait()
	}
	return os.RemoveAll(b.base)
}

// Command prepares a program of the box, chrooted into it. Its pid is that of the program that enters the namespaces:
// use [Box.Start] for one that must be signalled.
func (b *Box) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	enter := []string{"-t", strconv.Itoa(b.holder.Process.Pid), "-m", "-p", "-n", "-u", "--", "chroot", b.mount, name}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC"}
	return cmd
}

// Run runs a program of the box to its end and returns its standard output; the error holds its standard error.
func (b *Box) Run(ctx context.Context, name string, args ...string) ([]byte, error) {
	return output(b.Command(ctx, name, args...), name, args)
}

// output runs a prepared program to its end. The error names the program inside, and holds its standard error.
func output(cmd *exec.Cmd, name string, args []string) ([]byte, error) {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out, nil
}

// Path is where a file of the box's own folders lies on this machine: Path("/etc/passwd").
func (b *Box) Path(name string) string { return filepath.Join(b.Dir, name) }

// Root is the whole box as its own programs see it, tree and own folders together, as a path of this machine. It leads
// through /proc into the box's mount namespace and must not be resolved beforehand (filepath.EvalSymlinks loses it).
func (b *Box) Root() string { return fmt.Sprintf("/proc/%d/root%s", b.holder.Process.Pid, b.mount) }

// running says whether a process of the box has a name with that beginning. Those that have ended and that nobody waited
// for, as the box's first process never does, do not count.
func (b *Box) running(prefix string) bool {
	stats, err := filepath.Glob(filepath.Join(b.Root(), "proc/[0-9]*/stat"))
	if err != nil {
		return false
	}
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), "(")
		if strings.HasPrefix(rest, prefix) && !strings.Contains(rest, ") Z ") {
			return true
		}
	}
	return false
}

// Daemon is a running program of a box.
type Daemon struct {
	Pid int // as this machine sees it; inside the box it has another
	cmd *exec.Cmd
	out *strings.Builder
}

// Start starts a prepared [Box.Command] that stays in the foreground.
func (b *Box) Start(cmd *exec.Cmd) (*Daemon, error) {
	d := &Daemon{cmd: cmd, out: new(strings.Builder)}
	if cmd.Stderr == nil {
		cmd.Stderr = d.out
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	pid, err := onlyChild(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, cmd.Wait(), errors.New(d.out.String()))
	}
	d.Pid = pid
	return d, nil
}

// onlyChild waits for nsenter to fork: a process joins a pid namespace only by being born there.
func onlyChild(pid int) (int, error) {
	path := fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)
	for {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		if fields := strings.Fields(string(text)); len(fields) > 0 {
			return strconv.Atoi(fields[0])
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return 0, fmt.Errorf("nsenter has ended: %w", err)
		}
		pause()
	}
}

// Stop ends the daemon with SIGTERM and waits for it.
func (d *Daemon) Stop() error {
	if err := unix.Kill(d.Pid, unix.SIGTERM); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	_ = d.cmd.Wait()
	return nil
}

// Output is what the daemon has written to its standard error; call it after Stop.
func (d *Daemon) Output() string { return d.out.String() }
