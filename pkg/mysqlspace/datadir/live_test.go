package datadir_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// everyEngine has a statement for each kind of file that MariaDB makes.
const everyEngine = mysqltest.Tables + `
create database ` + "`web-2 日本`" + `;
create table merged (id int primary key, v varchar(200)) engine=merge union=(isam);
create trigger before_plain before insert on plain for each row set new.v = new.v;
create sequence numbers;
use ` + "`web-2 日本`" + `;
create table ` + "`an-gebot: é`" + ` (id int primary key) engine=innodb;
`

func fill(t *testing.T, options ...string) *testpeers.Database {
	t.Helper()
	d := testpeers.RequireMariaDB(t, nil, options...)
	if _, err := d.SQL(t.Context(), everyEngine); err != nil {
		t.Fatal(err)
	}
	return d
}

// sumsToDu holds the accounting against du(1), in bytes on the disk and in files.
func sumsToDu(t *testing.T, tree *datadir.Tree) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "du", "--block-size=1", "--summarize", tree.Root).Output()
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(out), "\t")
	want, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var got int64
	for _, sum := range tree.Accounting() {
		got += sum.Bytes
		t.Logf("%-18s %12d %5d", sum.Category, sum.Bytes, sum.Files)
	}
	if math.Abs(float64(got-want)) > 0.001*float64(want) {
		t.Errorf("the categories sum to %d, du says %d", got, want)
	}
	t.Logf("sum %d, du %d", got, want)
}

