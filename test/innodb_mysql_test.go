package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/innodb/sdi"
)

// TestMySQLTablespaces has mysqld 9.7 fill tables of each format and page size. Names and ids are those that ibd2sdi writes, pages
// of each index those of innochecksum and of the server's statistics, rows those that the server counts.
func TestMySQLTablespaces(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	for _, world := range [][2]string{{"4k", "crc32"}, {"16k", "innodb"}, {"64k", "none"}} {
		size := world[0]
		t.Run(size, func(t *testing.T) {
			d := testpeers.RequireMySQL(t, "--innodb-page-size="+size, "--innodb-fast-shutdown=0", "--innodb-checksum-algorithm="+world[1])
			fillMySQL(t, d, size)
			for _, again := range []func() error{d.Stop, func() error { return d.Start(t.Context()) }} {
				if err := again(); err != nil {
					t.Fatal(err)
				}
			}
			rows, reserved := countMySQL(t, d)
			if err := d.Stop(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(d.Data, "*", "*.ibd"))
			more, err2 := filepath.Glob(filepath.Join(d.Data, "*.ibd"))
			if err := errors.Join(err, err2); err != nil || len(files)+len(more) < 12 {
				t.Fatalf("%d files, %v", len(files)+len(more), err)
			}
			j := mysqlJudge{d.Tree(), rows, reserved, map[string]bool{}}
			documents := &sdi.Document{} // all of them: a partition's file may have none of its table
			for _, file := range append(files, more...) {
				j.compareSDI(t, file, documents)
			}
			for _, file := range append(files, more...) {
				j.compare(t, file, documents)
			}
			for name := range reserved {
				if !j.seen[name] && !strings.HasPrefix(name, "mysql/") {
					t.Errorf("index %s was not found", name)
				}
			}
		})
	}
}

func fillMySQL(t *testing.T, d *testpeers.Database, size string) {
	t.Helper()
	script := `create database shop; use shop; set cte_max_recursion_depth = 100000;
create table nums (seq int primary key);
insert into nums with recursive s (n) as (select 1 union all select n + 1 from s where n < 9000) select n from s;
create table plain (id int primary key auto_increment, a varchar(60) comment 'a name', b int, key (a), key (b, a)) comment 'of things';
insert into plain (a, b) select sha2(seq, 224), seq*7919 % 10007 from nums;
delete from plain where b % 3 = 0;
create table blobs (id int primary key, b longblob);
insert into blobs select seq, repeat(sha2(seq, 224), 700+seq) from nums where seq <= 90;
delete from blobs where id % 4 = 1;
create table packed (id int primary key auto_increment, a varchar(150), b longtext, key (a)) compression='zlib';
insert into packed (a, b) select sha2(seq % 50, 224), repeat('opsctl ', if(seq % 500, 1, 9000)) from nums where seq <= 4000;
create table quick (id int primary key auto_increment, a varchar(150), key (a)) compression='lz4';
insert into quick (a) select sha2(seq % 50, 224) from nums where seq <= 4000;
create table parts (id int, a varchar(50), primary key (id), key (a)) partition by range (id) subpartition by hash (id) subpartitions 2
 (partition p0 values less than (2000), partition p1 values less than maxvalue);
insert into parts select seq, left(sha2(seq, 224), 50) from nums;
create table instant (id int primary key, a varchar(50));
insert into instant select seq, left(sha2(seq, 224), 50) from nums where seq <= 3000;
alter table instant add column c varchar(10) default 'x', add column z int, algorithm=instant;
insert into instant select seq, 'later', 'y', seq from nums where seq between 3001 and 4000;
alter table instant drop column z, algorithm=instant;
create tablespace gen add datafile 'gen.ibd' ;
create table g1 (id int primary key, v varchar(99)) tablespace gen;
create table g2 (id int primary key, v varchar(99), key (v)) tablespace gen;
insert into g1 select seq, sha2(seq, 224) from nums;
insert into g2 select seq, sha2(seq, 224) from nums where seq < 4000;
create table old (id int primary key, a varchar(50), key (a)) row_format=redundant;
insert into old select seq, left(sha2(seq, 224), 50) from nums where seq < 4000;
create table places (id int primary key, g point not null srid 0, spatial index (g));
insert into places select seq, point(seq % 97, seq % 89) from nums where seq < 2000;
create table many (` + manyColumns(map[string]int{"4k": 80, "16k": 300, "64k": 300}[size]) + `);
`
	if size != "64k" {
		script += `create table small (id int primary key auto_increment, a varchar(150), b longtext, key (a)) row_format=compressed key_block_size=` +
			map[string]string{"4k": "2", "16k": "8"}[size] + `;
insert into small (a, b) select sha2(seq % 100, 224), if(seq % 100, 'x', repeat(sha2(seq, 224), 400)) from nums;
delete from small where id % 2 = 0;
alter table small comment 'after a change';
`
	}
	if size == "4k" { // the file system's blocks are as large
		script = strings.NewReplacer(" compression='zlib'", "", " compression='lz4'", "").Replace(script)
	}
	if _, err := d.SQL(t.Context(), script); err != nil {
		t.Fatal(err)
	}
}

