package datadir

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/innodb/sdi"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// catalog is what dictionaries say: MariaDB's, which is in the system tablespace and read before the tables, and MySQL's,
// which is in each tablespace and read with it.
type catalog struct {
	dictionary *innodb.Dictionary // nil for MySQL 8 and later, and where it cannot be read

	mu      sync.Mutex
	tables  map[uint64]TableName // by InnoDB's id: those that full-text indexes may belong to
	indexes map[uint64]string    // names by id: of partitions, whose names the first of them has
}

// catalog reads the dictionary of the system tablespace, if it has one.
func (t *Tree) catalog(ctx context.Context) (*catalog, []error) {
	c := &catalog{tables: make(map[uint64]TableName), indexes: make(map[uint64]string)}
	for i := range t.Files {
		f := &t.Files[i]
		if f.Kind != SystemFirst || f.odd {
			continue
		}
		d, err := t.dictionary(ctx, f)
		if errors.Is(err, innodb.ErrNoDictionary) || vanished(err) {
			return c, nil
		}
		if err != nil {
			return c, []error{pathError(f, err)}
		}
		c.dictionary = d
		for k := range d.Tables {
			c.tables[d.Tables[k].ID] = DictionaryName(d.Tables[k].Name)
		}
		return c, nil
	}
	return c, nil
}

func (t *Tree) dictionary(ctx context.Context, f *File) (d *innodb.Dictionary, err error) {
	file, err := open(t.abs(f.Path))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	s, err := innodb.Open(file, f.Apparent)
	if err != nil {
		return nil, err
	}
	return innodb.ReadDictionary(ctx, s)
}

// described is what a dictionary says of one tablespace.
type described struct {
	definition Definition
	known      bool // definition is from here
	fulltext   bool
	autoextend uint32
	document   *sdi.Document // MySQL's
}

// describe names the indexes of a tablespace, and returns what the dictionary says of its table.
func (c *catalog) describe(ctx context.Context, s *innodb.Space, st *innodb.Structure) (described, error) {
	if c.dictionary != nil {
		st.NameFrom(c.dictionary)
		return described{fulltext: c.hasFulltext(st)}, nil
	}
	if !st.Flags.SDI {
		return described{}, nil
	}
	d, err := s.SDI(ctx)
	if d == nil {
		d = &sdi.Document{}
	}
	if err != nil && st.Flags.Compressed {
		err = nil // it is compressed in a way that is not read: the definition is unknown, nothing is damaged
	}
	st.NameFromSDI(d)
	what := described{document: d, autoextend: uint32(d.Tablespace.Options.Uint("autoextend_size"))}
	c.learn(d)
	if len(d.Tables) == 1 {
		table := &d.Tables[0]
		what.known = true
		what.definition = Definition{Engine: table.Engine, Comment: table.Comment, RowFormat: rowFormat(int(table.RowFormat))}
		for i := range table.Indexes {
			what.fulltext = what.fulltext || table.Indexes[i].Type == sdiFulltext
		}
	}
	return what, err
}

// sdiFulltext is dd::Index::IT_FULLTEXT.
const sdiFulltext = 4

// learn keeps what other tablespaces need of a document.
func (c *catalog) learn(d *sdi.Document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range d.Tables {
		t := &d.Tables[i]
		c.tables[t.TableID] = TableName{Schema: t.Schema, Table: t.Name}
		if len(t.Partitions) == 0 {
			continue
		}
		t.Walk(func(_ string, _ uint64, index *sdi.Index) { c.indexes[index.ID] = index.Name })
	}
}

func (c *catalog) hasFulltext(st *innodb.Structure) bool {
	for i := range st.Indexes {
		table, _, found := c.dictionary.Index(st.Indexes[i].ID)
		if !found {
			continue
		}
		for k := range table.Indexes {
			if table.Indexes[k].Type&innodb.IndexFulltext != 0 {
				return true
			}
		}
	}
	return false
}

// attribute gives the tablespaces of full-text indexes to their tables, and indexes of partitions their names.
func (c *catalog) attribute(items []space.Item) {
	comments := make(map[[2]string]*space.Item)
	for i := range items {
		item := &items[i]
		if id, found := strings.CutPrefix(item.Index, unnamedIndex); found {
			if n, err := strconv.ParseUint(id, 10, 64); err == nil && c.indexes[n] != "" {
				item.Index = c.indexes[n]
			}
		}
		if isFulltext(item.Table) {
			c.auxiliary(item)
		}
		if item.Comment != "" {
			comments[[2]string{item.Schema, item.Table}] = item
		}
	}
	for i := range items {
		if known := comments[[2]string{items[i].Schema, items[i].Table}]; known != nil && items[i].Comment == "" {
			items[i].Comment = known.Comment
		}
	}
}

func (c *catalog) auxiliary(item *space.Item) {
	id, _ := FulltextOf(item.Table)
	parent, found := c.tables[id]
	if !found || parent.Schema != item.Schema {
		return
	}
	Attribute(item, parent.Table, parent.Partition)
}

// FulltextOf is InnoDB's id of the table whose full-text index an auxiliary table is part of, by its name; ok is false for
// the name of another table.
func FulltextOf(table string) (id uint64, ok bool) {
	if !isFulltext(table) {
		return 0, false
	}
	id, err := strconv.ParseUint(table[4:20], 16, 64)
	return id, err == nil
}

// Attribute makes the line of an auxiliary table one of the table, or partition, that has the full-text index: what it holds is
// index. Its rows stay its own.
func Attribute(item *space.Item, table, partition string) {
	item.Index, item.Table, item.Partition = item.Table, table, partition
	if item.DataBytes != nil && item.IndexBytes != nil {
		item.DataBytes, item.IndexBytes = new(int64(0)), new(*item.DataBytes+*item.IndexBytes)
	}
}

// unnamedIndex stands before the id of an index whose name is not known.
const unnamedIndex = "index "
