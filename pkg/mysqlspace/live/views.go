package live

import (
	"context"
	"strings"
)

// views says whether the server has a data dictionary whose views open and load no table: MySQL's since 8.0. InnoDB's own tables
// of tables and indexes load every table anew each time, which for 10,000 tables took 2.5 s each.
func (q *questions) views() bool {
	return q.out.Flavour == "mysql" && !strings.HasPrefix(q.out.Version, "5.")
}

// fromViews takes tables and indexes from the views, if names tell where each table is: as many tablespaces with a table's name as
// there are tables. They do not for tables in general tablespaces or in the system's, for full-text indexes, whose tablespaces bear
// the table's id, and for tables that the account may not see; InnoDB itself is asked then.
func (q *questions) fromViews(ctx context.Context) error {
	visible, err := q.visible(ctx)
	if err != nil {
		return q.hidden(err, "tables", grantSelect)
	}
	if q.located(visible) {
		for _, t := range visible {
			q.add(t)
		}
		return q.hidden(q.keys(ctx), "indexes", grantSelect)
	}
	if err := q.tables(ctx); err != nil {
		return q.hidden(err, "InnoDB's tables", grantProcess)
	}
	if q.shows(visible) {
		return q.hidden(q.keys(ctx), "indexes", grantSelect)
	}
	return q.hidden(q.indexes(ctx), "InnoDB's indexes", grantProcess)
}

// visible are InnoDB's tables, and the partitions of those that have any.
func (q *questions) visible(ctx context.Context) ([]*Table, error) {
	byName := map[[2]string]*Table{}
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, ROW_FORMAT FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE = 'InnoDB'"
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		t := &Table{Engine: "InnoDB", Place: "own"}
		var format *string
		if err := row(&t.Schema, &t.Name, &format); err != nil {
			return err
		}
		if format != nil {
			t.RowFormat = *format
		}
		byName[[2]string{t.Schema, t.Name}] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []*Table
	query = "SELECT TABLE_SCHEMA, TABLE_NAME, PARTITION_NAME, SUBPARTITION_NAME FROM information_schema.PARTITIONS WHERE PARTITION_NAME IS NOT NULL"
	parts := map[*Table]bool{}
	err = q.s.Each(ctx, query, func(row func(...any) error) error {
		var schema, name, partition string
		var sub *string
		if err := row(&schema, &name, &partition, &sub); err != nil {
			return err
		}
		whole := byName[[2]string{schema, name}]
		if whole == nil {
			return nil
		}
		part := *whole
		part.Partition = strings.ToLower(partition) // as InnoDB has it
		if sub != nil {
			part.Partition += "#sp#" + strings.ToLower(*sub)
		}
		all, parts[whole] = append(all, &part), true
		return nil
	})
	for _, t := range byName {
		if !parts[t] {
			all = append(all, t)
		}
	}
	return all, err
}

// located gives each table its tablespace, and says whether each has one of its own, and each of those a table.
func (q *questions) located(tables []*Table) bool {
	byName := map[string]*Tablespace{}
	own := 0
	for _, s := range q.out.Tablespaces {
		byName[s.Name] = s
		if strings.Contains(s.Name, "/") {
			own++
		}
	}
	for _, t := range tables {
		s := byName[t.tablespace()]
		switch {
		case s != nil:
			own--
		case t.Schema == "mysql" && byName["mysql"] != nil: // where the server keeps what is its own
			s, t.Place = byName["mysql"], "general"
		default:
			return false
		}
		t.Space, t.compressed = &s.ID, s.compressed
	}
	return own == 0
}

// tablespace is the name that a table's own has.
func (t *Table) tablespace() string {
	name := t.Schema + "/" + t.Name
	if t.Partition != "" {
		name += "#p#" + t.Partition
	}
	return name
}

// shows says whether the views have every table that InnoDB has.
func (q *questions) shows(visible []*Table) bool {
	seen := map[[3]string]bool{}
	for _, t := range visible {
		seen[t.key()] = true
	}
	for _, t := range q.out.Tables {
		if !seen[t.key()] {
			return false
		}
	}
	return true
}

// keys takes the indexes from the view of their columns: each is of all partitions of a table. They are told in the order of their
// names, for want of their ids.
func (q *questions) keys(ctx context.Context) error {
	partitions := q.partitions()
	var last *key
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, NULLABLE, INDEX_TYPE, COLUMN_NAME" +
		" FROM information_schema.STATISTICS ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME = 'PRIMARY' DESC, INDEX_NAME, SEQ_IN_INDEX"
	all := map[[2]string][]*key{}
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var at [2]string
		var k key
		var nth int
		var nullable, kind string
		var column *string // none of an expression
		if err := row(&at[0], &at[1], &k.name, &nth, &k.several, &nullable, &kind, &column); err != nil {
			return err
		}
		if nth == 1 || last == nil {
			k.kind, last = kind, &k
			all[at] = append(all[at], last)
		}
		last.nullable = last.nullable || nullable == "YES"
		name := ""
		if column != nil {
			name = *column
		}
		last.columns = append(last.columns, name)
		return nil
	})
	for name, tables := range partitions {
		for _, t := range tables {
			if t.Engine == "InnoDB" {
				t.keyed(all[name])
			}
		}
	}
	return err
}

// key is an index as the view of columns has it.
type key struct {
	name, kind string // kind: BTREE, FULLTEXT, SPATIAL
	several    bool   // it is not unique
	nullable   bool   // one of its columns is
	columns    []string
}

// keyed gives a table its indexes. The clustered one is the primary key, else the first unique one of columns that are never NULL,
// else one that InnoDB makes.
func (t *Table) keyed(keys []*key) {
	clustered := false
	for n, k := range keys {
		x := &Index{ID: uint64(n) + 1, Name: k.name, Columns: k.columns}
		switch {
		case k.kind == "FULLTEXT":
			x.Kind = kindFulltext
		case k.kind == "SPATIAL":
			x.Kind = kindSpatial
		case k.name == "PRIMARY":
			x.Kind, clustered = kindClustered|kindUnique, true
		case !k.several && !k.nullable && !clustered:
			x.Kind, clustered = kindClustered|kindUnique, true
		case !k.several:
			x.Kind = kindUnique
		}
		t.index(x)
	}
	if !clustered {
		t.index(&Index{Name: "GEN_CLUST_INDEX", Kind: kindClustered})
	}
}
