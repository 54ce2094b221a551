package reclaim

import (
	"fmt"
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

// Table is a table, or a partition, that could be rebuilt. Item carries the prediction.
type Table struct {
	space.Item
	Place Place
	// Indexes are the bytes of each secondary index, of pages in use.
	Indexes []int64
	// Facts are nil or false where they are not known; Known tells the two apart.
	Known       bool
	Fulltext    bool
	ForeignKeys bool // it refers to others, or others to it
	Triggers    bool
	UniqueKey   bool // a primary key, or a unique one without NULL
	// Mount is where the file lies.
	Mount string
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
		Kind: Rebuild, Schema: t.Schema, Table: t.Table, Partition: t.Partition, File: t.File, Mount: t.Mount, Method: t.Method,
		FreesBytes: *t.ReclaimableBytes, FreesLowBytes: *t.ReclaimableLowBytes, FreesHighBytes: *t.ReclaimableHighBytes,
		Risk: Medium, Needs: needs(t, s),
	}
	if t.Method == "copy" {
		step.Risk = High
	}
	step.Commands = append([]Command{statement(t)}, onlineTools(t, s)...)
	step.Blockers, step.Warnings = cautions(t, s)
	if step.FreesBytes < 0 {
		step.Warnings = append(step.Warnings, "the rebuilt table is expected to be larger")
	}
	return step
}

// statement is the server's own way. ALGORITHM and LOCK are named so that a server which cannot do it refuses, instead of
// locking writers out; the short lock_wait_timeout keeps a waiting ALTER from holding up every query behind it.
func statement(t *Table) Command {
	name := qualified(t.Schema, t.Table)
	c := Command{Tool: "sql"}
	switch {
	case t.Engine != "InnoDB":
		c.Text = fmt.Sprintf("OPTIMIZE TABLE %s;", name)
		c.Note = "locks the table for writing while it runs"
		if t.Partition != "" {
			c.Text = fmt.Sprintf("ALTER TABLE %s REBUILD PARTITION %s;", name, Identifier(topPartition(t.Partition)))
		}
	case t.Partition != "":
		c.Text = fmt.Sprintf("SET SESSION lock_wait_timeout = 10;\nALTER TABLE %s REBUILD PARTITION %s;", name, Identifier(topPartition(t.Partition)))
		c.Note = "OPTIMIZE PARTITION would rebuild all partitions; the partition is locked for writing while it runs"
	case t.Method == "copy":
		c.Text = fmt.Sprintf("SET SESSION lock_wait_timeout = 10;\nALTER TABLE %s FORCE, ALGORITHM=COPY, LOCK=SHARED;", name)
		c.Note = "the table can be read, not written, while it runs"
	default:
		c.Text = fmt.Sprintf("SET SESSION lock_wait_timeout = 10;\nALTER TABLE %s FORCE, ALGORITHM=INPLACE, LOCK=NONE;", name)
	}
	return c
}

// topPartition is the partition that a subpartition belongs to: REBUILD PARTITION takes no subpartition.
func topPartition(name string) string {
	top, _, _ := strings.Cut(name, "/")
	return top
}

// onlineTools are the variants with gh-ost and pt-online-schema-change, where what is known of the table lets them run.
func onlineTools(t *Table, s Server) []Command {
	if !t.Known || t.Engine != "InnoDB" || t.Partition != "" || !t.UniqueKey || s.Galera && s.Group {
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
	if t.Fulltext {
		warnings = append(warnings, "a full-text index: the rebuild copies the table, and writers wait")
	}
	if t.ForeignKeys {
		warnings = append(warnings, "foreign keys: gh-ost refuses, pt-online-schema-change changes the constraints of child tables")
	}
	if t.Triggers {
		warnings = append(warnings, "triggers: neither gh-ost nor pt-online-schema-change is offered")
	}
	if t.Method == "in-place" && s.OnlineLog > 0 {
		warnings = append(warnings, fmt.Sprintf("writes made meanwhile are logged in innodb_tmpdir or tmpdir; past %s the ALTER ends without effect (innodb_online_alter_log_max_size)",
			bytesize.Format(s.OnlineLog)))
	}
	if t.Known && !t.UniqueKey {
		warnings = append(warnings, "no primary or unique key: gh-ost and pt-online-schema-change cannot copy it")
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
