package mysqlspace_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

const lacking = `use shop;
create table pile (id int) engine=memory;
insert into pile values (1);
create table again (id int primary key, v varchar(200)) engine=merge union=(isam);
create table keyless (n int, m int) engine=innodb;
create table twice (id int primary key, a int, b int, key ka (a), key kab (a, b)) engine=innodb;
create table nearly (id tinyint unsigned auto_increment primary key) engine=innodb;
insert into nearly values (250);
create table renamed_before (id int primary key, v text) engine=innodb comment='by id';
rename table renamed_before to renamed;
analyze table plain, half, twice, nearly, renamed, keyless, words;
flush tables plain, half, renamed for export;
unlock tables;
`

func TestServerAndFiles(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	serverAndFiles(t, d, mysqltest.Tables)
}

func TestMySQLAndFiles(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	d := testpeers.RequireMySQL(t)
	serverAndFiles(t, d, `create database shop; use shop; set session cte_max_recursion_depth = 100000;
		create table plain (id int primary key, v varchar(200), key (v)) comment='two words';
		insert into plain with recursive n (i) as (select 1 union all select i + 1 from n where i < 40000) select i, repeat('x', 100) from n;
		create table half (id int primary key, v varchar(200));
		insert into half with recursive n (i) as (select 1 union all select i + 1 from n where i < 60000) select i, repeat('x', 180) from n;
		delete from half where id % 2 = 0;
		create table words (id int primary key, body text, fulltext (body));
		create table isam (id int primary key, v varchar(200)) engine=myisam comment='old';
		insert into isam select * from plain where id % 3 <> 0 and id <= 1000;`)
}

// serverAndFiles wants what either has in a report of both, and of each alone what it cannot know absent.
func serverAndFiles(t *testing.T, d *testpeers.Database, text string) {
	t.Helper()
	if _, err := d.SQL(t.Context(), text+lacking); err != nil {
		t.Fatal(err)
	}
	options := mysqlspace.Options{Snapshot: snapshot(t, d), Datadir: d.Data, Address: d.Socket, Selection: mysqlspace.Selection{Schema: "shop"}}
	both := collectWith(t, options)
	if both.Datadir == "" || both.Server == nil || both.Server.Address != d.Socket {
		t.Errorf("%+v, %+v, %+v", both.Datadir, both.Server, both.Limits)
	}
	for _, l := range both.Limits {
		if !strings.Contains(l.What, "unused indexes") { // which take a day of counting
			t.Errorf("%+v", l)
		}
	}
	items := byName(both)
	plain, isam := items["shop.plain"], items["shop.isam"]
	if plain.Source != space.FromFile || plain.Figures["rows"].Source != space.FromSample || plain.Comment != "two words" || plain.ReclaimableBytes == nil {
		t.Errorf("%+v", plain)
	}
	if isam.Source != space.FromEngine || *isam.Rows != 667 || isam.Comment != "old" {
		t.Errorf("%+v", isam)
	}
	if r := items["shop.renamed"]; r.FileBytes == nil || r.Comment != "by id" {
		t.Errorf("%+v", r)
	}
	for _, i := range both.Items {
		if slices.ContainsFunc(i.Notes, func(n string) bool { return strings.Contains(n, "not found") }) {
			t.Errorf("%+v", i)
		}
	}
	foundAll(t, both)
	options.Datadir = ""
	alone := collectWith(t, options)
	plain = byName(alone)["shop.plain"]
	if alone.Datadir != "" || len(alone.Limits) == 0 || plain.Source != space.FromStatistics || plain.ReclaimableBytes != nil || plain.FileBytes == nil {
		t.Errorf("%+v, %+v", plain, alone.Limits)
	}
	for _, name := range []string{"shop.pile", "shop.again"} { // in memory, and isam's bytes once more
		if i, there := byName(alone)[name]; !there || i.TotalBytes != nil || items[name].TotalBytes != nil {
			t.Errorf("%+v, with files %+v", i, items[name])
		}
	}
	foundAll(t, alone)
	for name := range byName(alone) {
		if _, there := items[name]; !there {
			t.Errorf("%s is there without files alone", name)
		}
	}
	if len(alone.Items) != len(both.Items) {
		t.Errorf("%d tables with files, %d without", len(both.Items), len(alone.Items))
	}
}

func snapshot(t *testing.T, d *testpeers.Database) *live.Snapshot {
	t.Helper()
	snap, err := live.Collect(t.Context(), mysqltest.Connect(t, d, mysqlconn.Options{}), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func collectWith(t *testing.T, o mysqlspace.Options) *space.Report {
	t.Helper()
	report, err := mysqlspace.Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Problems) > 0 {
		t.Error(report.Problems)
	}
	return report
}

func byName(r *space.Report) map[string]space.Item {
	items := make(map[string]space.Item, len(r.Items))
	for _, i := range r.Items {
		items[i.Name()] = i
	}
	return items
}

func foundAll(t *testing.T, r *space.Report) {
	t.Helper()
	var found []string
	for _, f := range r.Findings {
		if f.Schema == "shop" {
			found = append(found, f.ID+" "+f.Table)
		}
	}
	for _, want := range []string{"no-primary-key keyless", "duplicate-index twice", "autoincrement nearly"} {
		if !slices.Contains(found, want) {
			t.Errorf("%s is not in %q", want, found)
		}
	}
	if slices.Contains(found, "no-primary-key plain") {
		t.Error("plain has a primary key")
	}
}

func TestAnotherServersFolder(t *testing.T) {
	one, other := testpeers.RequireMariaDB(t, nil), testpeers.RequireMariaDB(t, nil)
	for i, d := range []*testpeers.Database{one, other} {
		text := "create database shop; use shop;"
		for n := range 20 {
			text += fmt.Sprintf("create table t%d (id int primary key);", n)
		}
		if i == 1 {
			text = strings.Replace(text, "use shop;", "use shop; create table first (id int primary key);", 1)
		}
		if _, err := d.SQL(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	snap := snapshot(t, one)
	if err := other.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err := mysqlspace.Collect(t.Context(), mysqlspace.Options{Snapshot: snap, Datadir: other.Data})
	if !errors.Is(err, mysqlspace.ErrOtherServer) {
		t.Error(err)
	}
}
