package testpeers

import (
	"strings"
	"testing"
)

func TestMariaDBAnswers(t *testing.T) {
	tree := RequireTree(t, MariaDBPackages())
	t.Run("on this machine", func(t *testing.T) { answers(t, RequireMariaDB(t, nil)) })
	t.Run("in a booted one", func(t *testing.T) {
		answers(t, RequireMariaDB(t, RequireMachine(t, BookwormMachine(), tree.Dir)))
	})
}

// answers looks whether root and the user that mysqld_exporter asks for reach the server.
func answers(t *testing.T, d *MariaDB) {
	t.Helper()
	if out, err := d.SQL(t.Context(), "create database shop; create table shop.t (n int) engine=innodb; insert into shop.t values (6), (7); select n from shop.t order by n"); err != nil || out != "6\n7\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := d.SQL(t.Context(), "create user exporter@localhost identified by 'a b'; grant process, replication client, select on *.* to exporter@localhost"); err != nil {
		t.Fatal(err)
	}
	out, err := d.SQLAs(t.Context(), "exporter", "a b", "select version(), @@datadir, @@port")
	if err != nil || !strings.HasPrefix(out, "10.11.") || !strings.Contains(out, d.Data) {
		t.Errorf("%q, %v", out, err)
	}
	t.Log(strings.TrimSpace(out))
	if out, err := d.SQLAs(t.Context(), "exporter", "wrong", "select 1"); err == nil || !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("a wrong password: %q, %v", out, err)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(d.log.String(), "Shutdown complete") {
		t.Errorf("it did not end by itself:\n%s", d.log.String())
	}
}
