package mysqlspace_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

const sparseTables = `create database shop; use shop;
create table half (id int primary key, a int, v varchar(200), key (a), key (v)) engine=innodb;
create table words (id int primary key, v varchar(200), key (v), fulltext (v)) engine=innodb;
insert into half select n, n * 7919 % 40000, repeat(char(97 + n % 26), 150) from numbers.n; delete from half where id % 2 = 0;
insert into words select n, repeat(char(97 + n % 26), 150) from numbers.n; delete from words where id % 2 = 0;`

func TestPredictionsFollowTheSettingsOfMariaDB(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil, "--innodb-fill-factor=60", "--innodb-alter-copy-bulk=OFF")
	followSettings(t, d, "create database numbers; use numbers; create view n as select seq as n from seq_1_to_40000;"+sparseTables+"set global innodb_max_purge_lag_wait = 0")
}

func TestPredictionsFollowTheSettingsOfMySQL(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	d := testpeers.RequireMySQL(t, "--innodb-fill-factor=60", "--innodb-ddl-threads=1")
	followSettings(t, d, `create database numbers; create table numbers.n (n int primary key); set session cte_max_recursion_depth = 100000;
		insert into numbers.n with recursive n (i) as (select 1 union all select i + 1 from n where i < 40000) select i from n;`+sparseTables)
}

// followSettings holds predictions that know the server's settings against what a rebuild leaves; without them the sorted build must
// be missed, or they would be of no use.
func followSettings(t *testing.T, d *testpeers.Database, text string) {
	t.Helper()
	if _, err := d.SQL(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil { // which writes all pages
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	snap := snapshot(t, d)
	now := byName(collectWith(t, mysqlspace.Options{Snapshot: snap, Datadir: d.Data}))
	ignorant := *snap
	ignorant.Variables = map[string]string{"innodb_alter_copy_bulk": "ON"}
	defaults := byName(collectWith(t, mysqlspace.Options{Snapshot: &ignorant, Datadir: d.Data}))
	sizes := func() map[string]int64 {
		all := map[string]int64{}
		for name := range now {
			if info, err := os.Stat(filepath.Join(d.Data, now[name].File)); err == nil {
				all[name] = info.Size()
			}
		}
		return all
	}
	before := sizes()
	if _, err := d.SQL(t.Context(), "use shop; alter table half force; alter table words force, algorithm=copy"); err != nil {
		t.Fatal(err)
	}
	after := sizes()
	within := func(i space.Item, name string) bool {
		freed := before[name] - after[name]
		t.Logf("%s: %d freed, %d (%d to %d) predicted", name, freed, *i.ReclaimableBytes, *i.ReclaimableLowBytes, *i.ReclaimableHighBytes)
		return *i.ReclaimableLowBytes <= freed && freed <= *i.ReclaimableHighBytes
	}
	for _, name := range []string{"shop.half", "shop.words"} {
		if !within(now[name], name) {
			t.Errorf("%s is not within its bounds", name)
		}
	}
	if within(defaults["shop.half"], "shop.half") {
		t.Error("without the settings shop.half is within its bounds too")
	}
	inserted := slices.ContainsFunc(now["shop.words"].Notes, func(n string) bool { return strings.Contains(n, "inserted one by one") })
	if !inserted {
		t.Errorf("%q", now["shop.words"].Notes)
	}
}
