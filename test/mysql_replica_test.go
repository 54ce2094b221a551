package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
)

// TestBinaryLogsStayThatAReplicaNeeds plans on a real source with a real replica that has stopped halfway.
func TestBinaryLogsStayThatAReplicaNeeds(t *testing.T) {
	source := testpeers.RequireMariaDB(t, nil, "--log-bin=binlog", "--server-id=1")
	replica := testpeers.RequireMariaDB(t, nil, "--server-id=2")
	sql(t, source, `create user repl@'127.0.0.1' identified by 'r'; grant replication slave on *.* to repl@'127.0.0.1';
create user ops@'127.0.0.1' identified by 'o'; grant all on *.* to ops@'127.0.0.1'; create database shop; create table shop.t (n int); reset master`)
	sql(t, replica, "create user ops@'127.0.0.1' identified by 'o'; grant all on *.* to ops@'127.0.0.1'; create database shop; create table shop.t (n int)")
	sql(t, replica, fmt.Sprintf("change master to master_host='127.0.0.1', master_port=%d, master_user='repl', master_password='r', master_use_gtid=no, "+
		"master_log_file='binlog.000001', master_log_pos=4, master_ssl=0, master_ssl_verify_server_cert=0; start slave", source.Port))
	sql(t, source, "insert into shop.t values (1); flush binary logs; insert into shop.t values (2); flush binary logs; insert into shop.t values (3)")
	poll(t, "the replica follows", is(t, replica, "select count(*) from shop.t", "3"))
	sql(t, replica, "stop slave sql_thread")
	sql(t, source, "flush binary logs; insert into shop.t values (4); flush binary logs; insert into shop.t values (5)")

	// Nobody asked it: blocked.
	if step := purge(t, source); len(step.Blockers) == 0 || step.Fits != reclaim.Yes {
		t.Errorf("%+v", step)
	}
	// It stands in the third log.
	step := purge(t, source, "--replica", fmt.Sprintf("127.0.0.1:%d", replica.Port))
	if len(step.Blockers) != 0 || step.Commands[0].Text != "PURGE BINARY LOGS TO 'binlog.000003';" {
		t.Errorf("%+v", step)
	}
	// Another server is no replica of this one.
	step = purge(t, source, "--replica", fmt.Sprintf("127.0.0.1:%d", source.Port))
	if len(step.Blockers) == 0 || !strings.Contains(step.Blockers[0], "does not name this server as its source") {
		t.Errorf("%+v", step)
	}
	// An account that may list logs and not replicas does not take silence for consent.
	sql(t, source, "create user blind@'127.0.0.1' identified by 'o'; grant binlog monitor, process on *.* to blind@'127.0.0.1'")
	if step = purge(t, source, "-u", "blind"); len(step.Blockers) == 0 {
		t.Errorf("%+v", step)
	}
	// What the plan says keeps the replica going.
	sql(t, source, "purge binary logs to 'binlog.000003'")
	sql(t, replica, "stop slave; start slave")
	poll(t, "the replica follows", is(t, replica, "select count(*) from shop.t", "5"))
}

// purge is the plan's step for binary logs, of any age.
func purge(t *testing.T, d *testpeers.Database, more ...string) reclaim.Step {
	t.Helper()
	args := append([]string{"mysql", "reclaim", "--no-defaults", "-h", "127.0.0.1", "-P", fmt.Sprint(d.Port), "-u", "ops", "--keep-binlogs", "0s", "--min-size", "0", "-o", "json", "-q"}, more...)
	cmd := exec.CommandContext(t.Context(), opsctlProgram(t), args...)
	cmd.Env = append(cmd.Environ(), "OPSCTL_MYSQL_PASSWORD=o")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var plan reclaim.Plan
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	for _, step := range plan.Steps {
		if step.Kind == reclaim.PurgeBinlogs {
			return step
		}
	}
	t.Fatalf("no step purges binary logs: %s", out)
	return reclaim.Step{}
}

// TestMySQLReplicasThatMayNotBeSeen: MySQL refuses SHOW REPLICAS, which is not to be taken for a server without any.
func TestMySQLReplicasThatMayNotBeSeen(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	d := testpeers.RequireMySQL(t)
	sql(t, d, "create user ops@'127.0.0.1' identified by 'o'; grant process, replication client on *.* to ops@'127.0.0.1'; flush binary logs")
	if step := purge(t, d); len(step.Blockers) == 0 {
		t.Errorf("%+v", step)
	}
}
