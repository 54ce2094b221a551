package rebuild

// Tree is an index as a rebuild makes it. What is counted are pages.
type Tree struct {
	// Levels are the pages of each level, leaves first, the root last: {1} is a tree of one page. An empty tree too is {1}.
	Levels []uint32
	Empty  bool // it holds no record
	// LOB are pages of values that are stored apart, which the leaf segment holds too, of so many values.
	LOB, Values uint32
	// Random says, of a copy, that rows are not in the order of this index.
	Random bool
}

// Alloc is what is allocated in a tablespace.
type Alloc struct {
	// PageSize is innodb_page_size, PhysicalSize what a page takes in the file: less with ROW_FORMAT=COMPRESSED. Bytes.
	PageSize, PhysicalSize uint32
	MariaDB                bool
	Reserve                float64 // innodb_segment_reserve_factor of MySQL, in percent; 0: 12.5
	Autoextend             uint32  // AUTOEXTEND_SIZE of MySQL, bytes
	// SDI is the index of serialized dictionary information that MySQL 8.0 and later put before all others, and fill when
	// the rest is done; nil: there is none.
	SDI *Tree
	// Trees are the indexes in the order in which they are made: the clustered one first.
	Trees []Tree
	// Pages and FreePages are those of the tablespace that they are allocated in, if it is not a new one: a shared tablespace.
	Pages, FreePages uint32
	// Inserts says that rows are inserted one by one (a copy), else that indexes are loaded page by page in order.
	Inserts bool
	// Parallel are the indexes behind the first that are built side by side, at worst: each has a page more until it is finished. 0 is 1.
	Parallel int
	// Chance, unless it is 0, seeds what the pages of each value are, and where rows come that are inserted.
	Chance uint64
}

// Initial sizes of a new file in pages: FIL_IBD_FILE_INITIAL_SIZE of MySQL 8.0 and of MariaDB.
const (
	initialMySQL   = 7
	initialMariaDB = 4
)

func (a *Alloc) rules() (rules, uint32) {
	r := rules{physical: a.PhysicalSize, growPages: 1, lease: !a.MariaDB, keepNear: a.MariaDB, loadEnsures: !a.MariaDB}
	// FSP_EXTENT_SIZE: 1 MiB up to 16K, then 64 pages.
	r.extentPages = max(1<<20/a.PageSize, 64)
	r.growPages = r.extentPages * a.PageSize / a.PhysicalSize
	r.fragLimit = r.extentPages / 2
	if a.MariaDB {
		return r, initialMariaDB * a.PageSize / a.PhysicalSize
	}
	r.reserve = a.Reserve
	if r.reserve == 0 {
		r.reserve = 12.5
	}
	r.autoextend = a.Autoextend / a.PhysicalSize
	return r, max(initialMySQL, r.autoextend)
}

// Simulate allocates as a server does that rebuilds a table into a new file, and returns the size of that file in bytes.
func Simulate(a Alloc) int64 {
	r, initial := a.rules()
	t := newTablespace(r, initial)
	if a.Pages > 0 {
		t = sharedTablespace(r, a.Pages, a.FreePages)
	}
	var sdi *builder
	if a.SDI != nil {
		sdi = newBuilder(t, a.SDI)
	}
	builders := make([]*builder, len(a.Trees))
	for i := range a.Trees {
		builders[i] = newBuilder(t, &a.Trees[i])
		if a.Chance != 0 {
			builders[i].lob.byChance(&a.Trees[i], a.Chance)
		}
	}
	if a.Inserts {
		insertAll(builders, a.Chance)
	} else {
		loadAll(builders, a.Parallel)
	}
	if sdi != nil {
		sdi.lobsUpTo(1, 1, 0)
	}
	return int64(t.size) * int64(a.PhysicalSize)
}

// loadAll builds trees one after the other; but for the first, so many of them are finished at the latest moment.
func loadAll(builders []*builder, parallel int) {
	for i, b := range builders {
		b.load()
		if i == 0 {
			b.finish()
		}
		if last := i + 1 - max(parallel, 1); last > 0 {
			builders[last].finish()
		}
	}
	for i := max(len(builders)+1-max(parallel, 1), 1); i < len(builders); i++ {
		builders[i].finish()
	}
}

// builder makes one index.
type builder struct {
	tree      *Tree
	space     *tablespace
	top, leaf *segment // of the levels above the leaves with the root, and of the leaves with LOBs
	made      []uint32 // pages of each level so far
	last      uint32   // the page that was made last
	highest   uint32   // the first page of the highest level
	lob       lobs
	random    bool     // rows are not in the order of this index
	inserts   bool     // of rows one by one: a copy
	leaves    []uint32 // of a copy
}

// newBuilder makes the root page and both segments (btr_create).
func newBuilder(t *tablespace, tree *Tree) *builder {
	b := &builder{tree: tree, space: t, top: t.newSegment()}
	b.top.take(0, true)
	b.leaf = t.newSegment()
	b.made = make([]uint32, len(tree.Levels))
	return b
}

func (b *builder) segment(level int) *segment {
	if level == 0 {
		return b.leaf
	}
	return b.top
}

// page takes a page as the sorted load does: without a hint, upwards (PageBulk::init, Page_load::init).
func (b *builder) page(level int) {
	if b.space.loadEnsures {
		b.space.ensure(1, 2, false)
	}
	b.last = b.segment(level).take(0, true)
	if b.made[level]++; level == len(b.made)-1 {
		b.highest = b.last
	}
}

// load builds the tree from sorted records: a page is left when the next one is there, and its parent then gets an entry.
func (b *builder) load() {
	if b.tree.Empty || len(b.tree.Levels) == 0 {
		return
	}
	leaves := b.tree.Levels[0]
	for i := uint32(1); i <= leaves; i++ {
		b.page(0)
		leaf := b.last
		if i > 1 {
			b.entries(0, i-1)
		}
		b.lobsUpTo(i, leaves, leaf)
	}
	top := len(b.tree.Levels) - 1
	for level := range top {
		b.entries(level, b.tree.Levels[level])
	}
}

// finish copies the page of the highest level to the root and gives it back (BtrBulk::finish, Btree_load::finish).
func (b *builder) finish() {
	if b.tree.Empty || len(b.tree.Levels) == 0 {
		return
	}
	b.segment(len(b.tree.Levels) - 1).freePage(b.highest)
}

// entries makes the pages above that count pages of a level need.
func (b *builder) entries(level int, count uint32) {
	above := level + 1
	if above >= len(b.tree.Levels) {
		return
	}
	per := (b.tree.Levels[level] + b.tree.Levels[above] - 1) / b.tree.Levels[above]
	for b.made[above] < (count+per-1)/per && b.made[above] < b.tree.Levels[above] {
		b.page(above)
		if b.made[above] > 1 {
			b.entries(above, b.made[above]-1)
		}
	}
}
