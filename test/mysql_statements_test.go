package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// TestStatementsRun pastes every statement that a plan prints.
func TestStatementsRun(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil, "--log-bin=binlog", "--server-id=1")
	sql(t, d, `create database shop; use shop;
create table place (id int primary key, p point not null, spatial index (p)) engine=innodb; insert into place select seq, point(seq, seq) from seq_1_to_2000;
create table derived (id int primary key, k int, v int as (k + 1) virtual, key (v)) engine=innodb; insert into derived (id, k) select seq, seq from seq_1_to_2000;
create table former (id int primary key, v varchar(100)) engine=innodb with system versioning; insert into former select seq, repeat('x', 90) from seq_1_to_2000; update former set v = 'y';
create table words (id int primary key, v text, fulltext (v)) engine=innodb; insert into words select seq, concat('word', seq, repeat(' x', 50)) from seq_1_to_10000; delete from words where id % 5;
create table parts (id int primary key, v varchar(100)) engine=innodb partition by hash (id) partitions 2; insert into parts select seq, repeat('x', 90) from seq_1_to_20000; delete from parts where id % 5;
create table `+"`odd ``$'\"-/name`"+` (id int primary key, v varchar(100), key (v)) engine=innodb; insert into `+"`odd ``$'\"-/name`"+` select seq, repeat('x', 90) from seq_1_to_20000; delete from `+"`odd ``$'\"-/name`"+` where id % 5;
create table isam (id int primary key, v varchar(100)) engine=myisam; insert into isam select seq, repeat('x', 90) from seq_1_to_2000; delete from isam where id % 2;
create sequence numbers engine=innodb; flush binary logs; set global innodb_max_purge_lag_wait = 0; flush tables`)
	plan, tables := printed(t, d)
	for _, name := range []string{"place", "derived", "former", "words", "parts", "isam", "odd `$'\"-/name"} {
		if !slices.Contains(tables, name) {
			t.Errorf("no step is of %s: %q", name, tables)
		}
	}
	for _, step := range plan.Steps {
		if step.Table == "words" && step.Needs[0].For != "the new files" {
			t.Errorf("the full-text index's files are not among the needs: %+v", step.Needs)
		}
		if step.Table == "former" && slices.ContainsFunc(step.Commands, func(c reclaim.Command) bool { return c.Tool != "sql" }) {
			t.Errorf("the history of a system-versioned table would be lost: %+v", step.Commands)
		}
		if step.Schema == "mysql" && slices.ContainsFunc(step.Commands, func(c reclaim.Command) bool { return c.Tool != "sql" }) {
			t.Errorf("a copy of a system table: %+v", step.Commands)
		}
	}
	out, err := exec.CommandContext(t.Context(), opsctlProgram(t), "mysql", "space", "--no-defaults", "-S", d.Socket, "-u", "root", "-o", "json", "-q").Output()
	if err != nil {
		t.Fatal(err)
	}
	var report space.Report
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Table == "numbers" {
			t.Errorf("a sequence is no table without a key: %+v", f)
		}
	}
}

// TestMySQLStatementsRun is TestStatementsRun for MySQL.
func TestMySQLStatementsRun(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	d := testpeers.RequireMySQL(t)
	sql(t, d, `create database shop; use shop; set session cte_max_recursion_depth = 100000;
create table n (seq int primary key); insert into n with recursive r (i) as (select 1 union all select i + 1 from r where i < 20000) select i from r;
create table place (id int primary key, p point not null srid 0, spatial index (p)); insert into place select seq, point(seq, seq) from n;
create table derived (id int primary key, k int, v int as (k + 1) virtual, key (v), key ((k * 2))); insert into derived (id, k) select seq, seq from n;
create table words (id int primary key, v text, fulltext (v)); insert into words select seq, concat('word', seq, repeat(' x', 50)) from n; delete from words where id % 5;
create table parts (id int primary key, v varchar(100)) partition by hash (id) partitions 2; insert into parts select seq, repeat('x', 90) from n; delete from parts where id % 5;
create table isam (id int primary key, v varchar(100)) engine=myisam; insert into isam select seq, repeat('x', 90) from n; delete from isam where id % 2;
flush binary logs; flush tables`)
	_, tables := printed(t, d)
	for _, name := range []string{"place", "derived", "words", "parts", "isam"} {
		if !slices.Contains(tables, name) {
			t.Errorf("no step is of %s: %q", name, tables)
		}
	}
}

// printed runs the plan's statements, and returns it with the names of the tables that it rebuilds.
func printed(t *testing.T, d *testpeers.Database) (reclaim.Plan, []string) {
	t.Helper()
	if err := errorsOf(d.Stop(), d.Start(t.Context())); err != nil { // which writes all pages
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), opsctlProgram(t), "mysql", "reclaim", "--no-defaults", "-S", d.Socket, "-u", "root",
		"--min-size", "1", "--keep-binlogs", "0d", "-o", "json", "-q").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var plan reclaim.Plan
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	var tables []string
	for _, step := range plan.Steps {
		tables = append(tables, step.Table)
		for _, c := range step.Commands {
			if c.Tool != "sql" {
				continue
			}
			if out, err := d.SQL(t.Context(), c.Text); err != nil || strings.Contains(out, "rror") {
				t.Errorf("%s\n%v %s", c.Text, err, out)
			}
		}
	}
	return plan, tables
}
