package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// database is a server to rebuild tables on.
type database struct {
	name, data string
	mariadb    bool
	pageSize   int
	sql        func(t *testing.T, text string) string
}

// settings leave out what only makes a server durable.
func settings(pageSize int) []string {
	return []string{fmt.Sprintf("--innodb-page-size=%d", pageSize), "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-stats-persistent=0"}
}

func database10(t *testing.T, pageSize int) *database {
	t.Helper()
	return newDatabase("MariaDB 10.11", true, pageSize, testpeers.RequireMariaDB(t, nil, settings(pageSize)...))
}

func database118(t *testing.T, pageSize int) *database {
	t.Helper()
	return newDatabase("MariaDB 11.8", true, pageSize, testpeers.RequireMariaDB118(t, settings(pageSize)...))
}

// databaseMySQL has its history counted as it is purged, not only when the log is cut off.
func databaseMySQL(t *testing.T, pageSize int, more ...string) *database {
	t.Helper()
	options := append(append(settings(pageSize), "--innodb-purge-rseg-truncate-frequency=1", "--disable-log-bin"), more...)
	return newDatabase("MySQL", false, pageSize, testpeers.RequireMySQL(t, options...))
}

func newDatabase(name string, mariadb bool, pageSize int, d *testpeers.Database) *database {
	return &database{
		name: name, data: d.Data, mariadb: mariadb, pageSize: pageSize,
		sql: func(t *testing.T, text string) string {
			t.Helper()
			out, err := d.SQL(t.Context(), text)
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimSpace(out)
		},
	}
}

// prepare makes the numbers that tables are filled from.
func (d *database) prepare(t *testing.T) {
	t.Helper()
	text := "create database m; use m; create table seq (seq int primary key) engine=innodb; insert into seq values (1);"
	for n := 1; n < 1<<16; n *= 2 {
		text += fmt.Sprintf("insert into seq select seq + %d from seq;", n)
	}
	d.sql(t, text)
}

// purge waits until nothing is left to purge; MariaDB has a statement for it.
func (d *database) purge(t *testing.T) {
	t.Helper()
	if d.mariadb {
		d.sql(t, "set global innodb_max_purge_lag_wait = 0")
		return
	}
	query := "select count, if(count > 0, sleep(0.1), 0) from information_schema.innodb_metrics where name = 'trx_rseg_history_len'"
	for !strings.HasPrefix(d.sql(t, query), "0\t") {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
}

// settle has all pages of a table in its files. A general tablespace cannot be exported: its pages are waited for.
func (d *database) settle(t *testing.T, table string, shared bool) {
	t.Helper()
	if !shared {
		d.sql(t, "use m; flush tables "+table+" for export")
		return
	}
	d.sql(t, "set global innodb_max_dirty_pages_pct = 0, global innodb_max_dirty_pages_pct_lwm = 0")
	query := "select variable_value, if(variable_value > 0, sleep(0.1), 0) from performance_schema.global_status where variable_name = 'Innodb_buffer_pool_pages_dirty'"
	for !strings.HasPrefix(d.sql(t, query), "0\t") {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
}

// files are those of a table, one for each partition, without what belongs to full-text indexes.
func (d *database) files(t *testing.T, table string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"m/" + table + ".ibd", "m/" + table + "#[pP]#*.ibd", table + "s.ibd"} {
		found, err := filepath.Glob(filepath.Join(d.data, pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	return out
}

// dataFree is what information_schema says could be had back.
func (d *database) dataFree(t *testing.T, table string) string {
	t.Helper()
	return d.sql(t, "select coalesce(sum(data_free),0) from information_schema.tables where table_schema = 'm' and table_name = '"+table+"'")
}
