package test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// table is one to measure on: how it is made, filled, and then thinned out. NAME stands for its name in statements.
type table struct {
	class            string
	columns, options string
	values           string // of a row, from seq, which counts from 1
	order            string // of the rows that are inserted, "" for seq
	rows             int
	damage           []string
	shared           bool // it is in a general tablespace
	fulltext, sparse bool // sparse: its pages are written with holes behind them
}

func (t *table) statements(name string) string {
	order := t.order
	if order == "" {
		order = "seq"
	}
	all := []string{
		fmt.Sprintf("create table NAME (%s) %s", t.columns, t.options),
		fmt.Sprintf("insert into NAME select %s from (select seq from seq order by seq limit %d) s order by %s", t.values, t.rows, order),
	}
	if t.shared {
		all = append([]string{"create tablespace NAMEs add datafile 'NAMEs.ibd'"}, all...)
	}
	return strings.ReplaceAll(strings.Join(append(all, t.damage...), ";\n"), "NAME", name)
}

// text is a SQL expression for n characters that differ from row to row, of which a compressor makes little.
func text(seed uint64, n string) string {
	return fmt.Sprintf("left(concat(sha2(concat(seq,%d),512),sha2(concat(%d,seq),512),sha2(concat('a',seq,%d),512)),%s)", seed, seed, seed, n)
}

// chance is a SQL expression: a number below 1 that a row always has.
func chance(of string, seed uint64) string {
	return fmt.Sprintf("(conv(left(sha2(concat(%s,'-',%d),256),6),16,10)/16777216)", of, seed)
}

// randomRows deletes a share of rows.
func randomRows(share float64, seed uint64) string {
	return fmt.Sprintf("delete from NAME where %s < %.2f", chance("id", seed), share)
}

// tableOf makes a table of a class, for a server whose pages have so many bytes.
func tableOf(class string, pageSize int, r *rand.Rand) *table {
	s := r.Uint64N(1e6)
	t := &table{
		class: class, columns: "id int primary key, a int, b char(40), c varchar(200), key k1 (a), key k2 (b)",
		options: "charset latin1", rows: 1000 + r.IntN(numberOfCases(12000, 20000, 60000)), damage: []string{randomRows(0.2+0.6*r.Float64(), s)},
	}
	t.values = fmt.Sprintf("seq, floor(%s*1e6), %s, %s", chance("seq", s+1), text(s, "40"), text(s+2, fmt.Sprintf("10+floor(%s*180)", chance("seq", s+3))))
	switch class {
	case "random":
	case "range":
		from := r.IntN(t.rows)
		t.damage = []string{fmt.Sprintf("delete from NAME where id between %d and %d", from, from+t.rows/2)}
	case "uuid":
		t.columns = "id char(36) primary key, a int, c varchar(150), key k1 (a)"
		t.values = fmt.Sprintf("%s, seq, %s", text(s, "36"), text(s+1, "100"))
		t.order, t.damage = chance("seq", s), nil
	case "mixed":
		t.order = chance("seq", s+7)
		t.damage = append(t.damage, "update NAME set c = left(concat(c, 'yyyyyyyyyyyyyyyyyyyy'), 200) where id % 3 = 0", fmt.Sprintf("delete from NAME where id < %d", t.rows/4))
	case "lob":
		t.columns, t.rows = "id int primary key, a int, b longblob, key k1 (a)", 50+r.IntN(400)
		t.values = fmt.Sprintf("seq, floor(%s*1e6), repeat(%s, 10+floor(%s*%d))", chance("seq", s+1), text(s, "100"), chance("seq", s+2), 100+r.IntN(1000))
	case "secondary":
		t.columns = "id int primary key, a int, b char(40), c varchar(200), key k1 (a), key k2 (b), key k3 (c), key k4 (a, c), key k5 (b, a)"
		t.rows = 1000 + r.IntN(15000)
	case "partitions":
		t.options += " partition by hash (id) partitions 4"
	case "fulltext":
		t.fulltext, t.rows = true, 500+r.IntN(4000)
		t.columns = "id int primary key, a int, b char(40), c varchar(400), key k1 (a), fulltext f (c)"
		t.values = fmt.Sprintf("seq, floor(%s*1e6), %s, concat_ws(' ', %s, %s, 'common words')", chance("seq", s+1), text(s, "40"), text(s+2, "6"), text(s+3, "150"))
	case "compressed":
		t.options += fmt.Sprintf(" row_format=compressed key_block_size=%d", min(8, pageSize>>10)>>r.IntN(2))
	case "page-compressed":
		t.sparse = true
		t.options += " page_compressed=1"
	case "general":
		t.shared = true
		t.options += " tablespace NAMEs"
	case "redundant":
		t.options += " row_format=redundant"
	case "small":
		t.rows = 10 + r.IntN(1500)
	case "growing":
		t.columns = "id int primary key, a int, c varchar(3000), key k1 (a)"
		t.values = fmt.Sprintf("seq, seq div 10, repeat(%s, floor(%s*20))", text(s, "100"), chance("seq", s+3))
		t.rows = 500 + r.IntN(5000)
	}
	return t
}
