package testpeers

import (
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

// Database is a running mariadbd or mysqld with data of its own, new and empty. It listens on a socket, where root logs in
// without a password, and on TCP of 127.0.0.1. Paths are those of the place where it runs.
type Database struct {
	Socket string
	Port   int
	Data   string // the data folder

	tree     *Tree
	flavour  flavour
	options  []string
	place    place
	defaults bool   // [Folder.Defaults]
	tmp      string // for its temporary tables; "" for the place's own
	server   *exec.Cmd
	ended    chan error      // what the server's Wait gave; nil: it does not run
	log      strings.Builder // its standard error; whole once it has ended
}

// place is where a server runs: this machine, or a booted one.
type place struct {
	command func(ctx context.Context, name string, args ...string) *exec.Cmd
	clean   func() error
}

// databaseTimeout bounds a start and an end, and the making of the data folder, which takes seconds.
const databaseTimeout = time.Minute

// StartMariaDB runs mariadbd on this machine, as root, with data in a temporary folder and a port that the kernel chose. tree
// is that of [MariaDBPackages] or [MariaDB118Packages]; options such as "--innodb-page-size=4k" also make the data folder. The
// caller closes it.
func StartMariaDB(ctx context.Context, tree *Tree, options ...string) (*Database, error) {
	return startHere(ctx, tree, mariadb(tree), Folder{}, options)
}

// Folder is a data folder of the caller's, which is made where it is not there and stays.
type Folder struct {
	Path string
	// Defaults leaves out what makes a server small and indifferent to its file system: the sizes of buffer pool and redo log, the
	// flush method, and input and output without the kernel's queue. To be measured, a server wants its own, on a disk's file system.
	Defaults bool
}

// StartMariaDBOn is StartMariaDB on a folder of the caller's.
func StartMariaDBOn(ctx context.Context, tree *Tree, folder Folder, options ...string) (*Database, error) {
	return startHere(ctx, tree, mariadb(tree), folder, options)
}

// StartMySQLOn is StartMySQL on a folder of the caller's.
func StartMySQLOn(ctx context.Context, tree *Tree, folder Folder, options ...string) (*Database, error) {
	return startHere(ctx, tree, mysql(tree), folder, options)
}

// StartMySQL is StartMariaDB for mysqld; tree is that of [MySQLPackages].
func StartMySQL(ctx context.Context, tree *Tree, options ...string) (*Database, error) {
	return startHere(ctx, tree, mysql(tree), Folder{}, options)
}

// startHere runs a server on this machine. Without a path its folder goes with it.
func startHere(ctx context.Context, tree *Tree, f flavour, folder Folder, options []string) (*Database, error) {
	// Not below the caller's temporary folder: a socket's path has at most 107 bytes.
	base, err := os.MkdirTemp("", "opsctl-database-")
	if err != nil {
		return nil, err
	}
	here := place{exec.CommandContext, func() error { return os.RemoveAll(base) }}
	port, err := freePort(ctx)
	if err != nil {
		return nil, errors.Join(err, here.clean())
	}
	data := folder.Path
	if data == "" {
		data = filepath.Join(base, "data")
	}
	d := &Database{Socket: filepath.Join(base, "sock"), Port: port, Data: data, tree: tree, flavour: f, options: options, place: here, defaults: folder.Defaults}
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		d.flavour.initialise = func(context.Context, *Database) error { return nil }
	}
	// Of its own too: a server that starts removes the temporary tables of all others from a folder that they share.
	d.tmp = filepath.Join(base, "tmp")
	if err := errors.Join(os.MkdirAll(d.Data, 0o700), os.Mkdir(d.tmp, 0o700)); err != nil {
		return nil, errors.Join(err, here.clean())
	}
	return d.start(ctx)
}

// StartMariaDB runs mariadbd in the machine, as root, where Debian has it: data in /var/lib/mysql, the socket in /run/mysqld,
// port 3306. tree is that of [MariaDBPackages], and tree.Dir was bound into the machine when it booted. It ends with the
// machine at the latest.
func (m *Machine) StartMariaDB(ctx context.Context, tree *Tree, options ...string) (*Database, error) {
	d := &Database{Socket: "/run/mysqld/mysqld.sock", Port: 3306, Data: "/var/lib/mysql", tree: tree, flavour: mariadb(tree), options: options}
	d.place = place{m.Command, func() error {
		return errors.Join(os.RemoveAll(m.Path(d.Data)), os.RemoveAll(m.Path(filepath.Dir(d.Socket))))
	}}
	for _, dir := range []string{d.Data, filepath.Dir(d.Socket)} {
		if err := os.MkdirAll(m.Path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	return d.start(ctx)
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

func (d *Database) start(ctx context.Context) (_ *Database, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("starting %s: %w", d.flavour.name, err), d.Close())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	if err := d.flavour.initialise(ctx, d); err != nil {
		return d, err
	}
	err = d.Start(ctx)
	return d, err
}

// Start runs the server again on the data that [Database.Stop] has left, with further options.
func (d *Database) Start(ctx context.Context, options ...string) error {
	args := append(d.arguments(), "--socket="+d.Socket, "--port="+strconv.Itoa(d.Port), "--bind-address=127.0.0.1", "--skip-networking=0")
	args = append(append(args, d.flavour.serving...), d.options...)
	d.server = d.command(context.WithoutCancel(ctx), d.flavour.server, append(args, options...)...)
	d.log.Reset()
	d.server.Stderr = &d.log
	d.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	d.server.WaitDelay = time.Second // in a machine it outlives nsenter, which is what is killed
	if err := d.server.Start(); err != nil {
		return err
	}
	d.ended = make(chan error, 1)
	go func() { d.ended <- d.server.Wait() }()
	return d.ready(ctx)
}

// command prepares a program of the tree, with the tree's own loader and libraries: the place may have older ones, or none.
func (d *Database) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return d.place.command(ctx, d.tree.loader(), d.tree.loaded(program, args)...)
}

// Command prepares a program of the tree by its path below "/", such as "usr/bin/innochecksum", for this machine.
func (t *Tree) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, t.loader(), t.loaded(program, args)...)
}

