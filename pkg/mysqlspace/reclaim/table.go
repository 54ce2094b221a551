package reclaim

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Place is the kind of tablespace that a table is in.
type Place string

// The places. Only a file of the table's own gets smaller by a rebuild.
const (
	OwnFile           Place = "own"
	GeneralTablespace Place = "general"
	SystemTablespace  Place = "system"
)

// Table is a table that could be rebuilt. Item carries the prediction, for all partitions together.
type Table struct {
	space.Item
	Place Place
	// Partitions are set for a partitioned table: all are rebuilt by one statement, and all new files are there at once.
	Partitions []space.Item
	// Auxiliary are the files of a full-text index, which a rebuild makes anew. Nobody knows how large: the server fills them in its
	// own way, so that they count as what may be freed at best, and as room that they take again.
	Auxiliary []space.Item
	// Mounts are where the files lie: one for each partition, or one for the table; "" where it is not known.
	Mounts []string
	// Indexes are the bytes of each secondary index, of pages in use.
	Indexes []int64
	// Facts are nil or false where they are not known; Known tells the two apart.
	Known       bool
	Fulltext    bool
	Spatial     bool // a spatial index
	VirtualKey  bool // an index on a virtual column, of MariaDB
	Versioned   bool // MariaDB's WITH SYSTEM VERSIONING
	ForeignKeys bool // it refers to others, or others to it
	Triggers    bool
	UniqueKey   bool // a primary key, or a unique one without NULL
}

// Server is what the plan needs to know of the server. The zero value is a data folder without one.
type Server struct {
	Flavour    string // "mariadb", "mysql" or ""
	Galera     bool
	Group      bool // group replication
	Replicas   int  // that are connected, or that the server knows
	TmpMount   string
	SortBuffer int64 // innodb_sort_buffer_size, innodb_ddl_buffer_size; 0: not known
	OnlineLog  int64 // innodb_online_alter_log_max_size
	Uses       Uses
}

// Uses are switches of the server that rule what can be done.
type Uses struct {
	RowBinlog bool // log_bin with binlog_format=ROW: gh-ost needs it
}

// Tables plans the rebuild of each table for which one was predicted.
func Tables(tables []Table, s Server) []Step {
	var steps []Step
	for i := range tables {
		if t := &tables[i]; t.ReclaimableBytes != nil && *t.ReclaimableHighBytes > 0 {
			steps = append(steps, rebuildStep(t, s))
		}
	}
	return steps
}

func rebuildStep(t *Table, s Server) Step {
	step := Step{
		Kind: Rebuild, Schema: t.Schema, Table: t.Table, File: t.File, Mount: t.mount(), Method: t.Method,
		FreesBytes: *t.ReclaimableBytes, FreesLowBytes: *t.ReclaimableLowBytes, FreesHighBytes: *t.ReclaimableHighBytes,
		Risk: Medium, Needs: needs(t, s),
	}
	for i := range t.Auxiliary {
		if high := t.Auxiliary[i].ReclaimableHighBytes; high != nil {
			step.FreesHighBytes += max(0, *high)
		}
	}
	if t.locks() {
		step.Risk = High
	}
	step.Commands = append(statements(t), onlineTools(t, s)...)
	step.Blockers, step.Warnings = cautions(t, s)
	if step.FreesBytes < 0 {
		step.Warnings = append(step.Warnings, "the rebuilt table is expected to be larger")
	}
	return step
}

// mount is where the table lies, "" where that is more than one.
func (t *Table) mount() string {
	mounts := slices.Compact(slices.Sorted(slices.Values(t.Mounts)))
	if len(mounts) != 1 {
		return ""
	}
	return mounts[0]
}

// locks says whether writers wait while the table is rebuilt.
func (t *Table) locks() bool { return t.Method != "in-place" || t.offline() != "" }

// offline is what makes the server refuse LOCK=NONE, "" for nothing (handler0alter.cc).
func (t *Table) offline() string {
	switch {
	case t.Fulltext:
		return "a full-text index"
	case t.Spatial:
		return "a spatial index"
	case t.VirtualKey:
		return "an index on a virtual column"
	}
	return ""
}

// statements are the server's own ways. ALGORITHM and LOCK are named so that a server which cannot do it refuses, instead of
// locking writers out; the short lock_wait_timeout keeps a waiting ALTER from holding up every query behind it.
func statements(t *Table) []Command {
	name := qualified(t.Schema, t.Table)
	if t.Engine != "InnoDB" {
		return []Command{{Tool: "sql", Text: fmt.Sprintf("OPTIMIZE TABLE %s;", name), Note: "the table can be neither read nor written for part of the time"}}
	}
	c := Command{Tool: "sql"}
	how := "ALGORITHM=INPLACE, LOCK=NONE"
	switch {
	case t.Method == "copy" || t.Fulltext:
		how, c.Note = "ALGORITHM=COPY, LOCK=SHARED", "the table can be read, not written, while it runs"
	case t.offline() != "":
		how, c.Note = "ALGORITHM=INPLACE, LOCK=SHARED", "the table can be read, not written, while it runs"
	}
	c.Text = fmt.Sprintf("%s\nALTER TABLE %s FORCE, %s;", impatient, name, how)
	return append([]Command{c}, partitions(t)...)
}

