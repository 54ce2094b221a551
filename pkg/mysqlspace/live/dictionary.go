package live

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
)

// dictionary reads InnoDB's own: tables, tablespaces and indexes, joined by their ids. A name would miss partitions and general
// tablespaces.
func (q *questions) dictionary(ctx context.Context) error {
	q.byID, q.byName = map[uint64]*Table{}, map[[3]string]*Table{}
	what := "InnoDB's tables and tablespaces: sizes come from stored statistics alone"
	if err := q.counters(ctx); err != nil {
		return q.hidden(err, what, grantProcess)
	}
	if err := q.tablespaces(ctx); err != nil {
		return q.hidden(err, what, grantProcess)
	}
	if err := q.tables(ctx); err != nil {
		return q.hidden(err, what, grantProcess)
	}
	return q.hidden(q.indexes(ctx), "InnoDB's indexes", grantProcess)
}

// counters asks for the next AUTO_INCREMENT value of each table; 0 where there is none, and in MySQL the last one of a table that
// the server has not opened since it started. InnoDB loads every table for it, of which
// the server opens none. It comes first: MariaDB lists only those tablespaces that were loaded since it started.
func (q *questions) counters(ctx context.Context) error {
	q.next = map[uint64]uint64{}
	return q.s.Each(ctx, "SELECT TABLE_ID, AUTOINC FROM "+q.innodb("TABLESTATS"), func(row func(...any) error) error {
		var table, next uint64
		if err := row(&table, &next); err != nil {
			return err
		}
		if next > 0 {
			q.next[table] = next
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
	query := fmt.Sprintf("SELECT SPACE, NAME, %s, %s, %s FROM %s", column(columns, "SPACE_TYPE"), column(columns, "FILE_SIZE"), column(columns, "ALLOCATED_SIZE"), table)
	return q.s.Each(ctx, query, func(row func(...any) error) error {
		t := &Tablespace{}
		var kind *string
		if err := row(&t.ID, &t.Name, &kind, &t.File, &t.Allocated); err != nil {
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
	key := [3]string{t.Schema, t.Name, strings.ToLower(t.Partition)}
	if q.byName[key] != nil {
		return
	}
	q.byName[key] = t
	if t.ID != 0 {
		q.byID[t.ID] = t
	}
	q.out.Tables = append(q.out.Tables, t)
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
		t.Indexes = append(t.Indexes, x)
		t.Fulltext = t.Fulltext || x.Kind&kindFulltext != 0
		clustered, unique := x.Kind&kindClustered != 0, x.Kind&kindUnique != 0
		t.NoPrimaryKey = t.NoPrimaryKey || clustered && !unique
		t.UniqueKey = t.UniqueKey || unique
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
