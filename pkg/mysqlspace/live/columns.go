package live

import (
	"context"
	"fmt"
	"slices"
)

// What PRTYPE of INNODB_SYS_COLUMNS says of a MariaDB column (data0type.h, DATA_VIRTUAL, DATA_VERS_START and DATA_VERS_END).
const (
	columnVirtual   = 8192
	columnVersioned = 16384 | 32768
)

// columns ask MariaDB for tables that a rebuild treats in another way. Its dictionary tells without opening them; MySQL has none
// of these kinds, and rebuilds indexes on virtual columns online.
func (q *questions) columns(ctx context.Context) error {
	if q.out.Flavour != "mariadb" {
		return nil
	}
	query := fmt.Sprintf("SELECT TABLE_ID, NAME, PRTYPE FROM %s WHERE PRTYPE & %d <> 0 OR POS = 0 AND NAME = 'next_not_cached_value'",
		q.innodb("COLUMNS"), columnVirtual|columnVersioned)
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var table, kind uint64
		var name string
		if err := row(&table, &name, &kind); err != nil {
			return err
		}
		t := q.byID[table]
		switch {
		case t == nil:
		case kind&columnVersioned != 0:
			t.Versioned = true
		case kind&columnVirtual != 0:
			t.VirtualKey = t.VirtualKey || slices.ContainsFunc(t.Indexes, func(x *Index) bool { return slices.Contains(x.Columns, name) })
		default:
			t.Sequence = true
		}
		return nil
	})
	return q.hidden(err, "system-versioned tables, and virtual columns", grantProcess)
}
