package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlconn"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// questions are asked one after the other.
type questions struct {
	s   Session
	o   Options
	out *Snapshot

	byID   map[uint64]*Table
	byName map[[3]string]*Table // schema, table, partition
	// auxiliary are the tablespaces of full-text indexes, by the id of the table that has them.
	auxiliary map[uint64][]uint32
	next      map[*Table]uint64 // AUTO_INCREMENT's
	seen      bool              // InnoDB's tables, with their tablespaces
	pages     int64             // bytes of a page
}

// bytes of some pages of a table.
func (q *questions) bytes(t *Table, pages int64) *int64 {
	if t.compressed > 0 {
		return new(pages * t.compressed)
	}
	return new(pages * q.pages)
}

// hidden notes what could not be seen, and passes other errors on. A table or column that the server does not have is as good
// as hidden.
func (q *questions) hidden(err error, what, help string) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, mysqlconn.ErrPrivilege) && !errors.Is(err, mysqlconn.ErrDenied) && !errors.Is(err, mysqlconn.ErrNoSuch) {
		return fmt.Errorf("asking for %s: %w", what, err)
	}
	if errors.Is(err, mysqlconn.ErrNoSuch) {
		help = ""
	}
	q.out.Limits = append(q.out.Limits, space.Limit{What: what, Help: help})
	return nil
}

const systemSchemas = "('mysql', 'information_schema', 'performance_schema', 'sys')"

// server asks for variables and a few counters.
func (q *questions) server(ctx context.Context) error {
	var name, value string
	err := q.s.Each(ctx, "SHOW GLOBAL VARIABLES", func(row func(...any) error) error {
		if err := row(&name, &value); err != nil {
			return err
		}
		q.out.Variables[strings.ToLower(name)] = value
		return nil
	})
	if err != nil {
		return fmt.Errorf("asking for variables: %w", err)
	}
	v := q.out.Variables
	q.out.Version, q.out.Flavour = v["version"], "mysql"
	if strings.Contains(strings.ToLower(v["version"]+v["version_comment"]), "mariadb") {
		q.out.Flavour = "mariadb"
	}
	q.pages = q.out.Bytes("innodb_page_size", 16<<10)
	return q.s.Each(ctx, "SHOW GLOBAL STATUS WHERE Variable_name = 'Uptime'", func(row func(...any) error) error {
		if err := row(&name, &value); err != nil {
			return err
		}
		seconds, err := strconv.ParseInt(value, 10, 64)
		q.out.Uptime = time.Duration(seconds) * time.Second
		return err
	})
}

// Bytes is a variable that holds a size; otherwise where it is none.
func (s *Snapshot) Bytes(variable string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(s.Variables[variable], 10, 64); err == nil {
		return n
	}
	return otherwise
}

// On says whether a switch is on.
func (s *Snapshot) On(variable string) bool {
	return slices.Contains([]string{"on", "1", "yes", "true"}, strings.ToLower(s.Variables[variable]))
}

// innodb is the name of a dictionary table: MySQL 8 left "SYS_" out.
func (q *questions) innodb(name string) string {
	if q.out.Flavour == "mariadb" || strings.HasPrefix(q.out.Version, "5.") {
		return "information_schema.INNODB_SYS_" + name
	}
	return "information_schema.INNODB_" + name
}

// column is a column where the table has it, else NULL.
func column(columns map[string]bool, name string) string {
	if columns[strings.ToLower(name)] {
		return name
	}
	return "NULL"
}

const grantProcess = "GRANT PROCESS ON *.* TO ..."
