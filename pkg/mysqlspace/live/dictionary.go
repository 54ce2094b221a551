package live

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
)

// dictionary reads which tables, tablespaces and indexes InnoDB has. Its own dictionary joins them by ids, where a name would miss
// partitions and general tablespaces; MySQL's views do it faster where names tell everything.
func (q *questions) dictionary(ctx context.Context) error {
	q.byID, q.byName, q.next = map[uint64]*Table{}, map[[3]string]*Table{}, map[*Table]uint64{}
	what := "InnoDB's tables and tablespaces: sizes come from stored statistics alone, and free pages of a tablespace that tables share are "
	if q.views() {
		what += "not known"
	} else {
		what += "said for each of them"
	}
	if err := q.tablespaces(ctx); err != nil {
		return q.hidden(err, what, grantProcess)
	}
	if q.views() {
		return q.fromViews(ctx)
	}
	if err := q.tables(ctx); err != nil {
		return q.hidden(err, what, grantProcess)
	}
	if err := q.load(ctx); err != nil {
		return q.hidden(err, what, grantProcess)
	}
	return q.hidden(q.indexes(ctx), "InnoDB's indexes", grantProcess)
}

// maxLoaded is how many tables InnoDB is made to load for their next AUTO_INCREMENT values alone, unless they are wanted of all: 10,000
// took longer than everything else together.
const maxLoaded = 2000

// load has InnoDB load every table, of which the server opens none, where that tells something: MariaDB lists only those tablespaces
// that were loaded since it started, which is of no matter where their files are read.
func (q *questions) load(ctx context.Context) error {
	unlisted := q.unlisted()
	files := q.o.Files != nil && q.o.Files(q.out.Variables["datadir"])
	if (!unlisted || files) && len(q.out.Tables) > maxLoaded && !q.o.Increments {
		q.hide(fmt.Sprintf("the next AUTO_INCREMENT values, of more than %d tables: their rows give a lower bound", maxLoaded),
			"--fail-on autoincrement=80% asks for them, or narrow the report with --schema or --table")
		return nil
	}
	if err := q.counters(ctx); err != nil || !unlisted {
		return err
	}
	return q.tablespaces(ctx)
}

// unlisted says whether the server lists no tablespace for some table.
func (q *questions) unlisted() bool {
	return slices.ContainsFunc(q.out.Tables, func(t *Table) bool { return t.Space != nil && *t.Space != 0 && q.out.Tablespaces[*t.Space] == nil })
}

// counters asks for the next AUTO_INCREMENT value of each table; 0 where there is none, and in MySQL the last one of a table that the
// server has not opened since it started. InnoDB loads every table for it.
func (q *questions) counters(ctx context.Context) error {
	return q.s.Each(ctx, "SELECT NAME, AUTOINC FROM "+q.innodb("TABLESTATS")+" WHERE AUTOINC > 0", func(row func(...any) error) error {
		var name string
		var next uint64
		if err := row(&name, &next); err != nil {
			return err
		}
		at := datadir.DictionaryName(name)
		if t := q.byName[[3]string{at.Schema, at.Table, lower(at.Partition)}]; t != nil {
			q.next[t] = next
		}
		return nil
	})
}

func (q *questions) tablespaces(ctx context.Context) error {
	table := q.innodb("TABLESPACES")
	columns, err := q.s.Columns(ctx, table)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT SPACE, NAME, %s, %s, %s, COALESCE(%s, 0) FROM %s",
		column(columns, "SPACE_TYPE"), column(columns, "FILE_SIZE"), column(columns, "ALLOCATED_SIZE"), column(columns, "ZIP_PAGE_SIZE"), table)
	return q.s.Each(ctx, query, func(row func(...any) error) error {
		t := &Tablespace{}
		var kind *string
		if err := row(&t.ID, &t.Name, &kind, &t.File, &t.Allocated, &t.compressed); err != nil {
			return err
		}
		if kind != nil {
			t.Type = *kind
		}
		q.out.Tablespaces[t.ID] = t
		return nil
	})
}

