package datadir

import (
	"cmp"
	"context"
	"io/fs"
	"path"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/progress"
)

// TableOptions say what is read of tables.
type TableOptions struct {
	// ByIndex gives a line for each index, and one without an index for what else is in the file.
	ByIndex bool
	// Sample is the number of leaf pages that are read of an index, for rows, fill and the prediction; 0 for none.
	Sample int
	Seed   uint64
	// Match says which tables are read; nil for all.
	Match func(schema, table string) bool
	// Predict says what a rebuild leaves of a sampled tablespace; nil for no prediction.
	Predict func(*Sampled) (*rebuild.Prediction, error)
	// Now is the age of what is read.
	Now      time.Time
	Progress progress.Reporter // bytes of the files that were read
}

// Sampled is a tablespace with samples of its indexes, in the order of Structure.Indexes.
type Sampled struct {
	Structure *innodb.Structure
	Samples   []*innodb.Sample
	Bytes     int64 // st_size
	MariaDB   bool
	Table     rebuild.Table
}

// Tables are the tables and partitions of the data folder, without an order, and what was wrong with files: an error names
// its file. What could not be read of a table is absent from its figures. The error is ctx's.
func (t *Tree) Tables(ctx context.Context, o TableOptions) ([]space.Item, []error, error) {
	names, problems := t.catalog(ctx)
	r := &reader{tree: t, options: o, mariadb: t.MariaDB(), running: t.Running(), shelf: t.shelf(), catalog: names, problems: problems}
	var todo []int
	var total int64
	for i := range t.Files {
		if r.wanted(&t.Files[i]) {
			todo = append(todo, i)
			total += t.Files[i].Apparent
		}
	}
	// The large files first: otherwise the last worker is left with one of them.
	slices.SortFunc(todo, func(a, b int) int { return cmp.Compare(t.Files[b].Apparent, t.Files[a].Apparent) })
	rep := progress.OrNop(o.Progress)
	rep.Start(total)
	defer rep.Done()
	spaces := sync.Pool{New: func() any { return new(innodb.Space) }}
	err := forEach(ctx, t.options.workers(), len(todo), func(i int) {
		f := &t.Files[todo[i]]
		items, problems := r.read(ctx, &spaces, f)
		if err := r.define(f, items); err != nil {
			problems = append(problems, err)
		}
		r.add(items, problems)
		rep.Add(f.Apparent)
	})
	r.catalog.attribute(r.items)
	r.items = oneLine(r.items)
	sort.SliceStable(r.items, func(i, j int) bool {
		a, b := &r.items[i], &r.items[j]
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Index, b.Index)) < 0
	})
	return r.items, r.problems, err
}

// reader collects what workers read.
type reader struct {
	tree    *Tree
	options TableOptions
	mariadb bool
	running bool // a server has the files in use
	shelf   *shelf
	catalog *catalog

	mu       sync.Mutex
	items    []space.Item
	problems []error
}

func (r *reader) add(items []space.Item, problems []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(r.items, items...)
	r.problems = append(r.problems, problems...)
}

func (r *reader) wanted(f *File) bool {
	switch f.Kind {
	case General:
		return true // its tables are known when it is read
	case SystemFirst:
		return r.catalog.dictionary != nil
	case Tablespace, MyISAMIndex, AriaIndex, CSVData, ArchiveData:
	case FRM:
		if r.shelf.data[stem(f.Path)] {
			return false
		}
	default:
		return false
	}
	n := parseName(f.Path)
	if f.Category == space.Fulltext {
		n.Table = "" // whose it is is known when all have been read
	}
	return f.Category != space.Orphans && (r.options.Match == nil || n.Table == "" || r.options.Match(n.Schema, n.Table))
}

func (r *reader) read(ctx context.Context, spaces *sync.Pool, f *File) ([]space.Item, []error) {
	if !f.isTablespace() {
		return r.other(f)
	}
	s, ok := spaces.Get().(*innodb.Space)
	if !ok {
		return nil, nil
	}
	defer spaces.Put(s)
	return r.tablespace(ctx, s, f)
}

func (f *File) isTablespace() bool {
	return f.Kind == Tablespace || f.Kind == General || f.Kind == SystemFirst
}

// define adds to a table's lines what its definition says.
func (r *reader) define(f *File, items []space.Item) error {
	if len(items) == 0 || f.isTablespace() && f.Kind != Tablespace {
		return nil
	}
	d, err := r.shelf.definition(f.Path)
	if err != nil {
		return err
	}
	for i := range items {
		items[i].Comment, items[i].RowFormat = cmp.Or(items[i].Comment, d.Comment), cmp.Or(items[i].RowFormat, d.RowFormat)
		if items[i].Engine == "" {
			items[i].Engine = d.Engine
		}
	}
	return nil
}

// item is a table's line with what stat(2) says of its file.
func (r *reader) item(f *File, engine string) space.Item {
	n := parseName(f.Path)
	item := space.Item{
		Schema: n.Schema, Table: n.Table, Partition: n.Partition, Index: n.Index, Engine: engine, File: f.Path,
		Source: space.FromFile, AsOf: r.options.Now, FileBytes: new(f.Apparent), AllocatedBytes: new(f.Bytes),
	}
	if f.Kind == General || f.Kind == SystemFirst {
		item.Schema, item.Table = "", "["+path.Base(f.Path)+"]"
		item.Notes = append(item.Notes, "free pages of a tablespace that several tables share; they are nobody's alone")
	}
	return item
}

// MariaDB says whether the folder is that of MariaDB, which keeps its system tables in Aria.
func (t *Tree) MariaDB() bool {
	return slices.ContainsFunc(t.Files, func(f File) bool { return f.Path == "aria_log_control" })
}

// pathError names the file of an error that does not.
func pathError(f *File, err error) error {
	return &fs.PathError{Op: "reading", Path: f.Path, Err: err}
}
