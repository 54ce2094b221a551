// Package live says what a running server says of its tables, in a few queries that neither write nor open tables: dictionary
// tables of InnoDB, joined by id, and stored statistics. Columns are asked for, not derived from versions. What a missing
// privilege hides is in Limits, with the grant that shows it.
package live

import (
	"context"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Session is where queries go: [github.com/opsctl/opsctl/pkg/mysqlconn.Session].
type Session interface {
	// Each runs a query and gives each row to scan.
	Each(ctx context.Context, query string, scan func(row func(...any) error) error, args ...any) error
	// Columns are the names of a table's columns, in lower case.
	Columns(ctx context.Context, table string) (map[string]bool, error)
	// Named gives rows as texts by the name of the column in lower case: for answers whose columns differ between servers.
	Named(ctx context.Context, query string, row func(map[string]string)) error
}

// Snapshot is what a server said.
type Snapshot struct {
	Flavour   string // "mariadb" or "mysql"
	Version   string
	Uptime    time.Duration
	Now       time.Time // when it was asked
	Variables map[string]string
	Tables    []*Table
	// Tablespaces by id.
	Tablespaces map[uint32]*Tablespace
	Binlogs     []Binlog
	Replicas    []Replica
	// ReplicasHidden: there may be more, which the account may not see.
	ReplicasHidden bool
	// History is the number of undo logs that wait for purge; nil: not known.
	History *int64
	// Altering is the number of statements that change a table, now; nil: not known.
	Altering   *int
	Duplicates []Duplicate
	Unused     []Unused
	Limits     []space.Limit
}

// Tablespace is a file of InnoDB's.
type Tablespace struct {
	ID   uint32
	Name string
	// Type is "Single", "General", "System", "Undo"; "" where the server does not say.
	Type            string
	File, Allocated *int64 // bytes

	compressed int64 // bytes of a page of ROW_FORMAT=COMPRESSED, else 0
}

// Table is a table, or a partition.
type Table struct {
	Schema, Name, Partition string
	Engine, Comment         string
	RowFormat               string
	ID                      uint64 // of InnoDB
	Space                   *uint32
	// Place is "own", "general" or "system".
	Place string

	// Index and File have those of full-text indexes with them.
	Rows, Data, Index, Free, File, Allocated *int64
	// Age is of when the statistics are, from which Rows, Data and Index are; zero: of now.
	Age     time.Time
	Indexes []*Index

	Fulltext, ForeignKeys, Triggers bool
	// VirtualKey: MariaDB has an index on a virtual column. Versioned: it keeps former rows (WITH SYSTEM VERSIONING). Sequence: of
	// CREATE SEQUENCE.
	Spatial, VirtualKey, Versioned, Sequence bool
	// The keys are known where Indexes has any.
	// NoPrimaryKey: InnoDB has made a clustered index of its own. UniqueKey: there is a primary key, or another unique one.
	NoPrimaryKey, UniqueKey bool
	AutoIncrement           *AutoIncrement

	compressed int64 // bytes of a page of ROW_FORMAT=COMPRESSED, else 0
}

// Index is an index of InnoDB.
type Index struct {
	ID      uint64
	Name    string
	Kind    uint64 // InnoDB's flags: 1 clustered, 2 unique, 32 full-text, 64 spatial
	Columns []string
	Bytes   *int64
	Root    uint32
}

// The flags of an index (dict0mem.h).
const (
	kindClustered = 1
	kindUnique    = 2
	kindFulltext  = 32
	kindSpatial   = 64
)

// AutoIncrement is how much of a column's range is used.
type AutoIncrement struct {
	Column, Type string
	Next         uint64
	Max          uint64
}

// Binlog is a binary log, the oldest first.
type Binlog struct {
	Name  string
	Bytes int64
}

// Replica is one that the server knows of.
type Replica struct {
	Name string // host:port, or the thread's host
	ID   string // its server_id; "" where it did not register
}

// Duplicate is an index that another one makes superfluous.
type Duplicate struct {
	Schema, Table, Index, By string
	Bytes                    *int64
}

// Unused is an index that no statement has used since the counters began.
type Unused struct {
	Schema, Table, Index string
	Bytes                *int64
}

// Options narrow what is asked.
type Options struct {
	// Match says which tables matter; nil: all.
	Match func(schema, table string) bool
	// Files says whether the files of the server's data folder are read as well: tables that they tell all of are not opened then.
	Files func(datadir string) bool
	// Increments: next AUTO_INCREMENT values matter so much that MySQL may take seconds for those of many tables.
	Increments bool
	Now        func() time.Time
}

// Collect asks. An error means that nothing is known; what is merely hidden is in Limits.
func Collect(ctx context.Context, s Session, o Options) (*Snapshot, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	q := &questions{s: s, o: o, auxiliary: map[uint64][]uint32{}, out: &Snapshot{Now: o.Now(), Variables: map[string]string{}, Tablespaces: map[uint32]*Tablespace{}}}
	if err := q.server(ctx); err != nil {
		return nil, err
	}
	for _, ask := range []func(context.Context) error{
		q.dictionary, q.columns, q.statistics, q.definitions, q.otherEngines, q.sharedFree, q.keysAndTriggers, q.autoIncrements, q.binlogs, q.replicas, q.undo, q.processes, q.advice,
	} {
		if err := ask(ctx); err != nil {
			return nil, err
		}
	}
	q.sizes()
	return q.out, nil
}
