// Package mysqlspace says what uses the space of a MySQL or MariaDB server, and what a rebuild would free.
package mysqlspace

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Selection says which items of a report are shown, summed by what, and in which order. The zero value takes all tables.
type Selection struct {
	// By is "server", "schema", "table" (also ""), "partition" or "index".
	By string
	// Schema and Table are names, in which * stands for any characters; "" takes all.
	Schema, Table string
	MinSize       int64  // of what Size says
	Sort          string // "total" (also ""), "data", "index", "free" or "reclaimable": the largest first
	Top           int    // 0 takes all

	// apart leaves auxiliary tables of full-text indexes in lines of their own, with what was predicted of each: for plans.
	apart bool
}

// Bys and Sorts are what Selection.By and Selection.Sort may be.
func Bys() []string { return []string{"server", "schema", "table", "partition", "index"} }

// Sorts are the orders, the default first.
func Sorts() []string { return []string{"total", "data", "index", "free", "reclaimable"} }

// Check refuses what is no By or Sort, and negative limits.
func (s *Selection) Check() error {
	switch {
	case s.By != "" && !slices.Contains(Bys(), s.By):
		return fmt.Errorf("--by %q is none of %s", s.By, strings.Join(Bys(), ", "))
	case s.Sort != "" && !slices.Contains(Sorts(), s.Sort):
		return fmt.Errorf("--sort %q is none of %s", s.Sort, strings.Join(Sorts(), ", "))
	case s.Top < 0:
		return fmt.Errorf("--top must not be negative, as %d is", s.Top)
	}
	return nil
}

// Matches tells whether an item is of the schema and table.
func (s *Selection) Matches(schema, table string) bool {
	return matches(s.Schema, schema) && matches(s.Table, table)
}

// matches tells whether a name is one of a pattern's. SQL's wildcards are not: _ is in every other name, and meant.
func matches(pattern, name string) bool {
	if pattern == "" || pattern == name {
		return true
	}
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	rest, found := strings.CutPrefix(name, parts[0])
	if !found || last == 0 {
		return false
	}
	for _, part := range parts[1:last] {
		if _, rest, found = strings.Cut(rest, part); !found {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// Apply sums the report's items as By says, and leaves those that Selection chooses. Items come as tables without
// partitions and as partitions; for By "index" as indexes. Total is the sum of all that match.
func (s *Selection) Apply(r *space.Report) {
	items := slices.DeleteFunc(slices.Clone(r.Items), func(i space.Item) bool { return !s.Matches(i.Schema, i.Table) })
	r.By = cmp.Or(s.By, "table")
	if !s.apart {
		items = foldFulltext(items, s.By)
	}
	r.Total = space.Total(items, "", "", "")
	r.Items = s.sum(items)
	r.Shown = len(r.Items)
	r.Items = slices.DeleteFunc(r.Items, func(i space.Item) bool { return s.MinSize > 0 && Size(&i) < s.MinSize })
	sort.SliceStable(r.Items, func(i, j int) bool { return s.compare(r.Items[i], r.Items[j]) < 0 })
	if s.Top > 0 {
		r.Items = r.Items[:min(s.Top, len(r.Items))]
	}
}

// sum groups the items. What stands alone in its group stays as it is.
func (s *Selection) sum(items []space.Item) []space.Item {
	if s.By == "partition" || s.By == "index" {
		return items
	}
	type key struct{ schema, table string }
	groups, order := map[key][]space.Item{}, []key{}
	for i := range items {
		var k key
		switch s.By {
		case "server":
		case "schema":
			k = key{schema: items[i].Schema}
		default:
			k = key{items[i].Schema, items[i].Table}
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], items[i])
	}
	sums := make([]space.Item, 0, len(order))
	for _, k := range order {
		group := groups[k]
		if len(group) == 1 && k.table != "" && group[0].Partition == "" {
			sums = append(sums, group[0])
			continue
		}
		sum := space.Total(group, k.schema, k.table, "")
		if k.table != "" {
			sum.Comment, sum.Method = group[0].Comment, group[0].Method
		}
		sums = append(sums, sum)
	}
	return sums
}

// compare puts the largest first, what is not known last, and equals in the order of their names.
func (s *Selection) compare(a, b space.Item) int {
	return cmp.Or(cmp.Compare(s.figure(&b), s.figure(&a)), cmp.Compare(a.Name(), b.Name()))
}

// figure is what items are sorted by, -1 where it is not known.
func (s *Selection) figure(i *space.Item) int64 {
	var n *int64
	switch s.Sort {
	case "data":
		n = i.DataBytes
	case "index":
		n = i.IndexBytes
	case "free":
		n = i.FreeBytes
	case "reclaimable":
		n = i.ReclaimableBytes
	default:
		return Size(i)
	}
	if n == nil {
		return -1
	}
	return *n
}

// Size is how large an item is as far as that is known: data, indexes and free pages, or else its files; -1 where neither is.
func Size(i *space.Item) int64 {
	if n := cmp.Or(i.TotalBytes, i.FileBytes, i.AllocatedBytes); n != nil {
		return *n
	}
	return -1
}
