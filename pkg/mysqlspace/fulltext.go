package mysqlspace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// attribute gives auxiliary tables of full-text indexes to their tables where only the server knows them: a new table's file
// says nothing before it is first written.
func attribute(items []space.Item, snap *live.Snapshot) {
	byID := make(map[uint64]*live.Table)
	for _, t := range snap.Tables {
		if t.Fulltext {
			byID[t.ID] = t
		}
	}
	for i := range items {
		if id, ok := datadir.FulltextOf(items[i].Table); ok && byID[id] != nil {
			datadir.Attribute(&items[i], byID[id].Name, byID[id].Partition)
		}
	}
}

// auxiliary tells whether an item is an auxiliary table of a full-text index, be it known whose or not.
func auxiliary(i *space.Item) bool {
	_, ofIndex := datadir.FulltextOf(i.Index)
	_, ofNobody := datadir.FulltextOf(i.Table)
	return ofIndex || ofNobody
}

// outdated raises what a rebuild may free of auxiliary tables by the words of documents that were deleted: an index keeps them, and
// their ids in FTS_*_DELETED, until it is made anew (fts0fts.cc, fts_delete), so that its pages hold no deleted records.
func outdated(items []space.Item) {
	present, deleted := make(map[nameOf]int64), make(map[nameOf]int64)
	for i := range items {
		switch item := &items[i]; {
		case item.Rows == nil:
		case item.Index == "":
			present[owner(item)] = *item.Rows
		case auxiliary(item) && strings.HasSuffix(strings.ToUpper(item.Index), "_DELETED"):
			deleted[owner(item)] += *item.Rows
		}
	}
	for i := range items {
		item := &items[i]
		gone := deleted[owner(item)]
		if gone <= 0 || !auxiliary(item) || item.FileBytes == nil || item.ReclaimableHighBytes == nil {
			continue
		}
		left := float64(*item.FileBytes - *item.ReclaimableHighBytes)
		if item.Fill != nil && item.IndexBytes != nil { // a small file grows by pages, the large one grew by extents
			left = min(left, *item.Fill*float64(*item.IndexBytes))
		}
		left *= float64(present[owner(item)]) / float64(present[owner(item)]+gone)
		item.ReclaimableHighBytes = new(*item.FileBytes - int64(left))
	}
}

// owner is the table or partition whose line an item belongs to.
func owner(i *space.Item) nameOf { return nameOf{i.Schema, i.Table, i.Partition, ""} }

// foldFulltext adds auxiliary tables of full-text indexes to the lines of their tables; together, with by "index", they keep lines
// of their own as indexes. Nobody can rebuild one by itself: a rebuild of the table makes them anew, and what that frees of them is
// in the upper bound of the table alone, as in the plan of package reclaim. One whose table is not known is still a line, without a
// prediction.
func foldFulltext(items []space.Item, by string) []space.Item {
	tables := make(map[nameOf]int, len(items))
	for i := range items {
		if items[i].Index == "" {
			tables[owner(&items[i])] = i
		}
	}
	parts := make(map[int][]space.Item)
	kept := make([]bool, len(items))
	for i := range items {
		kept[i] = true
		if !auxiliary(&items[i]) {
			continue
		}
		high := unpredicted(&items[i])
		items[i].Rows = nil // which are words, and none of the table's
		delete(items[i].Figures, "rows")
		at, found := tables[owner(&items[i])]
		if !found || at == i {
			continue
		}
		if t := &items[at]; t.ReclaimableHighBytes != nil {
			t.ReclaimableHighBytes = new(*t.ReclaimableHighBytes + high)
		}
		if by != "index" {
			parts[at], kept[i] = append(parts[at], items[i]), false
		}
	}
	all := make([]space.Item, 0, len(items))
	for i := range items {
		if more := parts[i]; len(more) > 0 {
			items[i] = withFulltext(items[i], more)
		}
		if kept[i] {
			all = append(all, items[i])
		}
	}
	return all
}

// unpredicted takes the prediction from an item, and returns what a rebuild could free of it at most, 0 where that is not known.
func unpredicted(i *space.Item) (high int64) {
	if i.ReclaimableHighBytes != nil {
		high = max(0, *i.ReclaimableHighBytes)
	}
	i.ReclaimableBytes, i.ReclaimableLowBytes, i.ReclaimableHighBytes, i.Method = nil, nil, nil, ""
	i.Figures = maps.Clone(i.Figures)
	delete(i.Figures, "reclaimableBytes")
	return high
}

// withFulltext is a table's line with its auxiliary tables in its figures. A figure of the server's has them already.
func withFulltext(table space.Item, parts []space.Item) space.Item {
	if _, said := table.Figures["indexBytes"]; said {
		for i := range parts {
			parts[i].IndexBytes, parts[i].TotalBytes = nil, parts[i].FreeBytes
		}
	}
	sum := space.Total(append([]space.Item{table}, parts...), table.Schema, table.Table, table.Partition)
	sum.Engine, sum.Comment, sum.RowFormat, sum.Method = table.Engine, table.Comment, table.RowFormat, table.Method
	sum.File, sum.Space = table.File, table.Space
	sum.Notes = append(slices.Clone(table.Notes), fmt.Sprintf("with %d files of its full-text indexes, which a rebuild makes anew", len(parts)))
	return sum
}
