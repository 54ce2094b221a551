package live

import (
	"context"
	"slices"
	"strings"
	"time"
)

// maxVerified is how many tables are looked at for prefixes of columns, which InnoDB's dictionary does not tell.
const maxVerified = 50

// advice looks for indexes that are superfluous or unused. A clustered, unique, full-text or spatial index is never advised
// against, nor one of a table with foreign keys: they may need it.
func (q *questions) advice(ctx context.Context) error {
	for _, found := range q.duplicates() {
		if len(q.out.Duplicates) == maxVerified {
			q.hide("more duplicate indexes than shown", "")
			break
		}
		whole, err := q.wholeColumns(ctx, found)
		if err != nil {
			return q.hidden(err, "prefixes of indexed columns", grantSelect)
		}
		if whole {
			q.out.Duplicates = append(q.out.Duplicates, found)
		}
	}
	return q.unused(ctx)
}

// duplicates are indexes whose columns begin those of another one.
func (q *questions) duplicates() []Duplicate {
	var all []Duplicate
	seen := map[[3]string]bool{}
	for _, t := range q.out.Tables {
		for _, x := range t.Indexes {
			key := [3]string{t.Schema, t.Name, x.Name}
			if by := x.coveredBy(t.Indexes); by != nil && !t.ForeignKeys && !seen[key] && !system(t.Schema) {
				seen[key] = true
				all = append(all, Duplicate{Schema: t.Schema, Table: t.Name, Index: x.Name, By: by.Name, Bytes: x.Bytes})
			}
		}
	}
	return all
}

// coveredBy finds the index that makes x superfluous. Of two alike the later one is.
func (x *Index) coveredBy(all []*Index) *Index {
	if x.Kind != 0 || len(x.Columns) == 0 || strings.HasPrefix(x.Name, "FTS_") {
		return nil
	}
	for _, by := range all {
		if by == x || by.Kind&(kindFulltext|kindSpatial) != 0 || len(by.Columns) < len(x.Columns) || !slices.Equal(by.Columns[:len(x.Columns)], x.Columns) {
			continue
		}
		if len(by.Columns) > len(x.Columns) || by.Kind != 0 || by.ID < x.ID {
			return by
		}
	}
	return nil
}

// wholeColumns says whether neither index of a pair holds only the beginning of a column.
func (q *questions) wholeColumns(ctx context.Context, d Duplicate) (bool, error) {
	whole := true
	query := "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME IN (?, ?) AND (SUB_PART IS NOT NULL OR COLLATION = 'D')"
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var parts int
		err := row(&parts)
		whole = parts == 0
		return err
	}, d.Schema, d.Table, d.Index, d.By)
	return whole, err
}

// minUptime is how long a server has to have counted before an index counts as unused.
const minUptime = 24 * time.Hour

// unused reads the performance schema's counters of index use, or MariaDB's INDEX_STATISTICS. They begin anew with the server.
func (q *questions) unused(ctx context.Context) error {
	if !q.out.On("performance_schema") {
		q.hide("unused indexes: the performance schema is off", "performance_schema=ON, and a restart")
		return nil
	}
	if q.out.Uptime < minUptime {
		q.hide("unused indexes: the server has counted for "+q.out.Uptime.String()+" only", "ask again after a day, and after a month's end")
		return nil
	}
	byIndex := map[[3]string]*Index{}
	for _, t := range q.out.Tables {
		for _, x := range t.Indexes {
			if x.Kind == 0 && !t.ForeignKeys && !system(t.Schema) {
				byIndex[[3]string{t.Schema, t.Name, x.Name}] = x
			}
		}
	}
	query := "SELECT OBJECT_SCHEMA, OBJECT_NAME, INDEX_NAME FROM performance_schema.table_io_waits_summary_by_index_usage WHERE INDEX_NAME IS NOT NULL AND COUNT_STAR = 0" +
		" AND OBJECT_SCHEMA NOT IN " + systemSchemas
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var schema, table, index string
		if err := row(&schema, &table, &index); err != nil {
			return err
		}
		if x := byIndex[[3]string{schema, table, index}]; x != nil {
			q.out.Unused = append(q.out.Unused, Unused{Schema: schema, Table: table, Index: index, Bytes: x.Bytes})
		}
		return nil
	})
	return q.hidden(err, "unused indexes", "GRANT SELECT ON performance_schema.* TO ...")
}

func system(schema string) bool {
	return slices.Contains([]string{"mysql", "information_schema", "performance_schema", "sys"}, schema)
}

// Managed says whether the server runs where its files cannot be had, as far as its own variables tell, and as what.
func (s *Snapshot) Managed() (string, bool) {
	for variable, name := range map[string]string{"aurora_version": "Amazon Aurora", "rds_backup": "Amazon RDS"} {
		if _, there := s.Variables[variable]; there {
			return name, true
		}
	}
	basedir := s.Variables["basedir"] + s.Variables["datadir"]
	for part, name := range map[string]string{"/rdsdbbin": "Amazon RDS", "/rdsdbdata": "Amazon RDS", "azure": "Azure Database", "cloudsql": "Cloud SQL"} {
		if strings.Contains(basedir, part) {
			return name, true
		}
	}
	return "", false
}