func (t *Tree) loader() string {
	return filepath.Join(t.Dir, "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
}

func (t *Tree) loaded(program string, args []string) []string {
	libraries := []string{"usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/mysql", "usr/lib/mysql/private"}
	for i := range libraries {
		libraries[i] = filepath.Join(t.Dir, libraries[i])
	}
	return append([]string{"--library-path", strings.Join(libraries, ":"), filepath.Join(t.Dir, program)}, args...)
}

// arguments are what a server needs to find its files, and to be small. Neither overlayfs nor tmpfs has what InnoDB's direct
// and asynchronous input wants.
func (d *Database) arguments() []string {
	args := []string{"--no-defaults", "--user=root", "--datadir=" + d.Data, "--pid-file=" + d.Data + "/server.pid"}
	if !d.defaults {
		args = append(args, "--innodb-buffer-pool-size=64M", "--innodb-flush-method=fsync", "--innodb-use-native-aio=0", d.flavour.redo)
	}
	if d.tmp != "" {
		args = append(args, "--tmpdir="+d.tmp)
	}
	return append(args, d.flavour.files...)
}

// ready waits until it answers, be it with a refusal.
func (d *Database) ready(ctx context.Context) error {
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

// SQL runs statements as root and returns their rows: a line each, values separated by tabs, as the client writes them
// with --batch --skip-column-names.
func (d *Database) SQL(ctx context.Context, text string) (string, error) {
	return d.query(d.client(ctx, "--socket="+d.Socket, "--user=root"), text)
}

// SQLAs is SQL as another user, over TCP.
func (d *Database) SQLAs(ctx context.Context, user, password, text string) (string, error) {
	return d.query(d.client(ctx, "--host=127.0.0.1", "--port="+strconv.Itoa(d.Port), "--user="+user, "--password="+password), text)
}

func (d *Database) query(cmd *exec.Cmd, text string) (string, error) {
	cmd.Args = append(cmd.Args, "--batch", "--skip-column-names")
	cmd.Stdin = strings.NewReader(text)
	out, err := output(cmd, d.flavour.client, []string{"<<<", text})
	return string(out), err
}

func (d *Database) client(ctx context.Context, options ...string) *exec.Cmd {
	return d.command(ctx, d.flavour.client, append([]string{"--no-defaults"}, options...)...)
}

// Stop ends the server as an administrator does, and leaves its data.
func (d *Database) Stop() error {
	if d.ended == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	_, err := d.SQL(ctx, "shutdown")
	if err != nil {
		err = errors.Join(fmt.Errorf("stopping %s: %w", d.flavour.name, err), d.server.Process.Kill())
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
func (d *Database) Close() error { return errors.Join(d.Stop(), d.place.clean()) }

// RequireMariaDB starts mariadbd in m, or with nil on this machine; it ends with the test. It is skipped as [Require] is.
func RequireMariaDB(tb testing.TB, m *Machine, options ...string) *Database {
	tb.Helper()
	return requireDatabase(tb, MariaDBPackages(), func(ctx context.Context, tree *Tree) (*Database, error) {
		if m == nil {
			return StartMariaDB(ctx, tree, options...)
		}
		return m.StartMariaDB(ctx, tree, options...)
	})
}

// RequireMariaDB118 is RequireMariaDB for MariaDB 11.8, on this machine.
func RequireMariaDB118(tb testing.TB, options ...string) *Database {
	tb.Helper()
	return requireDatabase(tb, MariaDB118Packages(), func(ctx context.Context, tree *Tree) (*Database, error) {
		return StartMariaDB(ctx, tree, options...)
	})
}

// RequireMySQL is RequireMariaDB for MySQL, on this machine.
func RequireMySQL(tb testing.TB, options ...string) *Database {
	tb.Helper()
	return requireDatabase(tb, MySQLPackages(), func(ctx context.Context, tree *Tree) (*Database, error) {
		return StartMySQL(ctx, tree, options...)
	})
}

func requireDatabase(tb testing.TB, recipe Recipe, start func(context.Context, *Tree) (*Database, error)) *Database {
	tb.Helper()
	d, err := start(tb.Context(), RequireTree(tb, recipe))
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

// Tree is where its programs are; see [Tree.Command].
func (d *Database) Tree() *Tree { return d.tree }
