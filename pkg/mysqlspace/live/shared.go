package live

import (
	"context"
	"errors"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// sharedFree takes the free pages from tables that share a tablespace, where InnoDB's dictionary is hidden: information_schema.TABLES
// says for each of them what is free in the whole file (DATA_FREE). MySQL lists the names of all tablespaces to everybody since 8.0.21
// (TABLESPACES_EXTENSIONS), and one of a table's own bears its name. MariaDB and older servers do not: there such tables can only be
// where innodb_file_per_table is off, and nothing free is told apart then.
func (q *questions) sharedFree(ctx context.Context) error {
	var tables []*Table
	for _, t := range q.out.Tables {
		if t.Engine == "InnoDB" && t.Space == nil && t.Free != nil {
			tables = append(tables, t)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	own, err := q.ownTablespaces(ctx)
	if err != nil && !errors.Is(err, mysqlconn.ErrNoSuch) {
		return q.hidden(err, "which tables share a tablespace", grantProcess)
	}
	if err == nil && own != nil {
		for _, t := range tables {
			if !own[t.Schema+"/"+t.Name] {
				t.Free, t.Place = nil, "general"
			}
		}
		return nil
	}
	if q.out.On("innodb_file_per_table") {
		return nil
	}
	for _, t := range tables {
		t.Free = nil
	}
	q.hide("free pages: innodb_file_per_table is off, and which tables share the system tablespace is not known", grantProcess)
	return nil
}

// ownTablespaces are the tables, as "schema/table", that have a tablespace of their own, or one for each partition; nil where the
// server has no such list.
func (q *questions) ownTablespaces(ctx context.Context) (map[string]bool, error) {
	if !q.views() {
		return nil, nil
	}
	own := map[string]bool{}
	return own, q.s.Each(ctx, "SELECT TABLESPACE_NAME FROM information_schema.TABLESPACES_EXTENSIONS", func(row func(...any) error) error {
		var name string
		if err := row(&name); err != nil {
			return err
		}
		name, _, _ = strings.Cut(name, "#p#")
		own[name] = true
		return nil
	})
}