// manyColumns make a document that needs pages of its own.
func manyColumns(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("column_%03d varchar(%d) comment 'This is %x, of %d'", i, i%7+1, i*i*7919, i*31)
	}
	return strings.Join(all, ", ")
}

// countMySQL asks for rows by table or partition, and by index for the pages that its segments reserve, once ANALYZE has looked.
func countMySQL(t *testing.T, d *testpeers.Database) (rows map[string]int64, reserved map[string]uint32) {
	t.Helper()
	sql(t, d, sql(t, d, `select concat('analyze table shop.', table_name, ';') from information_schema.tables where table_schema = 'shop'`))
	counting := sql(t, d, `select concat('select ''shop/', table_name, ifnull(concat('#P#', partition_name, ifnull(concat('#SP#', subpartition_name), '')), ''),
 ''', count(*) from shop.', table_name, ifnull(concat(' partition (', ifnull(subpartition_name, partition_name), ')'), ''), ';')
 from information_schema.partitions where table_schema = 'shop'`)
	reserved = map[string]uint32{}
	for name, n := range numbers(t, d, `select concat(database_name, '/', lower(table_name), '/', index_name), stat_value from mysql.innodb_index_stats where stat_name = 'size'`) {
		reserved[name] = uint32(n)
	}
	return numbers(t, d, counting), reserved
}

type mysqlJudge struct {
	tree     *testpeers.Tree
	rows     map[string]int64
	reserved map[string]uint32
	seen     map[string]bool // indexes
}

// said is what a document says, line by line.
func said(t *testing.T, d *sdi.Document) (lines []string) {
	t.Helper()
	for i := range d.Tables {
		table := &d.Tables[i]
		lines = append(lines, fmt.Sprintf("table %d %s.%s %s %q %d", table.ID, table.Schema, table.Name, table.Engine, table.Comment, table.RowFormat))
		for _, c := range table.Columns {
			lines = append(lines, fmt.Sprintf("column %s %s %v %v %d", c.Name, c.Type, c.Nullable, c.Hidden, c.Length))
		}
		table.Walk(func(partition string, _ uint64, index *sdi.Index) {
			lines = append(lines, fmt.Sprintf("index %s id=%d root=%d", partition, index.ID, index.Root))
		})
	}
	if d.Tablespace.Name != "" {
		lines = append(lines, fmt.Sprintf("tablespace %d %s", d.Tablespace.ID, d.Tablespace.Name))
	}
	slices.Sort(lines)
	return lines
}

// ibd2sdi writes the same from the server's own program.
func (j mysqlJudge) ibd2sdi(t *testing.T, file string) (lines []string) {
	t.Helper()
	cmd := j.tree.Command(t.Context(), "usr/bin/ibd2sdi", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ibd2sdi %s: %v: %s", file, err, stderr.String())
	}
	if len(out) == 0 {
		return nil
	}
	var all []any
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	for _, record := range all[1:] {
		r := record.(map[string]any)
		o := r["object"].(map[string]any)["dd_object"].(map[string]any)
		if r["type"].(float64) == 2 {
			lines = append(lines, fmt.Sprintf("tablespace %.0f %s", r["id"], o["name"]))
			continue
		}
		lines = append(lines, fmt.Sprintf("table %.0f %s.%s %s %q %.0f", r["id"], o["schema_ref"], o["name"], o["engine"], o["comment"], o["row_format"]))
		for _, column := range o["columns"].([]any) {
			c := column.(map[string]any)
			lines = append(lines, fmt.Sprintf("column %s %s %v %v %.0f", c["name"], c["column_type_utf8"], c["is_nullable"], c["hidden"].(float64) > 1, c["char_length"]))
		}
		lines = append(lines, indexLines(o, "")...)
	}
	slices.Sort(lines)
	return lines
}

