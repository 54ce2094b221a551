package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

func lower(s string) string { return strings.ToLower(s) }

const grantSelect = "GRANT SELECT ON *.* TO ..., or on the schemas that matter"

// maxNamed is how many tables are named in a statement about their definitions; for more, all are read.
const maxNamed = 500

// definitions are comments and engines. MySQL answers from its dictionary; MariaDB reads a .frm file for each table, though opening
// none, which for 10,000 tables is most of the time that everything takes. A condition on the names alone comes before that
// (sql_show.cc, make_cond_for_info_schema), so that it is asked for the largest tables, and for those InnoDB does not know.
func (q *questions) definitions(ctx context.Context) error {
	condition := "1 = 1"
	if q.out.Flavour == "mariadb" && len(q.out.Tables) > maxNamed {
		others, err := q.others(ctx)
		if err != nil {
			return q.hidden(err, "comments, and tables of other engines", grantSelect)
		}
		if len(others) <= maxNamed {
			if !q.files() { // which have them all
				q.hide(fmt.Sprintf("comments of all but the %d largest tables: the server would read a file for each", maxNamed), "narrow the report with --schema or --table, or read the files with --datadir")
			}
			condition = among(append(others, q.largest(maxNamed)...))
		}
	}
	return q.defined(ctx, condition)
}

// others are the names of what is not InnoDB's: other tables, and views. They come from the names of files alone.
func (q *questions) others(ctx context.Context) ([][2]string, error) {
	known := q.partitions()
	var all [][2]string
	query := "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema')"
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var name [2]string
		if err := row(&name[0], &name[1]); err != nil {
			return err
		}
		if len(known[name]) == 0 && (q.o.Match == nil || q.o.Match(name[0], name[1])) {
			all = append(all, name)
		}
		return nil
	})
	return all, err
}

// largest are the names of the tables with the largest files, partitions each for itself.
func (q *questions) largest(n int) [][2]string {
	tables := slices.Clone(q.out.Tables)
	size := func(t *Table) int64 {
		if t.Space != nil && q.out.Tablespaces[*t.Space] != nil && q.out.Tablespaces[*t.Space].File != nil {
			return *q.out.Tablespaces[*t.Space].File
		}
		return 0
	}
	slices.SortStableFunc(tables, func(a, b *Table) int { return cmp.Compare(size(b), size(a)) })
	var names [][2]string
	for _, t := range tables[:min(n, len(tables))] {
		names = append(names, [2]string{t.Schema, t.Name})
	}
	return names
}

// among is a condition that holds for the named tables. Names are written in hexadecimal, which reads the same under every
// sql_mode and character set.
func among(names [][2]string) string {
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = fmt.Sprintf("(_utf8mb4 X'%x', _utf8mb4 X'%x')", name[0], name[1])
	}
	if len(pairs) == 0 {
		return "1 = 0"
	}
	return "(TABLE_SCHEMA, TABLE_NAME) IN (" + strings.Join(pairs, ", ") + ")"
}

func (q *questions) defined(ctx context.Context, condition string) error {
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE IS NOT NULL" +
		" AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema') AND " + condition
	partitions := q.partitions()
	seen := 0
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var schema, name, engine, comment string
		if err := row(&schema, &name, &engine, &comment); err != nil {
			return err
		}
		seen++
		tables := partitions[[2]string{schema, name}]
		if len(tables) == 0 && (engine != "InnoDB" || q.blind()) {
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

// Of these engines a table takes no room of its own, whatever its DATA_LENGTH says: it is in memory, is other tables, is on another
// server, or is nowhere.
var stateless = []string{"MEMORY", "MRG_MYISAM", "FEDERATED", "SPIDER", "BLACKHOLE", "PERFORMANCE_SCHEMA", "SEQUENCE"}

// inFiles are the engines whose files say as much as the server does.
var inFiles = []string{"MYISAM", "ARIA", "ARCHIVE"}

// files says whether the files of the server's data folder are read as well.
func (q *questions) files() bool { return q.o.Files != nil && q.o.Files(q.out.Variables["datadir"]) }

// otherEngines asks for the sizes of what is not InnoDB's: their tables are opened, by name, and the dictionary's cache is not
// written.
func (q *questions) otherEngines(ctx context.Context) error {
	asked := 0
	files := q.files()
	for _, t := range q.out.Tables {
		if slices.Contains(stateless, strings.ToUpper(t.Engine)) || files && slices.Contains(inFiles, strings.ToUpper(t.Engine)) {
			continue
		}
		if t.Engine == "InnoDB" && (!q.blind() || t.Data != nil) || strings.HasPrefix(t.Schema, "mysql") {
			continue
		}
		if asked++; asked > q.most() {
			help := "read the files with --datadir"
			if q.blind() {
				help += ", or " + grantProcess
			}
			q.hide(fmt.Sprintf("sizes of more than %d tables that InnoDB's dictionary does not show: each would be opened", q.most()), help)
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

// blind says whether InnoDB's dictionary is hidden: tables are then known by the names that the account may see, and their sizes
// by opening them.
func (q *questions) blind() bool { return !q.seen }

// most bounds the tables that are opened: MySQL is promised few.
func (q *questions) most() int {
	if q.blind() {
		return 100
	}
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
