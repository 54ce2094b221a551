package rebuild

// Method is how a server goes about a rebuild.
type Method string

// The methods. MariaDB builds sorted indexes in a copy as well (innodb_alter_copy_bulk), so that they differ by little there.
const (
	InPlace Method = "in-place" // indexes are sorted and loaded page by page
	Copy    Method = "copy"     // rows are inserted one by one
)

// Server is what a rebuild runs on.
type Server struct {
	MariaDB bool
	// FillFactor is innodb_fill_factor in percent; 0: 100, the default.
	FillFactor int
	// CopyBulk is innodb_alter_copy_bulk of MariaDB (10.11.10, 11.4.4 and later; on unless switched off): a copy sorts, too.
	CopyBulk bool
	// Reserve is innodb_segment_reserve_factor of MySQL in percent; 0: 12.5, the default.
	Reserve float64
	// Threads is innodb_ddl_threads of MySQL, which builds as many secondary indexes at a time; 0: 4, the default.
	Threads int
}

// threads are the indexes that are built at a time.
func (s *Server) threads() int {
	switch {
	case s.MariaDB:
		return 1
	case s.Threads == 0:
		return 4
	}
	return s.Threads
}

// Table is what is known of the table.
type Table struct {
	Redundant bool // ROW_FORMAT=REDUNDANT
	// Fulltext says that it has a full-text index, which both servers rebuild by a copy.
	Fulltext bool
	// Instant says that columns were added or dropped without a rebuild, which rows get or lose by one.
	Instant bool
	// Autoextend is AUTOEXTEND_SIZE of MySQL in bytes.
	Autoextend uint32
}

// File is the tablespace that holds the table.
type File struct {
	PageSize, PhysicalSize uint32 // bytes, as in [Alloc]
	Compressed             bool   // ROW_FORMAT=COMPRESSED: PhysicalSize may be PageSize all the same
	Bytes                  int64  // st_size
	// FreePages are pages that no segment holds, of use to a rebuild where the tablespace is shared.
	FreePages uint32
	// Shared says that other tables are in the file too: a general tablespace, or the system tablespace.
	Shared bool
	// PageCompressed says that pages are written with holes behind them.
	PageCompressed bool
}

// Index is an index of the table, with what was sampled of its leaves.
type Index struct {
	Clustered bool
	SDI       bool // MySQL's serialized dictionary information
	Spatial   bool // of R-tree pages
	Level     int  // of the root: 0 is a tree of one page
	// RootRecords are the entries of the root: in a tree of level 1 the number of its leaves.
	RootRecords uint32
	// LeafUsed and InternalUsed are pages in use of its two segments; the first has the LOB pages as well.
	LeafUsed, InternalUsed uint32
	// Pages are the leaves that were read. LOB and Other count what else came up where leaves were looked for.
	Pages      []Page
	LOB, Other uint32
	// LOBFirst and LOBLast are those of the LOB pages at which a value begins (MySQL) or ends (MariaDB).
	LOBFirst, LOBLast uint32
	// Repacked are pages, filled anew, as page compression would write them.
	Repacked []Repacked
}

// Repacked is a page of so many bytes of records, and what page compression makes of it.
type Repacked struct{ Content, Packed int }

// Page is a leaf that was read.
type Page struct {
	// Lengths are those of live records in the order of keys, in bytes with their headers.
	Lengths []uint16
	// Deleted are records that are marked as deleted: a rebuild leaves them out.
	Deleted int
	// Stream are the deflated bytes of a page of ROW_FORMAT=COMPRESSED, Inflated what comes out of them.
	Stream, Inflated int
	// Data are the bytes of all records, Garbage those of records that were removed and not written over.
	Data, Garbage int
	// Packed are the bytes that page compression wrote of the page, 0 where it did not.
	Packed int
}

// Input is what a prediction is made from.
type Input struct {
	Server  Server
	Table   Table
	File    File
	Indexes []Index // the clustered one first, then in the order of their creation; SDI anywhere
	// Method forces a method; "" has it chosen.
	Method Method
}

// Prediction is what a rebuild leaves.
type Prediction struct {
	Method Method
	// Bytes is the size of the file afterwards (st_size); it lies between Low and High in 95 of 100 cases.
	Bytes, Low, High int64
	// AllocatedBytes are its blocks where pages are written with holes, with bounds of their own; else they equal the above.
	AllocatedBytes, AllocatedLow, AllocatedHigh int64
	// Why says what makes it uncertain, and what led to the method.
	Why []string
}
