package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// TestNamesTellWhereTablesAre compares tablespaces and indexes that MySQL's views led to with those of InnoDB's dictionary, which
// loads every table: first where each table has a tablespace of its own, then with tables for which names do not tell.
func TestNamesTellWhereTablesAre(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		if !strings.HasPrefix(sql(t, d, "select @@version_comment"), "MySQL") {
			return // MariaDB has no such views
		}
		sql(t, d, "create database `vi ews`; use `vi ews`;"+`
create table parts (id int primary key auto_increment, key k (id)) partition by hash (id) partitions 2;
create table subs (id int, d int) partition by range (id) subpartition by hash (d) subpartitions 2 (partition P0 values less than (10));
create table `+"`a b#p/ü`"+` (id int unique key, x int not null, unique key u (x));
create table none (x int, unique key u (x), key f ((x + 1)), key d (x desc));
create table squeezed (x int not null, y int not null, unique key u (x), unique key v (x, y), key w (y, x)) row_format=compressed key_block_size=4;
create table place (id int primary key, g geometry not null srid 0, spatial key g (g));`)
		compareWithInnoDB(t, d)
		sql(t, d, "use `vi ews`; create tablespace shared add datafile 'shared.ibd'; create table general (id int primary key) tablespace shared;"+
			"create table old (id int primary key) tablespace innodb_system")
		compareWithInnoDB(t, d)
		sql(t, d, "use `vi ews`; create table words (id int primary key, w text, fulltext key w (w))")
		compareWithInnoDB(t, d)
	})
}

func compareWithInnoDB(t *testing.T, d *testpeers.Database) {
	t.Helper()
	var got []string
	for _, x := range snapshot(t, mysqltest.Connect(t, d, mysqlconn.Options{})).Tables {
		if x.Schema != "vi ews" {
			continue
		}
		name := x.Name
		if x.Partition != "" {
			name += "#p#" + strings.ToLower(x.Partition)
		}
		got = append(got, fmt.Sprintf("%s in %d %s", name, *x.Space, x.Place))
		for _, k := range x.Indexes {
			if x.Partition == "" && !strings.HasPrefix(k.Name, "FTS_") && k.Kind&^3 == 0 {
				got = append(got, fmt.Sprintf("%s key %s %d", name, k.Name, k.Kind))
			}
		}
	}
	slices.Sort(got)
	var want []string
	for line := range strings.Lines(sql(t, d, "select name, concat(' in ', space, ' ', replace(lower(space_type), 'single', 'own')) from information_schema.innodb_tables"+
		" where name like 'vi@0020ews/%' union all select t.name, concat(' key ', i.name, ' ', i.type & 3) from information_schema.innodb_indexes i"+
		" join information_schema.innodb_tables t using (table_id)"+
		" where t.name like 'vi@0020ews/%' and t.name not like '%#p#%' and i.name not like 'FTS\\_%' and i.type & 96 = 0") + "\n") {
		path, said, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name, partition, partitioned := strings.Cut(strings.TrimPrefix(path, "vi@0020ews/"), "#p#")
		if strings.HasPrefix(name, "fts_") {
			continue
		}
		if name = innodb.DecodeName(name); partitioned {
			name += "#p#" + partition
		}
		want = append(want, name+said)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nInnoDB says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