var privateIDs = regexp.MustCompile(`id=(\d+);root=(\d+);`)

// indexLines are those of a table or partition that has rows.
func indexLines(o map[string]any, name string) (lines []string) {
	var below []any
	for _, key := range []string{"partitions", "subpartitions"} {
		all, _ := o[key].([]any)
		below = append(below, all...)
	}
	for _, partition := range below {
		p := partition.(map[string]any)
		inner := p["name"].(string)
		if name != "" {
			inner = name + "#SP#" + inner
		}
		lines = append(lines, indexLines(p, inner)...)
	}
	if len(below) > 0 {
		return lines
	}
	for _, index := range o["indexes"].([]any) {
		m := privateIDs.FindStringSubmatch(index.(map[string]any)["se_private_data"].(string))
		if m == nil {
			m = []string{"", "0", "0"}
		}
		lines = append(lines, fmt.Sprintf("index %s id=%s root=%s", name, m[1], m[2]))
	}
	return lines
}

func (j mysqlJudge) compareSDI(t *testing.T, file string, into *sdi.Document) {
	t.Helper()
	d, err := openSpace(t, file).SDI(t.Context())
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	if base := filepath.Base(file); base == "packed.ibd" || base == "quick.ibd" {
		// ibd2sdi cannot read packed pages; what they say is asked below.
	} else if diff := cmp.Diff(j.ibd2sdi(t, file), said(t, d)); diff != "" {
		t.Errorf("%s: (-ibd2sdi +ours)\n%s", file, diff)
	}
	into.Tables = append(into.Tables, d.Tables...)
}

// dumped is a line of innochecksum for an index page.
var dumped = regexp.MustCompile(`#::\s+\d+.*index id=(\d+), page level=(\d+), No. of records=(\d+)`)

// compare holds the pages of a file's indexes to innochecksum's, which counts freed ones too, and to the server's figures.
func (j mysqlJudge) compare(t *testing.T, file string, documents *sdi.Document) {
	t.Helper()
	st, tally := readSpace(t, file)
	dump := filepath.Join(t.TempDir(), "dump")
	if out, err := j.tree.Command(t.Context(), "usr/bin/innochecksum", "-D", dump, file).CombinedOutput(); err != nil {
		t.Errorf("innochecksum %s: %v: %s", file, err, out)
		return
	}
	text, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[uint64]uint32{}
	for _, m := range dumped.FindAllStringSubmatch(string(text), -1) {
		id, _ := strconv.ParseUint(m[1], 10, 64)
		pages[id]++
	}
	st.NameFromSDI(documents)
	for i := range st.Indexes {
		x := &st.Indexes[i]
		got := tally.Indexes[x.ID]
		if got == nil {
			t.Errorf("%s: index %d has no page", file, x.ID)
			continue
		}
		base := strings.TrimSuffix(filepath.Base(file), ".ibd")
		packed := base == "packed" || base == "quick" // innochecksum does not look inside
		if fresh := !slices.Contains([]string{"plain", "blobs", "small"}, base); !packed && x.Type == innodb.TypeIndex &&
			(got.Pages > pages[x.ID] || fresh && base != "mysql" && got.Pages != pages[x.ID]) {
			t.Errorf("%s: index %d has %d pages, innochecksum counts %d", file, x.ID, got.Pages, pages[x.ID])
		}
		if x.Type == innodb.TypeSDI {
			continue
		}
		if x.Name == "" && base != "mysql" { // some of the server's own tables are in no document
			t.Errorf("%s: index %d has no name", file, x.ID)
		}
		name := strings.ToLower(x.Table) + "/" + x.Name
		j.seen[name] = true
		if want, ok := j.reserved[name]; ok && want != x.Leaf.Reserved+x.Internal.Reserved {
			t.Errorf("%s: index %s reserves %d pages, the server says %d", file, name, x.Leaf.Reserved+x.Internal.Reserved, want)
		}
		if want, ok := j.rows[x.Table]; ok && (want != got.Records || got.Deleted != 0) {
			t.Errorf("%s: index %s has %d records, %d delete-marked; the server counts %d", file, name, got.Records, got.Deleted, want)
		} else if !ok && strings.HasPrefix(x.Table, "shop/") {
			t.Errorf("%s: the server has no table %q", file, x.Table)
		}
	}
}
