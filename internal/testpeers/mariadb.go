package testpeers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
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

// MariaDB is a running mariadbd with data of its own, new and empty. It listens on a socket, where root logs in without a
// password, and on TCP of 127.0.0.1. Paths are those of the place where it runs.
type MariaDB struct {
	Socket string
	Port   int
	Data   string // the data folder

	tree   *Tree
	place  place
	server *exec.Cmd
	ended  chan error      // what the server's Wait gave; nil: it does not run
	log    strings.Builder // its standard error; whole once it has ended
}

// place is where a mariadbd runs: this machine, or a booted one.
type place struct {
	command func(ctx context.Context, name string, args ...string) *exec.Cmd
	clean   func() error
}

// mariadbTimeout bounds a start and an end, and the making of the data folder, which takes a second.
const mariadbTimeout = time.Minute

// StartMariaDB runs mariadbd on this machine, as root, with data in a temporary folder and a port that the kernel chose. tree
// is that of [MariaDBPackages]; options such as "--innodb-page-size=4k" also make the data folder. The caller closes it.
func StartMariaDB(ctx context.Context, tree *Tree, options ...string) (*MariaDB, error) {
	// Not below the caller's temporary folder: a socket's path has at most 107 bytes.
	base, err := os.MkdirTemp("", "opsctl-mariadb-")
	if err != nil {
		return nil, err
	}
	here := place{exec.CommandContext, func() error { return os.RemoveAll(base) }}
	port, err := freePort(ctx)
	if err != nil {
		return nil, errors.Join(err, here.clean())
	}
	d := &MariaDB{Socket: filepath.Join(base, "sock"), Port: port, Data: filepath.Join(base, "data"), tree: tree, place: here}
	if err := os.Mkdir(d.Data, 0o700); err != nil {
		return nil, errors.Join(err, here.clean())
	}
	return d.start(ctx, options)
}

// StartMariaDB runs mariadbd in the machine, as root, where Debian has it: data in /var/lib/mysql, the socket in /run/mysqld,
// port 3306. tree is that of [MariaDBPackages], and tree.Dir was bound into the machine when it booted. It ends with the
// machine at the latest.
func (m *Machine) StartMariaDB(ctx context.Context, tree *Tree, options ...string) (*MariaDB, error) {
	d := &MariaDB{Socket: "/run/mysqld/mysqld.sock", Port: 3306, Data: "/var/lib/mysql", tree: tree}
	d.place = place{m.Command, func() error {
		return errors.Join(os.RemoveAll(m.Path(d.Data)), os.RemoveAll(m.Path(filepath.Dir(d.Socket))))
	}}
	for _, dir := range []string{d.Data, filepath.Dir(d.Socket)} {
		if err := os.MkdirAll(m.Path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	return d.start(ctx, options)
}

// freePort asks the kernel for a TCP port. mariadbd takes 0 for 3306 and cannot be handed a socket.
func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

func (d *MariaDB) start(ctx context.Context, options []string) (_ *MariaDB, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("starting mariadbd: %w", err), d.Close())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, mariadbTimeout)
	defer cancel()
	if err := d.bootstrap(ctx, options); err != nil {
		return d, err
	}
	args := append(d.arguments(), "--socket="+d.Socket, "--port="+strconv.Itoa(d.Port), "--bind-address=127.0.0.1", "--skip-networking=0")
	d.server = d.command(context.WithoutCancel(ctx), "usr/sbin/mariadbd", append(args, options...)...)
	d.server.Stderr = &d.log
	d.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	d.server.WaitDelay = time.Second // in a machine it outlives nsenter, which is what is killed
	if err := d.server.Start(); err != nil {
		return d, err
	}
	d.ended = make(chan error, 1)
	go func() { d.ended <- d.server.Wait() }()
	err = d.ready(ctx)
	return d, err
}

// command prepares a program of the tree, with the tree's own loader and libraries: the place may have older ones, or none.
func (d *MariaDB) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	libraries := filepath.Join(d.tree.Dir, "usr/lib/x86_64-linux-gnu")
	loader := filepath.Join(libraries, "ld-linux-x86-64.so.2")
	return d.place.command(ctx, loader, append([]string{"--library-path", libraries, filepath.Join(d.tree.Dir, program)}, args...)...)
}

