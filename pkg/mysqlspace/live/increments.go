package live

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

func decode(name string) string { return innodb.DecodeName(name) }

func limit(what, help string) space.Limit { return space.Limit{What: what, Help: help} }

// maxAsked is how many tables are opened for the largest value of their AUTO_INCREMENT column.
const maxAsked = 4

// autoIncrements finds columns whose range runs out. The next value itself is not had without opening the table, so that only
// those tables are asked whose rows, or whose type, make it likely; the rest is what the rows alone say, a lower bound.
func (q *questions) autoIncrements(ctx context.Context) error {
	partitions := q.partitions()
	type candidate struct {
		tables []*Table
		share  float64
	}
	var all []candidate
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS WHERE EXTRA LIKE '%auto_increment%' AND TABLE_SCHEMA NOT IN " + systemSchemas
	err := q.s.Each(ctx, query, func(row func(...any) error) error {
		var schema, name, column, kind string
		if err := row(&schema, &name, &column, &kind); err != nil {
			return err
		}
		tables := partitions[[2]string{schema, name}]
		if len(tables) == 0 {
			return nil
		}
		a := &AutoIncrement{Column: column, Type: kind, Max: largest(kind)}
		for _, t := range tables {
			t.AutoIncrement = a
			if t.Rows != nil {
				a.Next += uint64(max(0, *t.Rows))
			}
		}
		all = append(all, candidate{tables, float64(a.Next) / float64(a.Max)})
		return nil
	})
	if err != nil {
		return q.hidden(err, "AUTO_INCREMENT columns", grantSelect)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.share, a.share) })
	for _, c := range all[:min(len(all), maxAsked)] {
		t := c.tables[0]
		query := fmt.Sprintf("SELECT MAX(%s) FROM %s.%s", quote(t.AutoIncrement.Column), quote(t.Schema), quote(t.Name))
		err := q.s.Each(ctx, query, func(row func(...any) error) error {
			var largest *uint64
			if err := row(&largest); err != nil || largest == nil {
				return err
			}
			t.AutoIncrement.Next = *largest + 1
			return nil
		})
		if err := q.hidden(err, "the largest value of "+t.Schema+"."+t.Name+"."+t.AutoIncrement.Column, grantSelect); err != nil {
			return err
		}
	}
	return nil
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
