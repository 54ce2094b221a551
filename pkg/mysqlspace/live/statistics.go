package live

import (
	"context"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
)

const grantStatistics = "GRANT SELECT ON mysql.innodb_table_stats TO ...; GRANT SELECT ON mysql.innodb_index_stats TO ..."

// statistics are those that ANALYZE and the server's own thread store, with their age.
func (q *questions) statistics(ctx context.Context) error {
	what := "stored statistics: rows, data and index bytes of tables"
	err := q.s.Each(ctx, "SELECT database_name, table_name, UNIX_TIMESTAMP(last_update), n_rows, clustered_index_size, sum_of_other_index_sizes FROM mysql.innodb_table_stats",
		func(row func(...any) error) error {
			var schema, name string
			var age float64
			var rows, clustered, other int64
			if err := row(&schema, &name, &age, &rows, &clustered, &other); err != nil {
				return err
			}
			t := q.named(schema, name)
			t.Rows, t.Data, t.Index, t.Age = &rows, q.bytes(t, clustered), q.bytes(t, other), time.Unix(int64(age), 0).UTC()
			return nil
		})
	if err != nil {
		return q.hidden(err, what, grantStatistics)
	}
	err = q.s.Each(ctx, "SELECT database_name, table_name, index_name, stat_value FROM mysql.innodb_index_stats WHERE stat_name = 'size'",
		func(row func(...any) error) error {
			var schema, name, index string
			var pages int64
			if err := row(&schema, &name, &index, &pages); err != nil {
				return err
			}
			t := q.named(schema, name)
			for _, x := range t.Indexes {
				if x.Name == index {
					x.Bytes = q.bytes(t, pages)
				}
			}
			return nil
		})
	return q.hidden(err, "stored statistics of indexes", grantStatistics)
}

// named finds a table by the name that statistics have: decoded, but with #P# where partitions begin. Where the dictionary is
// hidden it is a table that only they know; one that does not matter is a table that nobody keeps.
func (q *questions) named(schema, name string) *Table {
	partition := datadir.DictionaryName("x/" + name)
	key := [3]string{schema, partition.Table, lower(partition.Partition)}
	if t := q.byName[key]; t != nil {
		return t
	}
	t := &Table{Schema: schema, Name: partition.Table, Partition: partition.Partition, Engine: "InnoDB", Place: "own"}
	if q.blind() {
		q.add(t)
	}
	return t
}

// sizes derives what is free: the file less the pages that statistics count, never less than none. A shared tablespace is no
// table's.
func (q *questions) sizes() {
	users := map[uint32]int{}
	for _, t := range q.out.Tables {
		if t.Space != nil {
			users[*t.Space]++
		}
	}
	for _, t := range q.out.Tables {
		if t.Space == nil || t.Place != "own" || users[*t.Space] > 1 {
			continue
		}
		if file := q.out.Tablespaces[*t.Space]; file != nil {
			t.File, t.Allocated = file.File, file.Allocated
		}
		if t.File != nil && t.Data != nil && t.Index != nil {
			t.Free = new(max(0, *t.File-*t.Data-*t.Index))
		}
		q.addFulltext(t)
	}
}

// addFulltext adds the files of a table's full-text indexes.
func (q *questions) addFulltext(t *Table) {
	for _, id := range q.auxiliary[t.ID] {
		file := q.out.Tablespaces[id]
		if file == nil || file.File == nil || file.Allocated == nil || t.File == nil || t.Allocated == nil {
			continue
		}
		t.File, t.Allocated = new(*t.File+*file.File), new(*t.Allocated+*file.Allocated)
		if t.Index != nil {
			t.Index = new(*t.Index + *file.File)
		}
	}
}
