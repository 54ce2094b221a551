package live

import (
	"context"
	"fmt"
	"strings"
)

func lower(s string) string { return strings.ToLower(s) }

const grantSelect = "GRANT SELECT ON *.* TO ..., or on the schemas that matter"

// definitions are comments and engines: columns that MySQL answers from its dictionary, and MariaDB from .frm files, without
// opening a table.
func (q *questions) definitions(ctx context.Context) error {
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE IS NOT NULL" +
		" AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema')"
	partitions := q.partitions()
	seen := 0
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var schema, name, engine, comment string
		if err := row(&schema, &name, &engine, &comment); err != nil {
			return err
		}
		seen++
		tables := partitions[[2]string{schema, name}]
		if len(tables) == 0 && engine != "InnoDB" {
			t := &Table{Schema: schema, Name: name, Engine: engine, Place: "own"}
			q.add(t)
			tables = []*Table{t}
		}
		for _, t := range tables {
			t.Comment = comment
		}
		return nil
	})
	if err == nil && seen == 0 && len(q.out.Tables) > 0 {
		q.hide("comments, and tables of other engines: the account may see no table", grantSelect)
	}
	return q.hidden(err, "comments, and tables of other engines", grantSelect)
}

// partitions are the tables by schema and name.
func (q *questions) partitions() map[[2]string][]*Table {
	all := map[[2]string][]*Table{}
	for _, t := range q.out.Tables {
		key := [2]string{t.Schema, t.Name}
		all[key] = append(all[key], t)
	}
	return all
}

// maxOthers is how many tables of other engines are opened for their sizes.
const maxOthers = 1000

// otherEngines asks for the sizes of what is not InnoDB's: their tables are opened, by name, and the dictionary's cache is not
// written.
func (q *questions) otherEngines(ctx context.Context) error {
	asked := 0
	for _, t := range q.out.Tables {
		if t.Engine == "InnoDB" || strings.HasPrefix(t.Schema, "mysql") || t.Engine == "PERFORMANCE_SCHEMA" {
			continue
		}
		if asked++; asked > q.most() {
			q.hide(fmt.Sprintf("sizes of more than %d tables of other engines: each would be opened", q.most()), "read the files with --datadir")
			return nil
		}
		query := "SELECT TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, DATA_FREE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
		err := q.s.Each(ctx, query, func(row func(...any) error) error { return row(&t.Rows, &t.Data, &t.Index, &t.Free) }, t.Schema, t.Name)
		if err := q.hidden(err, "the size of "+t.Schema+"."+t.Name, grantSelect); err != nil {
			return err
		}
	}
	return nil
}

// most bounds the tables that are opened: MySQL is promised few.
func (q *questions) most() int {
	if q.out.Flavour == "mysql" {
		return 4
	}
	return maxOthers
}

// keysAndTriggers say what a rebuild by copying meets.
func (q *questions) keysAndTriggers(ctx context.Context) error {
	partitions := q.partitions()
	mark := func(name string, set func(*Table)) {
		parsed := strings.SplitN(name, "/", 2)
		if len(parsed) != 2 {
			return
		}
		for _, t := range partitions[[2]string{decode(parsed[0]), decode(parsed[1])}] {
			set(t)
		}
	}
	err := q.s.Each(ctx, "SELECT FOR_NAME, REF_NAME FROM "+q.innodb("FOREIGN"), func(row func(...any) error) error {
		var child, parent string
		if err := row(&child, &parent); err != nil {
			return err
		}
		mark(child, func(t *Table) { t.ForeignKeys = true })
		mark(parent, func(t *Table) { t.ForeignKeys = true })
		return nil
	})
	if err := q.hidden(err, "foreign keys", grantProcess); err != nil {
		return err
	}
	err = q.s.Each(ctx, "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS", func(row func(...any) error) error {
		var schema, name string
		if err := row(&schema, &name); err != nil {
			return err
		}
		for _, t := range partitions[[2]string{schema, name}] {
			t.Triggers = true
		}
		return nil
	})
	return q.hidden(err, "triggers", "GRANT TRIGGER ON *.* TO ...")
}

func (q *questions) hide(what, help string) {
	q.out.Limits = append(q.out.Limits, limit(what, help))
}
