package mysqlspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
)

// wordsOf fills a table with a full-text index, and deletes all but every fifth row: the index keeps the words of the others.
const wordsOf = `insert into shop.words select n, concat_ws(' ', left(sha2(n, 256), 32), left(sha2(n div 10, 256), 32), 'common words') from shop.n;
	delete from shop.words where id % 5 > 0;`

func TestRebuildsOfFulltextIndexesOfMariaDB(t *testing.T) {
	rebuildsFulltext(t, testpeers.RequireMariaDB(t, nil), `create database shop; use shop; create view n as select seq as n from seq_1_to_8000;
		create table words (id int primary key, v text, fulltext (v)) engine=innodb;`+wordsOf+"set global innodb_max_purge_lag_wait = 0")
}

func TestRebuildsOfFulltextIndexesOfMySQL(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("judged under OPSCTL_TORTURE")
	}
	rebuildsFulltext(t, testpeers.RequireMySQL(t), `create database shop; use shop; create table n (n int primary key); set session cte_max_recursion_depth = 100000;
		insert into n with recursive n (i) as (select 1 union all select i + 1 from n where i < 8000) select i from n;
		create table words (id int primary key, v text, fulltext (v));`+wordsOf)
}

// rebuildsFulltext wants what a rebuild frees of a table's file and of those of its full-text index between the bounds.
func rebuildsFulltext(t *testing.T, d *testpeers.Database, text string) {
	t.Helper()
	if _, err := d.SQL(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil { // which writes all pages
		t.Fatal(err)
	}
	words := byName(collectWith(t, mysqlspace.Options{Datadir: d.Data, Selection: mysqlspace.Selection{Table: "words"}}))["shop.words"]
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := ofWords(t, d.Data)
	if _, err := d.SQL(t.Context(), "alter table shop.words force"); err != nil {
		t.Fatal(err)
	}
	freed := before - ofWords(t, d.Data)
	t.Logf("%d of %d freed, %d (%d to %d) predicted", freed, before, *words.ReclaimableBytes, *words.ReclaimableLowBytes, *words.ReclaimableHighBytes)
	if *words.FileBytes != before || freed < *words.ReclaimableLowBytes || freed > *words.ReclaimableHighBytes {
		t.Errorf("%d of %d freed: %+v", freed, before, words)
	}
}

// ofWords is the size of shop.words with the files of its full-text index, which are all that the schema has.
func ofWords(t *testing.T, data string) (all int64) {
	t.Helper()
	for _, pattern := range []string{"words.ibd", "fts_*.ibd", "FTS_*.ibd"} {
		names, err := filepath.Glob(filepath.Join(data, "shop", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			all += info.Size()
		}
	}
	return all
}
