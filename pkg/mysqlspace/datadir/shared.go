package datadir

import (
	"context"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/innodb/sdi"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// owner is whose an index in a shared tablespace is.
type owner struct {
	table     TableName
	comment   string
	rowFormat string
}

// owners are those of a shared tablespace's indexes, by id: from MySQL's document of it, or from MariaDB's dictionary, which
// has its own tables there as well, without a schema.
func (c *catalog) owners(st *innodb.Structure, what described) map[uint64]owner {
	owners := make(map[uint64]owner)
	if what.document != nil {
		for i := range what.document.Tables {
			t := &what.document.Tables[i]
			t.Walk(func(partition string, _ uint64, index *sdi.Index) {
				owners[index.ID] = owner{TableName{Schema: t.Schema, Table: t.Name, Partition: partitionName(partition)}, t.Comment, rowFormat(int(t.RowFormat))}
			})
		}
		return owners
	}
	if c.dictionary == nil {
		return owners
	}
	for i := range st.Indexes {
		if t, index, found := c.dictionary.Index(st.Indexes[i].ID); found && index.SpaceID == st.SpaceID {
			if name := DictionaryName(t.Name); name.Schema != "." {
				owners[index.ID] = owner{table: name}
			}
		}
	}
	return owners
}

// shared reads a tablespace of several tables: a line for each of them, and one for the file with its free pages, which are
// everybody's and counted once. A rebuild of one table does not shrink the file, so that nothing is predicted.
func (r *reader) shared(ctx context.Context, s *innodb.Space, st *innodb.Structure, what described, item space.Item) []space.Item {
	owners := r.catalog.owners(st, what)
	size := int64(st.Flags.PhysicalSize)
	samples := r.sample(ctx, s, st, &item)
	at := make(map[TableName]int)
	var lines []space.Item
	var all int64
	for i := range st.Indexes {
		x := &st.Indexes[i]
		o, known := owners[x.ID]
		bytes := (int64(x.Leaf.Used) + int64(x.Internal.Used)) * size
		all += bytes
		if !known {
			continue // InnoDB's own, or SDI
		}
		k, seen := at[o.table]
		if !seen || r.options.ByIndex {
			k = len(lines)
			lines = append(lines, r.ownedLine(&item, o))
		}
		at[o.table] = k
		line := &lines[k]
		if seen {
			*line.IndexBytes += bytes
		} else {
			*line.DataBytes += bytes
		}
		*line.TotalBytes += bytes
		if r.options.ByIndex {
			line.Index = nameOf(x, !seen)
		}
		if i < len(samples) && (!seen || r.options.ByIndex) {
			line.Fill = fillOf(samples[i])
			r.rows(line, samples[i])
		}
	}
	if len(lines) == 0 && item.Schema == "" && what.document == nil {
		return nil // a system tablespace without tables of people's
	}
	free := max(0, min(freePages(st)*size, int64(st.FilePages)*size-all))
	item.DataBytes, item.IndexBytes, item.FreeBytes, item.TotalBytes = new(int64(0)), new(int64(0)), new(free), new(free)
	return append(lines, item)
}

// ownedLine is a table's line in a shared tablespace.
func (r *reader) ownedLine(file *space.Item, o owner) space.Item {
	return space.Item{
		Schema: o.table.Schema, Table: o.table.Table, Partition: o.table.Partition, Engine: "InnoDB", Comment: o.comment, RowFormat: o.rowFormat,
		Source: space.FromFile, AsOf: r.options.Now, Space: file.Space, File: file.File,
		DataBytes: new(int64(0)), IndexBytes: new(int64(0)), TotalBytes: new(int64(0)),
		Notes: []string{"in the shared tablespace " + file.File + ", whose free pages have a line of their own"},
	}
}

// freePages are pages that no segment has, and those that segments hold in reserve.
func freePages(st *innodb.Structure) int64 {
	free := int64(st.FreePages)
	for _, g := range st.Segments {
		free += int64(g.Reserved - min(g.Used, g.Reserved))
	}
	return free
}
