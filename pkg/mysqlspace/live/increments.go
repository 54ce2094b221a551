package live

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

func decode(name string) string { return innodb.DecodeName(name) }

func limit(what, help string) space.Limit { return space.Limit{What: what, Help: help} }

// maxAsked is how many tables are opened for the largest value of their AUTO_INCREMENT column.
const maxAsked = 4

// counter is a column with AUTO_INCREMENT.
type counter struct {
	*AutoIncrement
	table *Table
	known bool // Next is what InnoDB says, not a lower bound
}

func (c counter) share() float64 { return float64(c.Next) / float64(c.Max) }

// autoIncrements finds columns whose range runs out. InnoDB says the next value, in MariaDB only of tables that the server has
// opened since it started. Of the others the fullest are asked for their largest value; the rest is what their rows alone say, a
// lower bound. MySQL is not asked: to read a table made since its start for the first time, it commits and writes to the redo log.
func (q *questions) autoIncrements(ctx context.Context) error {
	all, err := q.counted(ctx)
	if err != nil {
		return q.hidden(err, "AUTO_INCREMENT columns", grantSelect)
	}
	if q.out.Flavour == "mysql" {
		return nil
	}
	unknown := slices.DeleteFunc(all, func(c counter) bool { return c.known })
	sort.SliceStable(unknown, func(i, j int) bool { return cmp.Compare(unknown[j].share(), unknown[i].share()) < 0 })
	for _, c := range unknown[:min(len(unknown), maxAsked)] {
		t := c.table
		query := fmt.Sprintf("SELECT GREATEST(0, MAX(%s)) FROM %s.%s", quote(c.Column), quote(t.Schema), quote(t.Name))
		err := q.s.Each(ctx, query, func(row func(...any) error) error {
			var largest *uint64
			if err := row(&largest); err != nil || largest == nil {
				return err
			}
			c.Next = *largest + 1
			return nil
		})
		if err := q.hidden(err, "the largest value of "+t.Schema+"."+t.Name+"."+c.Column, grantSelect); err != nil {
			return err
		}
	}
	return nil
}

// counted are the columns with AUTO_INCREMENT of those tables that matter.
func (q *questions) counted(ctx context.Context) ([]counter, error) {
	partitions := q.partitions()
	var all []counter
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS WHERE EXTRA LIKE '%auto_increment%' AND TABLE_SCHEMA NOT IN " +
		systemSchemas + " AND " + q.likely()
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var schema, name, column, kind string
		if err := row(&schema, &name, &column, &kind); err != nil {
			return err
		}
		if tables := partitions[[2]string{schema, name}]; len(tables) > 0 {
			all = append(all, counter{&AutoIncrement{Column: column, Type: kind, Max: largest(kind)}, tables[0], false})
		}
		return nil
	})
	if err == nil && len(all) > 0 && q.views() && !q.blind() {
		err = q.load(ctx)
	}
	for i := range all {
		all[i].resolve(partitions[[2]string{all[i].table.Schema, all[i].table.Name}], q.next)
	}
	return all, err
}

// resolve gives all partitions of a table the column, with the next value or a bound of it.
func (c *counter) resolve(tables []*Table, next map[*Table]uint64) {
	for _, t := range tables {
		t.AutoIncrement = c.AutoIncrement
		if next := next[t]; next > 0 {
			c.Next, c.known = max(c.Next, next), true
		}
	}
	if !c.known {
		c.atLeast(tables)
	}
}

// fewest is the number of values below which no column is short of them: half of what the smallest type, TINYINT, has.
const fewest = 63

// likely is a condition for the tables that may be short of values. It spares MariaDB the reading of every table's .frm file.
func (q *questions) likely() string {
	var names [][2]string
	for _, t := range q.out.Tables {
		if t.Engine != "InnoDB" || t.Rows == nil || *t.Rows > fewest || q.next[t] > fewest {
			names = append(names, [2]string{t.Schema, t.Name})
		}
	}
	if q.out.Flavour != "mariadb" || len(names) > maxNamed {
		return "1 = 1"
	}
	return among(names)
}

// atLeast takes the rows for the next value, which it is not below.
func (c counter) atLeast(tables []*Table) {
	for _, t := range tables {
		if t.Rows != nil {
			c.Next += uint64(max(0, *t.Rows))
		}
	}
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// largest is the largest value of an integer type, as COLUMN_TYPE writes it.
func largest(kind string) uint64 {
	name, _, _ := strings.Cut(strings.ToLower(kind), "(")
	name, _, _ = strings.Cut(name, " ")
	bits := map[string]uint{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[name]
	switch {
	case bits == 0: // float and double count exactly up to their mantissa
		return 1 << 53
	case strings.Contains(strings.ToLower(kind), "unsigned"):
		return math.MaxUint64 >> (64 - bits)
	}
	return math.MaxUint64 >> (65 - bits)
}
