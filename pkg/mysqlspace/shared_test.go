package mysqlspace_test

import (
	"os"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
)

func TestOnlyTableOfTheSystemTablespace(t *testing.T) {
	onlyTable(t, testpeers.RequireMariaDB(t, nil), `create database shop; use shop; set global innodb_file_per_table = off;
		create table alone (id int primary key, v varchar(200)) engine=innodb comment='shared'; insert into alone select seq, repeat('x', 100) from seq_1_to_1000;`)
}

func TestOnlyTableOfAGeneralTablespace(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	onlyTable(t, testpeers.RequireMySQL(t), `create database shop; use shop; create tablespace one add datafile 'one.ibd';
		create table alone (id int primary key, v varchar(200)) tablespace one comment='shared';
		insert into alone with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000) select i, repeat('x', 100) from n;`)
}

// onlyTable wants the file's free pages in a line of their own, and the table's rows once: the server has one table in that
// tablespace, and the file's line is not it.
func onlyTable(t *testing.T, d *testpeers.Database, text string) {
	t.Helper()
	if _, err := d.SQL(t.Context(), text+"analyze table alone"); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil { // which writes all pages
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := collectWith(t, mysqlspace.Options{Snapshot: snapshot(t, d), Datadir: d.Data})
	items := byName(report)
	if i := items["shop.alone"]; i.FreeBytes != nil || i.Rows == nil || *i.Rows != 1000 || len(i.Notes) == 0 || i.Comment != "shared" {
		t.Errorf("%+v", i)
	}
	ibdata, general := items["[ibdata1]"], items["[one.ibd]"]
	if ibdata.FreeBytes == nil && general.FreeBytes == nil {
		t.Error("nobody has the free pages")
	}
}
