package space

// Category is a kind of file in a data folder.
type Category string

// The categories. Every file is in one of them; what no rule knows is Unknown, and named.
const (
	Tables           Category = "tables"            // tablespaces of tables and partitions, and general tablespaces
	Fulltext         Category = "fulltext"          // FTS_*: auxiliary tables of full-text indexes
	SystemTablespace Category = "system-tablespace" // ibdata1 and its like, mysql.ibd
	Undo             Category = "undo"
	Redo             Category = "redo"
	Doublewrite      Category = "doublewrite"
	Temporary        Category = "temporary" // ibtmp1, #innodb_temp, #sql files of a running statement
	BinaryLogs       Category = "binary-logs"
	RelayLogs        Category = "relay-logs"
	Logs             Category = "logs" // error, slow and general logs
	OtherEngines     Category = "other-engines"
	Orphans          Category = "orphans"  // #sql-*, and tablespaces that no table claims
	Metadata         Category = "metadata" // .frm, .par, db.opt, auto.cnf, keys, buffer pool dump, pid files, folders
	Unknown          Category = "unknown"
)

// Sum is what a category holds: blocks on the disk, as du(1) counts them, each inode once.
type Sum struct {
	Category Category `json:"category"`
	Bytes    int64    `json:"bytes"`         // allocated: st_blocks of 512
	Apparent int64    `json:"apparentBytes"` // st_size
	Files    int      `json:"files"`
}

// File is one file of a data folder, or beyond it where a table's data are elsewhere.
type File struct {
	Path      string   `json:"path"` // below the data folder; absolute beyond it
	Category  Category `json:"category"`
	Bytes     int64    `json:"bytes"`         // allocated
	Apparent  int64    `json:"apparentBytes"` // st_size
	Mount     string   `json:"mount,omitempty"`
	Why       string   `json:"why,omitempty"` // what it is, or why it is unknown or an orphan
	Deletable bool     `json:"-"`
}

// Mount is a file system that data lie on.
type Mount struct {
	Path  string `json:"path"`  // the mount point
	Bytes int64  `json:"bytes"` // its size
	Used  int64  `json:"usedBytes"`
	Free  int64  `json:"freeBytes"` // what an unprivileged process may still write (f_bavail)
	// For are the uses of it: "datadir", "tmpdir", "binary logs".
	For []string `json:"for"`
}