// arguments are what mariadbd needs to find its files, and to be small. Neither overlayfs nor tmpfs has what InnoDB's direct
// and asynchronous input wants.
func (d *MariaDB) arguments() []string {
	usr := filepath.Join(d.tree.Dir, "usr")
	return []string{
		"--no-defaults", "--user=root", "--datadir=" + d.Data, "--basedir=" + usr, "--lc-messages-dir=" + usr + "/share/mysql",
		"--character-sets-dir=" + usr + "/share/mysql/charsets", "--plugin-dir=" + usr + "/lib/mysql/plugin",
		"--pid-file=" + d.Data + "/mariadbd.pid", "--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M",
		"--innodb-flush-method=fsync", "--innodb-use-native-aio=0",
	}
}

// bootstrap makes the data folder as mariadb-install-db(1) does, which cannot be told to use a loader.
func (d *MariaDB) bootstrap(ctx context.Context, options []string) error {
	text := []byte("create database mysql;\nuse mysql;\nset @auth_root_socket='root';\n")
	for _, name := range []string{"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql", "mysql_sys_schema.sql"} {
		script, err := os.ReadFile(filepath.Join(d.tree.Dir, "usr/share/mysql", name))
		if err != nil {
			return err
		}
		text = append(text, script...)
	}
	cmd := d.command(ctx, "usr/sbin/mariadbd", append(append(d.arguments(), "--bootstrap"), options...)...)
	cmd.Stdin = bytes.NewReader(text)
	_, err := output(cmd, "mariadbd", []string{"--bootstrap"})
	return err
}

// ready waits until it answers, be it with a refusal.
func (d *MariaDB) ready(ctx context.Context) error {
	for {
		_, err := d.SQL(ctx, "select 1")
		if err == nil || !strings.Contains(err.Error(), "Can't connect") {
			return err
		}
		select {
		case ended := <-d.ended:
			d.ended = nil
			return fmt.Errorf("it has ended: %w: %s", ended, d.log.String())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		default:
			pause()
		}
	}
}

// SQL runs statements as root and returns their rows: a line each, values separated by tabs, as mariadb(1) writes them
// with --batch --skip-column-names.
func (d *MariaDB) SQL(ctx context.Context, text string) (string, error) {
	return d.query(d.client(ctx, "--socket="+d.Socket, "--user=root"), text)
}

// SQLAs is SQL as another user, over TCP.
func (d *MariaDB) SQLAs(ctx context.Context, user, password, text string) (string, error) {
	return d.query(d.client(ctx, "--host=127.0.0.1", "--port="+strconv.Itoa(d.Port), "--user="+user, "--password="+password), text)
}

func (d *MariaDB) query(cmd *exec.Cmd, text string) (string, error) {
	cmd.Args = append(cmd.Args, "--batch", "--skip-column-names")
	cmd.Stdin = strings.NewReader(text)
	out, err := output(cmd, "mariadb", []string{"<<<", text})
	return string(out), err
}

func (d *MariaDB) client(ctx context.Context, options ...string) *exec.Cmd {
	return d.command(ctx, "usr/bin/mariadb", append([]string{"--no-defaults"}, options...)...)
}

// Stop ends the server as an administrator does, and leaves its data.
func (d *MariaDB) Stop() error {
	if d.ended == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), mariadbTimeout)
	defer cancel()
	_, err := d.SQL(ctx, "shutdown")
	if err != nil {
		err = errors.Join(fmt.Errorf("stopping mariadbd: %w", err), d.server.Process.Kill())
	}
	select {
	case ended := <-d.ended:
		d.ended = nil
		return errors.Join(err, ended)
	case <-ctx.Done():
		return errors.Join(err, ctx.Err(), d.server.Process.Kill())
	}
}

// Close ends the server and removes its data.
func (d *MariaDB) Close() error { return errors.Join(d.Stop(), d.place.clean()) }

// RequireMariaDB starts mariadbd in m, or with nil on this machine; it ends with the test. It is skipped as [Require] is.
func RequireMariaDB(tb testing.TB, m *Machine, options ...string) *MariaDB {
	tb.Helper()
	tree := RequireTree(tb, MariaDBPackages())
	var d *MariaDB
	var err error
	if m == nil {
		d, err = StartMariaDB(tb.Context(), tree, options...)
	} else {
		d, err = m.StartMariaDB(tb.Context(), tree, options...)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}
