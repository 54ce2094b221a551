package test

import (
	"bytes"
	"context"
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
)

// TestTablespacesAreReadAsTheServerWroteThem has mariadbd fill tables of each page size and format, delete from them and stop
// cleanly. Of every file the pages of each index are those that innochecksum counts, and its leaves have the rows that the
// server counted.
func TestTablespacesAreReadAsTheServerWroteThem(t *testing.T) {
	t.Parallel()
	for _, world := range [][]string{{"4k"}, {"8k"}, {"16k"}, {"16k", "--innodb-checksum-algorithm=crc32"}, {"32k"}, {"64k"}} {
		t.Run(strings.Join(world, " "), func(t *testing.T) {
			t.Parallel()
			tablespacesAreRead(t, testpeers.RequireMariaDB(t, nil, append(tablespaceOptions(world[0]), world[1:]...)...), world[0])
		})
	}
	for _, size := range []string{"4k", "16k", "64k"} {
		t.Run("11.8 "+size, func(t *testing.T) {
			if os.Getenv("OPSCTL_TORTURE") == "" {
				t.Skip("judged under OPSCTL_TORTURE")
			}
			tablespacesAreRead(t, testpeers.RequireMariaDB118(t, tablespaceOptions(size)...), size)
		})
	}
}

func tablespaceOptions(size string) []string {
	return []string{"--innodb-page-size=" + size, "--innodb-purge-threads=1", "--innodb-fast-shutdown=0", "--innodb-flush-log-at-trx-commit=0"}
}

func tablespacesAreRead(t *testing.T, d *testpeers.Database, size string) {
	t.Helper()
	rows := fillTables(t, d, size)
	indexes := serversIndexes(t, d)
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	judge := innochecksum{d.Tree()}
	files, err := filepath.Glob(filepath.Join(d.Data, "*", "*.ibd"))
	if err != nil || len(files) < len(rows) {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		judge.compare(t, file, rows)
	}
	judge.compare(t, filepath.Join(d.Data, "ibdata1"), nil)
	dictionary := compareDictionary(t, filepath.Join(d.Data, "ibdata1"), indexes)
	for _, table := range []string{"uuids", "parts#P#p1", "nothing", "ranged", "blobs", "plain"} {
		compareLengths(t, filepath.Join(d.Data, "shop", table+".ibd"), dictionary, table)
	}
}

// fillTables makes a table of each kind that a page size allows, and returns the rows by file name without its suffix.
func fillTables(t *testing.T, d *testpeers.Database, size string) map[string]int64 {
	t.Helper()
	script := `create database shop; use shop;
create table plain (id int primary key auto_increment, a varchar(60), b int, key (a), key (b, a));
insert into plain (a, b) select md5(seq), seq*7919 % 10007 from seq_1_to_12000;
delete from plain where b % 3 = 0;
create table ranged (id int primary key, a char(100), key (a)) row_format=redundant;
insert into ranged select seq, md5(seq) from seq_1_to_6000;
delete from ranged where id between 1000 and 4500;
create table uuids (id char(36) primary key, n int, key (n)) row_format=compact;
insert into uuids select md5(seq*31), seq from seq_1_to_6000;
create table blobs (id int primary key, b longblob);
insert into blobs select seq, repeat(md5(seq), 700+seq) from seq_1_to_120;
delete from blobs where id % 4 = 1;
create table packed (id int primary key auto_increment, a varchar(200), b longtext, key (a)) page_compressed=1;
insert into packed (a, b) select repeat(md5(seq % 50), 3), repeat('opsctl ', if(seq % 500, 1, 9000)) from seq_1_to_6000;
delete from packed where id % 5 = 0;
create table parts (id int, a varchar(50), primary key (id), key (a)) partition by hash (id) partitions 3;
insert into parts select seq, md5(seq) from seq_1_to_6000;
create table instant (id int primary key, a varchar(50));
insert into instant select seq, md5(seq) from seq_1_to_3000;
alter table instant add column c varchar(10) default 'x', add column z int, algorithm=instant;
insert into instant select seq, md5(seq), 'y', seq from seq_3001_to_4000;
alter table instant drop column z, algorithm=instant;
create table places (id int primary key, g point not null, spatial index (g));
insert into places select seq, point(seq % 97, seq % 89) from seq_1_to_3000;
create table words (id int primary key, a text, fulltext (a)) ;
insert into words select seq, concat(md5(seq), ' ', md5(seq+1)) from seq_1_to_1500;
create table nothing (id int primary key, a int, v int as (a+1) virtual, b text, c varchar(40), key (a), key mixed (c(7), a, b(9)), key down (c desc, a desc));
create table Über$x (n int); create table ` + "`a-b/c`" + ` (n int);
`
	if size != "32k" && size != "64k" {
		script += `create table small (id int primary key auto_increment, a varchar(200), key (a)) row_format=compressed key_block_size=` +
			map[string]string{"4k": "2", "8k": "4", "16k": "8"}[size] + `;
insert into small (a) select md5(seq % 100) from seq_1_to_9000;
delete from small where id % 2 = 0 or id between 3000 and 5000;
update small set a = concat(a, id) where id % 7 = 0;
create table whole (id int primary key, a varchar(200), key (a)) row_format=compressed key_block_size=` + strings.TrimSuffix(size, "k") + `;
insert into whole select id, a from small;
create table tiny (id int primary key, a text) row_format=compressed key_block_size=1;
insert into tiny select seq, repeat(md5(seq % 9), if(seq % 200, 1, 400)) from seq_1_to_2000;
`
	}
	if _, err := d.SQL(t.Context(), script); err != nil {
		t.Fatal(err)
	}
	out, err := d.SQL(t.Context(), `use shop; select concat('select ''', t.table_name, ifnull(concat('#P#', p.partition_name), ''), ''', count(*) from `+"`', t.table_name, '`"+`',
 ifnull(concat(' partition (', p.partition_name, ')'), ''), ';') from information_schema.tables t
 join information_schema.partitions p using (table_schema, table_name) where table_schema = 'shop'`)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for name, n := range numbers(t, d, "use shop; "+out) {
		rows["shop/"+name] = n
	}
	return rows
}

