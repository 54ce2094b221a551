package testpeers

import (
	"os"
	"strings"
	"testing"
)

func TestDatabasesAnswer(t *testing.T) {
	tree := RequireTree(t, MariaDBPackages())
	t.Run("MariaDB 10.11", func(t *testing.T) { answers(t, RequireMariaDB(t, nil), "10.11.") })
	t.Run("MariaDB 10.11 in a booted machine", func(t *testing.T) {
		answers(t, RequireMariaDB(t, RequireMachine(t, BookwormMachine(), tree.Dir)), "10.11.")
	})
	if os.Getenv("OPSCTL_TORTURE") == "" {
		return
	}
	t.Run("MariaDB 11.8", func(t *testing.T) { answers(t, RequireMariaDB118(t), "11.8.") })
	t.Run("MySQL", func(t *testing.T) { answers(t, RequireMySQL(t), "9.") })
}

// answers looks whether root and the user that mysqld_exporter asks for reach the server.
func answers(t *testing.T, d *Database, version string) {
	t.Helper()
	if out, err := d.SQL(t.Context(), "create database shop; create table shop.t (n int) engine=innodb; insert into shop.t values (6), (7); select n from shop.t order by n"); err != nil || out != "6\n7\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := d.SQL(t.Context(), "create user exporter@localhost identified by 'a b'; grant process, replication client, select on *.* to exporter@localhost"); err != nil {
		t.Fatal(err)
	}
	out, err := d.SQLAs(t.Context(), "exporter", "a b", "select version(), @@datadir, @@port")
	if err != nil || !strings.HasPrefix(out, version) || !strings.Contains(out, d.Data) {
		t.Errorf("%q, %v", out, err)
	}
	t.Log(strings.TrimSpace(out))
	if out, err := d.SQLAs(t.Context(), "exporter", "wrong", "select 1"); err == nil || !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("a wrong password: %q, %v", out, err)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(d.log.String(), "hutdown complete") {
		t.Errorf("it did not end by itself:\n%s", d.log.String())
	}
}
