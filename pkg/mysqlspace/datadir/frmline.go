package datadir

import (
	"cmp"
	"slices"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// oneLine removes the lines that definitions without a data file gave for tables of a shared tablespace, which have a line of
// it as well: that takes what only the definition says.
func oneLine(items []space.Item) []space.Item {
	type name struct{ schema, table string }
	defined, twice := make(map[name]space.Item), make(map[name]bool)
	for i := range items {
		if item := &items[i]; definedAlone(item) {
			defined[name{item.Schema, item.Table}] = *item
		}
	}
	for i := range items {
		item := &items[i]
		n := name{item.Schema, item.Table}
		d, found := defined[n]
		if !found || definedAlone(item) {
			continue
		}
		twice[n] = true
		item.Comment, item.RowFormat = cmp.Or(item.Comment, d.Comment), cmp.Or(item.RowFormat, d.RowFormat)
	}
	return slices.DeleteFunc(items, func(i space.Item) bool { return definedAlone(&i) && twice[name{i.Schema, i.Table}] })
}

// definedAlone says whether a line is of an InnoDB table's definition, without any data.
func definedAlone(i *space.Item) bool { return i.Engine == "InnoDB" && i.File == "" && i.Space == nil }