const impatient = "SET SESSION lock_wait_timeout = 10;"

// partitions rebuild one partition each, with less space and locked for writing: those that free the most.
func partitions(t *Table) []Command {
	var worth []space.Item
	for _, p := range t.Partitions {
		if p.ReclaimableBytes != nil && *p.ReclaimableBytes > 0 {
			worth = append(worth, p)
		}
	}
	sort.SliceStable(worth, func(i, j int) bool { return *worth[i].ReclaimableBytes > *worth[j].ReclaimableBytes })
	if len(worth) == 0 {
		return nil
	}
	var names []string
	for _, p := range worth[:min(len(worth), 5)] {
		if top := topPartition(p.Partition); !slices.Contains(names, top) {
			names = append(names, top)
		}
	}
	lines := []string{impatient}
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("ALTER TABLE %s REBUILD PARTITION %s;", qualified(t.Schema, t.Table), Identifier(name)))
	}
	return []Command{{Tool: "sql", Text: strings.Join(lines, "\n"), Note: "instead, one partition at a time: takes less space, but locks writers out of the table; OPTIMIZE PARTITION would rebuild all"}}
}

// topPartition is the partition that a subpartition belongs to: REBUILD PARTITION takes no subpartition.
func topPartition(name string) string {
	top, _, _ := strings.Cut(name, "/")
	return top
}

// onlineTools are the variants with gh-ost and pt-online-schema-change, where what is known of the table lets them run.
func onlineTools(t *Table, s Server) []Command {
	system := t.Schema == "mysql" || t.Schema == "sys"
	if !t.Known || t.Engine != "InnoDB" || !t.UniqueKey || t.Versioned || system || s.Galera && s.Group {
		return nil
	}
	var all []Command
	if !t.ForeignKeys && !t.Triggers && !s.Galera && s.Uses.RowBinlog {
		all = append(all, Command{
			Tool: "gh-ost",
			Text: fmt.Sprintf("gh-ost --database=%s --table=%s --alter='ENGINE=InnoDB' --allow-on-master --execute", shell(t.Schema), shell(t.Table)),
			Note: "writes every row to the binary log; without --execute it only tries",
		})
	}
	// A DSN of pt-online-schema-change has no quoting for these.
	if !strings.ContainsAny(t.Schema+t.Table, ",=\\") && !t.Triggers {
		line := fmt.Sprintf("pt-online-schema-change --alter 'ENGINE=InnoDB' %s --execute", shell("D="+t.Schema+",t="+t.Table))
		if t.ForeignKeys {
			line = strings.Replace(line, " --execute", " --alter-foreign-keys-method=auto --execute", 1)
		}
		all = append(all, Command{Tool: "pt-online-schema-change", Text: line, Note: "copies by triggers; --dry-run instead of --execute only tries"})
	}
	return all
}

func cautions(t *Table, s Server) (blockers, warnings []string) {
	switch t.Place {
	case GeneralTablespace:
		blockers = append(blockers, "it is in a general tablespace, whose file does not get smaller; ALTER TABLE ... TABLESPACE=innodb_file_per_table moves it into a file of its own")
	case SystemTablespace:
		blockers = append(blockers, "it is in the system tablespace, whose file does not get smaller; ALTER TABLE ... FORCE with innodb_file_per_table=ON moves it into a file of its own")
	}
	if why := t.offline(); why != "" {
		warnings = append(warnings, why+": writers wait for as long as the rebuild takes")
	}
	if t.Versioned {
		warnings = append(warnings, "system-versioned: gh-ost and pt-online-schema-change copy the rows of now, and lose those before")
	}
	if t.ForeignKeys {
		warnings = append(warnings, "foreign keys: gh-ost refuses, pt-online-schema-change changes the constraints of child tables")
	}
	if t.Triggers {
		warnings = append(warnings, "triggers: neither gh-ost nor pt-online-schema-change is offered")
	}
	if !t.locks() && s.OnlineLog > 0 {
		warnings = append(warnings, fmt.Sprintf("writes made meanwhile are logged in innodb_tmpdir or tmpdir; past %s the ALTER ends without effect (innodb_online_alter_log_max_size)",
			bytesize.Format(s.OnlineLog)))
	}
	if t.Known && !t.UniqueKey {
		warnings = append(warnings, "no primary or unique key: gh-ost and pt-online-schema-change cannot copy it")
	}
	if t.Place == OwnFile && t.Known && len(t.Partitions) > 0 {
		warnings = append(warnings, "partitioned: the new files of all partitions are there at once")
	}
	if !t.Known {
		warnings = append(warnings, "foreign keys, triggers and full-text indexes were not looked at: no server was asked, or it did not say")
	}
	return blockers, append(warnings, serverCautions(s)...)
}

func serverCautions(s Server) []string {
	var warnings []string
	if s.Galera {
		warnings = append(warnings, "Galera: by default ALTER stops the whole cluster; SET SESSION wsrep_OSU_method='RSU' does one node at a time")
	}
	if s.Group {
		warnings = append(warnings, "group replication: no other member may write to the table meanwhile")
	}
	if s.Replicas > 0 {
		warnings = append(warnings, fmt.Sprintf("replicas: %d; each repeats the ALTER, needs the same space, and lags for as long as it takes", s.Replicas))
	}
	return warnings
}
