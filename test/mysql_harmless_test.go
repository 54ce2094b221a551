package test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// asking prepares a run of opsctl that asks a server and reads no files.
func asking(t *testing.T, d *testpeers.Database, command ...string) *exec.Cmd {
	t.Helper()
	args := append([]string{"mysql"}, command...)
	cmd := exec.CommandContext(t.Context(), opsctlProgram(t), append(args, "--no-defaults", "-S", d.Socket, "-u", "root", "--no-files", "-q", "-o", "json")...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	return cmd
}

// manyTables fills a schema, so that opening each would be seen.
func manyTables(t *testing.T, d *testpeers.Database) {
	t.Helper()
	statements := []string{"create database many; use many"}
	for i := range 200 {
		statements = append(statements, fmt.Sprintf("create table t%d (id int auto_increment primary key, a int, key (a)) engine=innodb", i))
	}
	sql(t, d, strings.Join(statements, "; "))
}

// writes counts the transactions that changed something, and the bytes of the redo log.
func writes(t *testing.T, d *testpeers.Database) string {
	t.Helper()
	return sql(t, d, "select count from information_schema.innodb_metrics where name = 'trx_rw_commits'") + " transactions, log at " +
		sql(t, d, "select variable_value from "+statusTable(t, d)+" where variable_name in ('innodb_redo_log_current_lsn', 'innodb_lsn_current')")
}

func statusTable(t *testing.T, d *testpeers.Database) string {
	t.Helper()
	if strings.Contains(sql(t, d, "select version()"), "MariaDB") {
		return "information_schema.global_status"
	}
	return "performance_schema.global_status"
}

// TestARunIsHarmless looks what a server counted while the program asked it.
func TestARunIsHarmless(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		// With one cache of open tables: connections take another of sixteen in turn, each empty at first.
		if err := errors.Join(d.Stop(), d.Start(t.Context(), "--table-open-cache-instances=1")); err != nil {
			t.Fatal(err)
		}
		manyTables(t, d) // only now: of tables older than its start MySQL was not seen to write when they are opened
		sql(t, d, "set global innodb_monitor_enable = 'trx_rw_commits'; set global innodb_stats_auto_recalc = off")
		run := func() {
			t.Helper()
			cmd := asking(t, d, "space")
			var errs strings.Builder
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil || strings.Count(string(out), `"many"`) < 200 {
				t.Fatalf("%v: %s%s", err, out, errs.String())
			}
		}
		run() // a new server opens the tables of its dictionary
		// The server's own threads write now and then; what a run writes, every run does.
		var grown []string
		for range 5 {
			before, written := settled(t, d), writes(t, d)
			run()
			if grown = growth(before, counters(t, d)); writes(t, d) != written {
				grown = append(grown, written+" became "+writes(t, d))
			}
			if len(grown) == 0 {
				return
			}
		}
		t.Errorf("each run leaves something: %q", grown)
	})
}

// growth names the counters that grew by more than a harmless run may make them grow.
func growth(before, after map[string]int64) []string {
	var grown []string
	for name, most := range map[string]int64{
		"Opened_tables": 10, "Opened_table_definitions": 10, "Com_commit": 0, "Innodb_os_log_written": 0, "Innodb_rows_inserted": 0,
		"Innodb_rows_updated": 0, "Innodb_rows_deleted": 0, "Com_insert": 0, "Com_update": 0, "Com_analyze": 0,
	} {
		if _, known := before[name]; known && after[name]-before[name] > most {
			grown = append(grown, fmt.Sprintf("%s by %d", name, after[name]-before[name]))
		}
	}
	return grown
}

// stall stands between a run and a server: of the first connection it passes so many bytes of answers, and the rest once resume is
// closed. All others pass.
func stall(t *testing.T, server string, bytes int64) (socket string, stalled <-chan struct{}, resume chan<- struct{}) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "sock")
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	full, again := make(chan struct{}), make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			client, err := l.Accept()
			if err != nil {
				return
			}
			if n > 0 {
				go relay(t, client, server, func() {}, 0)
				continue
			}
			go relay(t, client, server, func() { close(full); <-again }, bytes)
		}
	}()
	return socket, full, again
}

// relay passes bytes both ways until the client hangs up, and pauses after so many of the server's.
func relay(t *testing.T, client net.Conn, server string, pause func(), bytes int64) {
	t.Helper()
	defer func() { _ = client.Close() }()
	var dialer net.Dialer
	s, err := dialer.DialContext(t.Context(), "unix", server)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = s.Close() }()
	go func() {
		_, _ = io.CopyN(client, s, bytes)
		pause()
		_, _ = io.Copy(client, s)
	}()
	_, _ = io.Copy(s, client)
}

// interrupt sends SIGINT to a run.
func interrupt(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}

// endsInterrupted expects the end that goes with it.
func endsInterrupted(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("interrupted, it ended with %v", err)
	}
}

// connections counts those of root beside the asking one.
const connections = "select count(*) from information_schema.processlist where user = 'root' and id <> connection_id()"

// TestInterruptedRunLeavesNothing interrupts a run in the middle of an answer.
func TestInterruptedRunLeavesNothing(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		socket, stalled, resume := stall(t, d.Socket, 8000)
		behind := *d
		behind.Socket = socket
		cmd := asking(t, &behind, "space")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-stalled
		if got := sql(t, d, connections); got != "1" {
			t.Errorf("%s connections of the run", got)
		}
		interrupt(t, cmd)
		close(resume)
		endsInterrupted(t, cmd)
		poll(t, "no connection is left", is(t, d, connections, "0"))
	})
}

// TestInterruptedRunEndsItsStatement has a run wait for a lock in the server, which MySQL does not let anybody hold.
func TestInterruptedRunEndsItsStatement(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	// The holder's own end is of no interest: it is killed.
	go func() {
		_, _ = d.SQL(t.Context(), "lock tables mysql.innodb_table_stats write, mysql.innodb_index_stats write; select sleep(100)")
	}()
	holder := "select count(*) from information_schema.processlist where info = 'select sleep(100)'"
	poll(t, "the lock is held", is(t, d, holder, "1"))
	cmd := asking(t, d, "space")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	poll(t, "the run waits", is(t, d, "select count(*) from information_schema.processlist where state like 'Waiting for table%'", "1"))
	interrupt(t, cmd)
	endsInterrupted(t, cmd)
	poll(t, "only the holder is left", is(t, d, connections, "1"))
	sql(t, d, "kill "+sql(t, d, strings.Replace(holder, "count(*)", "id", 1)))
}