func walk(ctx context.Context, t *testing.T, dir string) *datadir.Tree {
	t.Helper()
	tree, err := datadir.Walk(ctx, datadir.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// plant writes ten files that are no server's, some of them under a server's names.
func plant(t *testing.T, dir string) (paths []string) {
	t.Helper()
	for name, text := range map[string]string{
		"dump.sql": "create table t (n int);", "backup.tar.gz": "\x1f\x8b", "shop/notes.txt": "x", "shop/fake.ibd": strings.Repeat("no tablespace", 5000),
		"shop/plain.ibd.bak": "x", "app.log": "GET / 200\n", "shop/empty.ibd": "", "web.err": "a line of a web server\n",
		"core.12345": "\x7fELF", "shop/deeper/plain.ibd": "x",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, rel)
	}
	slices.Sort(paths)
	return paths
}

func names(files []space.File) []string {
	paths := make([]string, 0, len(files))
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	slices.Sort(paths)
	return paths
}

func TestEveryByteOfMariaDB(t *testing.T) {
	d := fill(t, "--log-bin=binlog", "--slow-query-log=1", "--general-log=1", "--log-error="+filepath.Join(t.TempDir(), "not-below.err"),
		"--innodb-undo-tablespaces=3", "--innodb-file-per-table=1")
	t.Run("while it runs", func(t *testing.T) { everyByte(t, d.Data, ofMariaDB()) })
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Run("after it has ended", func(t *testing.T) { everyByte(t, d.Data, ofMariaDB()) })
	t.Run("with leftovers", func(t *testing.T) { leftovers(t, d.Data) })
	foreign(t, d.Data)
}

// everyByte wants no file unknown or wrong, the sums of du, and some files in their categories.
func everyByte(t *testing.T, dir string, categories map[string]space.Category) {
	t.Helper()
	tree := walk(t.Context(), t, dir)
	sumsToDu(t, tree)
	if len(tree.Problems) > 0 {
		t.Error(tree.Problems)
	}
	for _, f := range tree.Of(space.Unknown) {
		t.Errorf("%s is unknown: %s", f.Path, f.Why)
	}
	want := maps.Clone(categories)
	for _, f := range tree.Files {
		if category, ok := want[f.Path]; ok && category != f.Category {
			t.Errorf("%s is of %s, want %s", f.Path, f.Category, category)
		}
		delete(want, f.Path)
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
}

// leftovers wants copies of a tablespace found that no table claims, and no other.
func leftovers(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "shop/plain.ibd"))
	if err != nil {
		t.Fatal(err)
	}
	copies := []string{"shop/#sql-alter-1-2.ibd", "shop/#sql-ib77.ibd", "shop/copied.ibd"}
	for _, name := range copies {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree := walk(t.Context(), t, dir)
	sumsToDu(t, tree)
	if got := names(tree.Of(space.Orphans)); !slices.Equal(got, copies) {
		t.Errorf("orphans %q", got)
	}
	for _, name := range copies {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// ofMariaDB are files of [everyEngine].
func ofMariaDB() map[string]space.Category {
	return map[string]space.Category{
		"ibdata1": space.SystemTablespace, "ib_logfile0": space.Redo, "undo001": space.Undo, "undo003": space.Undo,
		"binlog.000001": space.BinaryLogs, "binlog.index": space.BinaryLogs, "aria_log.00000001": space.OtherEngines, "aria_log_control": space.Metadata,
		"shop/plain.ibd": space.Tables, "shop/plain.frm": space.Metadata, "shop/parts#P#p1#SP#p1sp0.ibd": space.Tables, "shop/parts.par": space.Metadata,
		"shop/isam.MYD": space.OtherEngines, "shop/merged.MRG": space.OtherEngines, "shop/csv.CSV": space.OtherEngines, "mysql/db.MAD": space.OtherEngines,
		"shop/plain.TRG": space.Metadata, "shop/seen.frm": space.Metadata,
	}
}

// torture skips a test that only long runs take.
func torture(t *testing.T) {
	t.Helper()
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
}

func TestEveryByteOfMariaDB118(t *testing.T) {
	torture(t)
	d := testpeers.RequireMariaDB118(t, "--log-bin=binlog", "--slow-query-log=1", "--general-log=1", "--innodb-undo-tablespaces=3")
	if _, err := d.SQL(t.Context(), everyEngine+vectors); err != nil {
		t.Fatal(err)
	}
	everyByte(t, d.Data, ofMariaDB())
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	everyByte(t, d.Data, ofMariaDB())
	foreign(t, d.Data)
}

const vectors = "use shop; create table v (id int primary key, v vector(4) not null, vector index (v)) engine=innodb;"

// everyEngineOfMySQL is everyEngine for MySQL 8 and later.
const everyEngineOfMySQL = `
create database shop;
create database ` + "`web-2 日本`" + `;
use shop;
set session cte_max_recursion_depth = 100000;
create table plain (id int primary key, v varchar(200), key (v)) engine=innodb comment='two words';
insert into plain with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000) select i, repeat('x', 100) from n;
create table parts (id int primary key, v varchar(200)) engine=innodb partition by range (id) subpartition by hash (id) subpartitions 2
  (partition p0 values less than (100), partition P1 values less than maxvalue);
create table words (id int primary key, body text, fulltext (body)) engine=innodb;
insert into words values (1, 'some words to find');
create table packed (id int primary key, v text) engine=innodb compression='zlib';
create table zipped (id int primary key, v text) engine=innodb row_format=compressed key_block_size=4;
create tablespace ts add datafile 'ts.ibd' engine=innodb;
create table a (id int primary key, v varchar(200), key (v)) tablespace ts;
create table b (id int primary key) tablespace ts;
create undo tablespace un add datafile 'un.ibu';
create table isam (id int primary key, v varchar(200)) engine=myisam comment='old';
insert into isam select id, v from plain limit 1000;
delete from isam where id % 3 = 0;
create table csv (id int not null, v varchar(20) not null) engine=csv;
insert into csv values (1, 'a');
create table arch (id int, v varchar(200)) engine=archive;
insert into arch select id, v from plain limit 1000;
create table merged (id int primary key, v varchar(200)) engine=merge union=(isam);
create view seen as select * from plain;
create trigger before_plain before insert on plain for each row set new.v = new.v;
use ` + "`web-2 日本`" + `;
create table ` + "`an-gebot: é`" + ` (id int primary key) engine=innodb;
`

func TestEveryByteOfMySQL(t *testing.T) {
	torture(t)
	d := testpeers.RequireMySQL(t, "--slow-query-log=1", "--general-log=1")
	if _, err := d.SQL(t.Context(), everyEngineOfMySQL); err != nil {
		t.Fatal(err)
	}
	categories := map[string]space.Category{
		"ibdata1": space.SystemTablespace, "mysql.ibd": space.SystemTablespace, "undo_001": space.Undo, "un.ibu": space.Undo,
		"binlog.000001": space.BinaryLogs, "shop/plain.ibd": space.Tables, "shop/parts#p#p1#sp#p1sp0.ibd": space.Tables, "ts.ibd": space.Tables,
		"shop/isam.MYD": space.OtherEngines, "shop/arch.ARZ": space.OtherEngines, "shop/csv.CSV": space.OtherEngines,
	}
	everyByte(t, d.Data, categories)
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	everyByte(t, d.Data, categories)
	foreign(t, d.Data)
}

// foreign plants ten files and wants them, and nothing else, unknown.
func foreign(t *testing.T, dir string) {
	t.Helper()
	planted := plant(t, dir)
	tree := walk(t.Context(), t, dir)
	sumsToDu(t, tree)
	if diff := cmp.Diff(planted, names(tree.Of(space.Unknown))); diff != "" {
		t.Error("unknown (-planted +found):\n" + diff)
	}
	var wrong []string
	for _, err := range tree.Problems {
		wrong = append(wrong, fmt.Sprint(err))
	}
	if want := []string{"shop/empty.ibd: is empty", "shop/fake.ibd: is no tablespace: its first page has no such header"}; !slices.Equal(wrong, want) {
		t.Errorf("problems %q", wrong)
	}
}
