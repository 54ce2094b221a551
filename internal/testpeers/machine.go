package testpeers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is a tree that was booted: a real systemd as the first process, with cgroups, journal and D-Bus, in a container
// with a loopback of its own. What is written goes to memory and is gone with it.
type Machine struct {
	nspawn *exec.Cmd
	leader int // its first process, as this machine sees it
	base   string
	log    *os.File
}

// machineScript lays a writable file system over the tree, in a mount namespace that ends with it, and boots that. $1 tree,
// $2 an empty folder, then what systemd-nspawn is to bind. The two extra permissions keep nspawn's own filter from hiding
// what ProtectClock= and its kind do.
const machineScript = `set -e
tree=$1 base=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$base"
mkdir -p "$base/up/etc" "$base/up/var" "$base/work" "$base/root"
ln -s /run "$base/up/var/run"
cd "$base/up/etc"
cp "$tree/usr/share/base-passwd/passwd.master" passwd
cp "$tree/usr/share/base-passwd/group.master" group
echo 'messagebus:x:101:101::/nonexistent:/usr/sbin/nologin' >>passwd
echo 'messagebus:x:101:' >>group
sed 's/:.*/:*:20000:0:99999:7:::/' passwd >shadow
chmod 0640 shadow
: >machine-id
echo web01 >hostname
echo '127.0.0.1 localhost' >hosts
printf 'passwd: files systemd\ngroup: files systemd\nshadow: files\nhosts: files\n' >nsswitch.conf
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$base/up,workdir=$base/work" "$base/root"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn -q -D "$base/root" --boot --private-users=no --register=no --keep-unit --private-network \
	--capability=CAP_SYS_TIME,CAP_SYSLOG '--system-call-filter=@clock @resources' --console=read-only "$@" </dev/null
`

// bootTimeout bounds the time until systemd has started everything.
const bootTimeout = 60 * time.Second

// RequireMachine boots the recipe's tree; the machine ends with the test. bind names files or folders of this machine that
// appear, read-only, under the same name in it. It is skipped as [Require] is.
func RequireMachine(tb testing.TB, recipe Recipe, bind ...string) *Machine {
	tb.Helper()
	if testing.Short() {
		tb.Skip("boots a real systemd: not with -short")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Minute)
	defer cancel()
	m, err := bootRecipe(ctx, recipe, bind)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("boots a real systemd: %v", err)
	default:
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Error(err)
		}
	})
	return m
}

func bootRecipe(ctx context.Context, recipe Recipe, bind []string) (*Machine, error) {
	if os.Geteuid() != 0 {
		return nil, errors.Join(errors.New("only root can boot a container"), ErrMissing)
	}
	if _, err := exec.LookPath("systemd-nspawn"); err != nil {
		return nil, fmt.Errorf("systemd-nspawn (package systemd-container): %w", ErrMissing)
	}
	tree, err := recipe.Get(ctx)
	if err != nil {
		return nil, err
	}
	return Boot(ctx, tree, bind...)
}

// Boot starts a machine from a tree of [Machines]. The caller closes it.
func Boot(ctx context.Context, tree *Tree, bind ...string) (_ *Machine, err error) {
	base, err := os.MkdirTemp("", "opsctl-machine-")
	if err != nil {
		return nil, err
	}
	m := &Machine{base: base}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("booting %s: %w", tree.Recipe.Suite, err), m.Close())
		}
	}()
	args := []string{"-c", machineScript, "machine", tree.Dir, filepath.Join(base, "view")}
	for _, path := range bind {
		args = append(args, "--bind-ro="+path)
	}
	if err := os.Mkdir(filepath.Join(base, "view"), 0o755); err != nil {
		return nil, err
	}
	if m.log, err = os.Create(filepath.Join(base, "console")); err != nil {
		return nil, err
	}
	m.nspawn = exec.Command("/bin/sh", args...) // ends with Close, not with ctx
	m.nspawn.Stdout, m.nspawn.Stderr = m.log, m.log
	m.nspawn.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGTERM}
	if err := m.nspawn.Start(); err != nil {
		m.nspawn = nil
		return nil, err
	}
	err = m.wait(ctx)
	return m, err
}

// wait looks for the container's first process, and then for the end of its start.
func (m *Machine) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	for ctx.Err() == nil {
		if err := m.findLeader(); err != nil {
			return err
		}
		if m.leader != 0 {
			// Before systemd listens it fails at once; later it waits for the end of the start.
			state, _ := m.Command(ctx, "systemctl", "is-system-running", "--wait").Output()
			if s := strings.TrimSpace(string(state)); s == "running" || s == "degraded" {
				return nil
			}
		}
		pause()
	}
	console, _ := os.ReadFile(m.log.Name())
	return fmt.Errorf("%w: %s", ctx.Err(), console)
}

func (m *Machine) findLeader() error {
	pid := m.nspawn.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return err
	}
	for child := range strings.FieldsSeq(string(text)) {
		if name, _ := os.ReadFile("/proc/" + child + "/comm"); strings.TrimSpace(string(name)) == "systemd" {
			m.leader, err = strconv.Atoi(child)
			return err
		}
	}
	if stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(stat), ") Z ") {
		console, _ := os.ReadFile(m.log.Name())
		return fmt.Errorf("systemd-nspawn has ended: %s", console)
	}
	return nil
}

// Close ends all that runs in the machine, and forgets what it wrote.
func (m *Machine) Close() error {
	if m.nspawn != nil {
		if m.leader != 0 {
			// The kernel ends a pid namespace with its first process.
			_ = unix.Kill(m.leader, unix.SIGKILL)
		} else {
			_ = m.nspawn.Process.Kill()
		}
		_ = m.nspawn.Wait()
	}
	if m.log != nil {
		_ = m.log.Close()
	}
	return os.RemoveAll(m.base)
}

// Command prepares a program of the machine, as root, in its namespaces and cgroup.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	enter := []string{"-t", strconv.Itoa(m.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--root", "--wd", "--", name}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=/root"}
	return cmd
}

// Run runs a program of the machine to its end and returns its standard output; the error holds its standard error.
func (m *Machine) Run(ctx context.Context, name string, args ...string) ([]byte, error) {
	return output(m.Command(ctx, name, args...), name, args)
}

// Root is the machine's file system as its own programs see it, as a path of this machine that leads through /proc.
func (m *Machine) Root() string { return fmt.Sprintf("/proc/%d/root", m.leader) }

// Path is where a file of the machine lies on this one.
func (m *Machine) Path(name string) string { return m.Root() + name }