func (q *questions) tables(ctx context.Context) error {
	table := q.innodb("TABLES")
	columns, err := q.s.Columns(ctx, table)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT TABLE_ID, NAME, SPACE, %s, %s, %s FROM %s",
		column(columns, "ROW_FORMAT"), column(columns, "SPACE_TYPE"), column(columns, "ZIP_PAGE_SIZE"), table)
	return q.s.Each(ctx, query, func(row func(...any) error) error {
		t := &Table{Engine: "InnoDB", Place: "own"}
		var name string
		var id uint32
		var format, kind *string
		var compressed *int64 // bytes of a page of ROW_FORMAT=COMPRESSED, else 0
		if err := row(&t.ID, &name, &id, &format, &kind, &compressed); err != nil {
			return err
		}
		if !strings.Contains(name, "/") { // InnoDB's own, such as SYS_FOREIGN
			return nil
		}
		parsed := datadir.DictionaryName(name)
		if owner, is := fulltextOf(parsed.Table); is {
			q.auxiliary[owner] = append(q.auxiliary[owner], id)
			return nil
		}
		t.Schema, t.Name, t.Partition, t.Space = parsed.Schema, parsed.Table, parsed.Partition, &id
		if format != nil {
			t.RowFormat = *format
		}
		if compressed != nil {
			t.compressed = *compressed
		}
		q.place(t, kind)
		q.add(t)
		return nil
	})
}

// fulltextOf is the id of the table that an auxiliary table of a full-text index belongs to: FTS_ and 16 hexadecimal digits
// (fts0fts.cc), in lower case since MySQL 8.
func fulltextOf(name string) (table uint64, is bool) {
	rest, found := strings.CutPrefix(strings.ToLower(name), "fts_")
	if !found || len(rest) < 17 || rest[16] != '_' {
		return 0, false
	}
	id, err := strconv.ParseUint(rest[:16], 16, 64)
	return id, err == nil
}

// place tells own files from shared ones.
func (q *questions) place(t *Table, kind *string) {
	switch {
	case *t.Space == 0 || kind != nil && *kind == "System":
		t.Place = "system"
	case kind != nil && *kind == "General":
		t.Place = "general"
	case q.out.Tablespaces[*t.Space] != nil && q.out.Tablespaces[*t.Space].Type == "General":
		t.Place = "general"
	}
}

// add keeps a table that matters.
func (q *questions) add(t *Table) {
	if q.o.Match != nil && !q.o.Match(t.Schema, t.Name) {
		return
	}
	key := t.key()
	if q.byName[key] != nil {
		return
	}
	q.byName[key], q.seen = t, q.seen || t.Space != nil
	if t.ID != 0 {
		q.byID[t.ID] = t
	}
	q.out.Tables = append(q.out.Tables, t)
}

// key is a table's name. Partitions are the same in either case.
func (t *Table) key() [3]string { return [3]string{t.Schema, t.Name, strings.ToLower(t.Partition)} }

// index gives a table an index.
func (t *Table) index(x *Index) {
	t.Indexes = append(t.Indexes, x)
	t.Fulltext, t.Spatial = t.Fulltext || x.Kind&kindFulltext != 0, t.Spatial || x.Kind&kindSpatial != 0
	clustered, unique := x.Kind&kindClustered != 0, x.Kind&kindUnique != 0
	t.NoPrimaryKey = t.NoPrimaryKey || clustered && !unique
	t.UniqueKey = t.UniqueKey || unique
}

// indexes also says which tables have no primary key.
func (q *questions) indexes(ctx context.Context) error {
	byID := map[uint64]*Index{}
	query := "SELECT INDEX_ID, NAME, TABLE_ID, TYPE, PAGE_NO FROM " + q.innodb("INDEXES") + " ORDER BY INDEX_ID"
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		x := &Index{}
		var table uint64
		var root *int64 // NULL or -1 for a full-text index
		if err := row(&x.ID, &x.Name, &table, &x.Kind, &root); err != nil {
			return err
		}
		t := q.byID[table]
		if t == nil {
			return nil
		}
		if root != nil && *root > 0 {
			x.Root = uint32(*root)
		}
		byID[x.ID] = x
		t.index(x)
		return nil
	})
	if err != nil {
		return err
	}
	query = "SELECT INDEX_ID, NAME FROM " + q.innodb("FIELDS") + " ORDER BY INDEX_ID, POS"
	return q.s.Each(ctx, query, func(row func(...any) error) error {
		var id uint64
		var name string
		if err := row(&id, &name); err != nil {
			return err
		}
		if x := byID[id]; x != nil {
			x.Columns = append(x.Columns, name)
		}
		return nil
	})
}
