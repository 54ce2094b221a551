package mysqlspace_test

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// indexesOf asks a server for the indexes of its InnoDB tables but those of full text, which are in other tables.
const indexesOf = `select concat_ws('.', s.table_schema, s.table_name, s.index_name) from information_schema.statistics s
	join information_schema.tables t using (table_schema, table_name)
	where t.engine = 'InnoDB' and s.table_schema in ('shop', 'größe 1') and s.index_type <> 'FULLTEXT' group by 1`

// namesAgree holds the names of indexes and the comments of tables against those of the server, which ends meanwhile. aux is
// a table with a full-text index, and must have its auxiliary tables' pages.
func namesAgree(t *testing.T, d *testpeers.Database, aux string) {
	t.Helper()
	indexes, err := d.SQL(t.Context(), indexesOf)
	if err != nil {
		t.Fatal(err)
	}
	comments, err := d.SQL(t.Context(), "select concat(table_name, ' ', table_comment) from information_schema.tables where table_schema = 'shop' and table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	report := collect(t, d.Data, "index")
	var got []string
	auxiliary := 0
	for _, i := range report.Items {
		switch {
		case i.Schema != "shop" && i.Schema != "größe 1" || i.Index == "" || i.Engine != "InnoDB":
		case i.Index == "FTS_DOC_ID_INDEX" || i.Index == "GEN_CLUST_INDEX": // hidden
		case strings.HasPrefix(strings.ToLower(i.Index), "fts_") && i.Table == aux:
			auxiliary++
		default:
			i.Partition = ""
			got = append(got, i.Name())
		}
	}
	slices.Sort(got)
	if diff := gocmp.Diff(lines(indexes), slices.Compact(got)); diff != "" {
		t.Error("indexes (-server +files):\n" + diff)
	}
	if auxiliary != 11 {
		t.Errorf("%d auxiliary tables of %s", auxiliary, aux)
	}
	got = nil
	for _, i := range collect(t, d.Data, "table").Items {
		if i.Schema == "shop" {
			got = append(got, i.Table+" "+i.Comment)
		}
	}
	slices.Sort(got)
	if diff := gocmp.Diff(lines(comments), got); diff != "" {
		t.Error("comments (-server +files):\n" + diff)
	}
}

func collect(t *testing.T, dir, by string) *space.Report {
	t.Helper()
	r, err := mysqlspace.Collect(t.Context(), mysqlspace.Options{Datadir: dir, Selection: mysqlspace.Selection{By: by}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 {
		t.Error(r.Problems)
	}
	return r
}

func lines(text string) []string {
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.SortFunc(all, cmp.Compare[string])
	return all
}

const oddNames = "create database `größe 1`; use `größe 1`; create table `an-gebot: é` (id int primary key, k int, key `mein schlüssel` (k)) engine=innodb;"

func TestNamesOfMariaDB(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	shared := "use shop; set global innodb_file_per_table=0; create table inside (id int primary key, k int, key (k)) engine=innodb comment='in ibdata1';"
	if _, err := d.SQL(t.Context(), mysqltest.Tables+oddNames+shared); err != nil {
		t.Fatal(err)
	}
	namesAgree(t, d, "words")
}

func TestNamesOfMySQL(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	d := testpeers.RequireMySQL(t)
	const text = `create database shop; use shop;
		create table plain (id int primary key, v varchar(200), key (v)) comment='two words';
		create table parts (id int primary key, v varchar(200), key kv (v)) comment='of parts' partition by range (id) subpartition by hash (id) subpartitions 2
			(partition p0 values less than (100), partition P1 values less than maxvalue);
		create table words (id int primary key, body text, fulltext (body));
		insert into words values (1, 'some words to find');
		create tablespace ts add datafile 'ts.ibd' engine=innodb;
		create table a (id int primary key, v varchar(200), key av (v)) tablespace ts comment='in a general tablespace';
		create table b (id int primary key) tablespace ts;
		create table isam (id int primary key, v varchar(200)) engine=myisam comment='old';
		create table arch (id int, v varchar(200)) engine=archive comment='cold';
		create table hidden (n int);`
	if _, err := d.SQL(t.Context(), text+oddNames); err != nil {
		t.Fatal(err)
	}
	namesAgree(t, d, "words")
}