// numbers asks for rows of a name and a number.
func numbers(t *testing.T, d *testpeers.Database, query string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for line := range strings.Lines(sql(t, d, query)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = n
	}
	return all
}

// serversIndexes is the server's own account of its dictionary: table, id, columns in the table, index, id, type, root, space and
// columns, those with a prefix followed by its length.
func serversIndexes(t *testing.T, d *testpeers.Database) []string {
	t.Helper()
	out, err := d.SQL(t.Context(), `select concat_ws(' ', t.name, t.table_id, (select count(*) from information_schema.innodb_sys_columns c
 where c.table_id = t.table_id and not c.prtype & 8192), i.name, i.index_id, i.type, ifnull(i.page_no, -1), i.space,
 ifnull((select group_concat(f.name order by f.pos) from information_schema.innodb_sys_fields f where f.index_id = i.index_id), ''))
 from information_schema.innodb_sys_indexes i join information_schema.innodb_sys_tables t using (table_id) where t.table_id > 5`)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	slices.Sort(lines)
	return lines
}

// compareDictionary holds what ibdata1 says to what the server said.
func compareDictionary(t *testing.T, file string, want []string) *innodb.Dictionary {
	t.Helper()
	space := openSpace(t, file)
	d, err := innodb.ReadDictionary(t.Context(), space)
	if err != nil || len(d.Damage) > 0 {
		t.Fatalf("%v, %v", err, d.Damage)
	}
	var got []string
	for _, table := range d.Tables {
		for _, index := range table.Indexes {
			var fields []string
			for _, f := range index.Fields {
				fields = append(fields, f.Column)
			}
			got = append(got, fmt.Sprintf("%s %d %d %s %d %d %d %d %s", table.Name, table.ID, len(table.Columns), index.Name, index.ID, index.Type, int32(index.Root), index.SpaceID, strings.Join(fields, ",")))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: the dictionary differs (-server +file):\n%s", file, diff)
	}
	return d
}

// compareLengths reads records as the dictionary says that they are: in tables where none took the place of a longer one, they and
// what was removed fill the heap of each page to the byte.
func compareLengths(t *testing.T, file string, d *innodb.Dictionary, table string) {
	t.Helper()
	space := openSpace(t, file)
	st, err := space.Structure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range st.Indexes {
		index := &st.Indexes[i]
		sample, err := space.Sample(t.Context(), index, innodb.SampleOptions{Pages: 5000, Seed: 3, Layout: d.Layout(index.ID)})
		if err != nil {
			t.Fatal(err)
		}
		external := 0
		for _, p := range sample.Pages {
			sum := p.DeletedBytes
			for _, n := range p.Lengths {
				sum += int(n)
			}
			if !p.Exact || sum != p.DataBytes {
				t.Errorf("%s, index %d, page %d: exact %v, %d bytes of %d", table, index.ID, p.Number, p.Exact, sum, p.DataBytes)
			}
			external += p.External
		}
		if want := table == "blobs"; (external > 0) != want {
			t.Errorf("%s, index %d: %d values are stored outside", table, index.ID, external)
		}
	}
}

// openSpace opens a file that is closed with the test.
func openSpace(t *testing.T, file string) *innodb.Space {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	space, err := innodb.Open(f, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return space
}

// readSpace reads a file's structure and all its pages, and wants neither damaged.
func readSpace(t *testing.T, file string) (*innodb.Structure, *innodb.Tally) {
	t.Helper()
	space := openSpace(t, file)
	st, err := space.Structure(t.Context())
	if err != nil || len(st.Damage) > 0 {
		t.Errorf("%s: %v, %v", file, err, st.Damage)
	}
	tally, err := space.Scan(t.Context())
	if err != nil || len(tally.Bad) > 0 {
		t.Errorf("%s: %v, %v", file, err, tally.Bad)
	}
	return st, tally
}

// innochecksum is the server's own program that reads tablespaces.
type innochecksum struct{ tree *testpeers.Tree }

// perIndex are the lines of its summary: index, pages, leaf pages, records a page and bytes a page.
var perIndex = regexp.MustCompile(`(?m)^(-?\d+)\t\t(\d+)\t\t(\d+)\t`)

// pages are an index's by id: all and leaves, pages that were freed left out.
func (p innochecksum) pages(ctx context.Context, file string) (map[uint64][2]uint32, string, error) {
	cmd := p.tree.Command(ctx, "usr/bin/innochecksum", "-S", "-r", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	indexes := map[uint64][2]uint32{}
	for _, m := range perIndex.FindAllStringSubmatch(string(out), -1) {
		id, _ := strconv.ParseInt(m[1], 10, 64) // it writes them signed
		all, _ := strconv.ParseUint(m[2], 10, 32)
		leaves, _ := strconv.ParseUint(m[3], 10, 32)
		indexes[uint64(id)] = [2]uint32{uint32(all), uint32(leaves)}
	}
	return indexes, string(out), nil
}

// compare holds our reading of a file to innochecksum's, and to the rows that the server counted, where these are known.
func (p innochecksum) compare(t *testing.T, file string, rows map[string]int64) {
	t.Helper()
	want, text, err := p.pages(t.Context(), file)
	if err != nil {
		t.Errorf("innochecksum %s: %v", file, err)
		return
	}
	st, tally := readSpace(t, file)
	name := innodb.DecodeName(strings.TrimSuffix(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), ".ibd"))
	if strings.HasPrefix(name, "shop/") && !strings.Contains(name, "FTS_") {
		if _, known := rows[name]; !known {
			t.Errorf("%s is no table of the server's", name)
		}
	}
	for id := range want {
		if tally.Indexes[id] == nil {
			t.Errorf("%s: index %d is missing", name, id)
		}
	}
	lobs := uint32(0)
	for kind, n := range tally.Types {
		if kind.IsLOB() {
			lobs += n
		}
	}
	for i, index := range st.Indexes {
		got := tally.Indexes[index.ID]
		if got == nil {
			t.Errorf("%s: index %d has no page", name, index.ID)
			continue
		}
		if used := index.Leaf.Used + index.Internal.Used; used != got.Pages+lobs {
			t.Errorf("%s: the segments of index %d use %d pages; it has %d and %d of large values", name, index.ID, used, got.Pages, lobs)
		}
		lobs = 0 // they are the clustered index's
		pages := [2]uint32{got.Pages, got.Leaves}
		if index.Type == innodb.TypeInstant {
			pages[0]-- // innochecksum does not count a root of this type
		}
		// Nor does it look into packed pages.
		if !st.Flags.PageCompressed && index.Type != innodb.TypeRtree && pages != want[index.ID] {
			t.Errorf("%s: index %d has %d pages, %d leaves; innochecksum counts %v\n%s", name, index.ID, got.Pages, got.Leaves, want[index.ID], text)
		}
		count, known := rows[name]
		if known && (got.Records != count || got.Deleted != 0) {
			t.Errorf("%s: index %d (%d) has %d records, %d delete-marked; the server counts %d", name, index.ID, i, got.Records, got.Deleted, count)
		}
	}
	if len(st.Indexes) == 0 {
		t.Errorf("%s: no index", name)
	}
}
