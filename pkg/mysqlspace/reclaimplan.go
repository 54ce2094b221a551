package mysqlspace

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// PlanOptions say what a plan is made from.
type PlanOptions struct {
	Options
	// Replicas are those that were asked, by name, with what they said of their sources.
	Replicas map[string][]live.Position
	// KeepBinlogs is how old binary logs have to be.
	KeepBinlogs time.Duration
	// LeastFreed is what a step has to free at best, in bytes, to be in the plan.
	LeastFreed int64
	// Tmpdir is where the server sorts; "" for what it says.
	Tmpdir string
}

// PlanReclaim says what would give space back. It reads as [Collect] does, and changes nothing.
func PlanReclaim(ctx context.Context, o PlanOptions) (*reclaim.Plan, error) {
	o.Selection = Selection{By: "partition", Schema: o.Schema, Table: o.Table, apart: true}
	report, tree, err := o.gather(ctx)
	if err != nil {
		return nil, err
	}
	p := &planner{o: &o, report: report, tree: tree, mounts: report.Mounts}
	p.tmpdir()
	server := p.server()
	steps := reclaim.Tables(p.tables(), server)
	if o.Schema == "" && o.Table == "" {
		steps = append(steps, p.binlogs()...)
		steps = append(steps, p.files()...)
	}
	plan := reclaim.Rank(steps, p.mounts, o.LeastFreed)
	plan.Limits, plan.Problems = report.Limits, report.Problems
	return plan, nil
}

// planner brings together what files and server say.
type planner struct {
	o      *PlanOptions
	report *space.Report
	tree   *datadir.Tree // nil without files
	mounts []space.Mount
	tmp    string // the mount of the sort files
}

// snapshot is an empty one where no server was asked.
func (p *planner) snapshot() *live.Snapshot {
	if p.o.Snapshot == nil {
		return &live.Snapshot{}
	}
	return p.o.Snapshot
}

// tmpdir adds the mount on which the server sorts: innodb_tmpdir, or the first of tmpdir.
func (p *planner) tmpdir() {
	snap := p.snapshot()
	dir := p.o.Tmpdir
	for _, name := range []string{"innodb_tmpdir", "tmpdir"} {
		if dir == "" && p.tree != nil {
			dir, _, _ = strings.Cut(snap.Variables[name], ":")
		}
	}
	if dir == "" {
		return
	}
	m, err := datadir.MountOf(dir, "tmpdir")
	if err != nil {
		p.report.Limits = append(p.report.Limits, space.Limit{What: "the folder of sort files: " + err.Error(), Help: "--tmpdir names it"})
		return
	}
	p.tmp = m.Path
	for i := range p.mounts {
		if p.mounts[i].Path == m.Path {
			p.mounts[i].For = append(p.mounts[i].For, "tmpdir")
			return
		}
	}
	p.mounts = append(p.mounts, m)
}

func (p *planner) server() reclaim.Server {
	snap := p.snapshot()
	s := reclaim.Server{
		Flavour: snap.Flavour, Galera: snap.On("wsrep_on"), Group: snap.Variables["group_replication_group_name"] != "",
		Replicas: len(snap.Replicas), TmpMount: p.tmp, OnlineLog: snap.Bytes("innodb_online_alter_log_max_size", 0),
		Uses: reclaim.Uses{RowBinlog: snap.On("log_bin") && strings.EqualFold(snap.Variables["binlog_format"], "ROW")},
	}
	for _, name := range []string{"innodb_sort_buffer_size", "innodb_ddl_buffer_size"} {
		s.SortBuffer = max(s.SortBuffer, snap.Bytes(name, 0))
	}
	if snap.Flavour == "mysql" && snap.Variables["binlog_format"] == "" { // the variable went with MySQL 9: rows are all there is
		s.Uses.RowBinlog = snap.On("log_bin")
	}
	return s
}

// tables groups partitions, and adds what the server knows of keys and triggers.
func (p *planner) tables() []reclaim.Table {
	known := map[nameOf]*live.Table{}
	for _, t := range p.snapshot().Tables {
		known[nameOf{t.Schema, t.Name, strings.ToLower(t.Partition), ""}] = t
	}
	var all []reclaim.Table
	place := map[nameOf]int{}
	for i := range p.report.Items {
		item := &p.report.Items[i]
		if strings.EqualFold(item.Schema, "mysql") && item.Table == "" {
			continue
		}
		key := nameOf{item.Schema, item.Table, "", ""}
		at, there := place[key]
		if item.Index != "" { // behind the table's own line
			if there {
				all[at].Auxiliary = append(all[at].Auxiliary, *item)
			}
			continue
		}
		if !there {
			at = len(all)
			place[key] = at
			all = append(all, reclaim.Table{Item: *item, Place: reclaim.OwnFile})
		}
		t := &all[at]
		t.Mounts = append(t.Mounts, p.mountOf(item.File))
		if item.Partition != "" {
			t.Partitions = append(t.Partitions, *item)
		}
		p.describe(t, item, known[nameOf{item.Schema, item.Table, strings.ToLower(item.Partition), ""}])
	}
	for i := range all {
		if t := &all[i]; len(t.Partitions) > 0 {
			method, engine := t.Method, t.Engine
			t.Item = space.Total(t.Partitions, t.Schema, t.Table, "")
			t.Method, t.Engine = method, engine
		}
	}
	return all
}

func (p *planner) describe(t *reclaim.Table, item *space.Item, known *live.Table) {
	if known == nil {
		if item.IndexBytes != nil {
			t.Indexes = append(t.Indexes, *item.IndexBytes)
		}
		if item.File == "" && item.Engine == "InnoDB" && p.tree != nil {
			t.Place = reclaim.GeneralTablespace
		}
		return
	}
	t.Known, t.Place = true, reclaim.Place(known.Place)
	t.Fulltext, t.ForeignKeys, t.Triggers = t.Fulltext || known.Fulltext, t.ForeignKeys || known.ForeignKeys, t.Triggers || known.Triggers
	t.Spatial, t.VirtualKey, t.Versioned = t.Spatial || known.Spatial, t.VirtualKey || known.VirtualKey, t.Versioned || known.Versioned
	t.UniqueKey = t.UniqueKey || known.UniqueKey || len(known.Indexes) == 0
	t.Indexes = append(t.Indexes, secondary(item, known)...)
}

// secondary are the bytes of the secondary indexes: those of the file, in the proportions of stored statistics where they know all.
func secondary(item *space.Item, known *live.Table) []int64 {
	var all []int64
	var sum int64
	for _, x := range known.Indexes {
		if x.Kind&1 != 0 {
			continue
		}
		if x.Bytes == nil || *x.Bytes == 0 {
			sum = 0
			break
		}
		all, sum = append(all, *x.Bytes), sum+*x.Bytes
	}
	switch {
	case item.IndexBytes == nil:
		return all
	case sum == 0:
		return []int64{*item.IndexBytes}
	}
	for i := range all {
		all[i] = int64(float64(all[i]) / float64(sum) * float64(*item.IndexBytes))
	}
	return all
}

// mountOf is the mount of a file of the report, "" where it is not known.
func (p *planner) mountOf(file string) string {
	if file == "" || p.tree == nil {
		return ""
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(p.tree.Root, file)
	}
	best := ""
	for _, m := range p.mounts {
		if (m.Path == "/" || file == m.Path || strings.HasPrefix(file, m.Path+"/")) && len(m.Path) > len(best) {
			best = m.Path
		}
	}
	return best
}

// binlogs plans their purge. Replicas that the server knows and nobody asked count as ones that need everything.
func (p *planner) binlogs() []reclaim.Step {
	snap := p.snapshot()
	b := reclaim.Binlogs{Keep: p.o.KeepBinlogs, Now: p.o.now(), Hidden: snap.ReplicasHidden}
	for _, name := range slices.Sorted(maps.Keys(p.o.Replicas)) {
		b.Replicas = append(b.Replicas, needs(name, p.o.Replicas[name], snap.Variables["server_id"])...)
	}
	dir := filepath.Dir(snap.Variables["log_bin_basename"])
	for _, log := range snap.Binlogs {
		one := reclaim.Binlog{Name: log.Name, Bytes: log.Bytes}
		if info, err := os.Stat(filepath.Join(dir, log.Name)); err == nil && p.tree != nil {
			one.Modified = info.ModTime()
		}
		b.Logs = append(b.Logs, one)
	}
	if p.tree != nil {
		b.Mount = p.mountOf(filepath.Join(dir, "x"))
	}
	for _, r := range p.silent() {
		b.Replicas = append(b.Replicas, reclaim.Replica{Name: r.Name})
	}
	return b.Plan()
}

// silent are the replicas that the server knows and nobody asked. They are the same by server_id: names differ by who gives them.
// One that did not register may be any that was asked and is not among the others.
func (p *planner) silent() []live.Replica {
	asked := map[string]bool{}
	for _, said := range p.o.Replicas {
		for _, position := range said {
			if position.Source == p.snapshot().Variables["server_id"] {
				asked[position.Replica] = true
			}
		}
	}
	var unnamed, others []live.Replica
	for _, r := range p.snapshot().Replicas {
		switch {
		case r.ID == "":
			unnamed = append(unnamed, r)
		case asked[r.ID]:
			delete(asked, r.ID)
		default:
			others = append(others, r)
		}
	}
	return append(others, unnamed[min(len(asked), len(unnamed)):]...)
}

// needs is what a replica that was asked needs of this server. Logs of another source may have the same names.
func needs(name string, said []live.Position, server string) []reclaim.Replica {
	var all []reclaim.Replica
	for _, position := range said { // one for each channel
		if position.Source == server && server != "" {
			all = append(all, reclaim.Replica{Name: name, Needs: position.Log})
		}
	}
	if len(all) == 0 {
		return []reclaim.Replica{{Name: name + ", which does not name this server as its source,"}}
	}
	return all
}

// files plans what is beside the tables.
func (p *planner) files() []reclaim.Step {
	if p.tree == nil {
		return nil
	}
	snap := p.snapshot()
	undo := reclaim.Undo{
		Flavour: snap.Flavour, Truncate: snap.On("innodb_undo_log_truncate"), MaxBytes: snap.Bytes("innodb_max_undo_log_size", 0),
		History: snap.History, PageSize: snap.Bytes("innodb_page_size", 0),
	}
	_, truncates := snap.Variables["innodb_truncate_temporary_tablespace_now"]
	left := reclaim.Leftovers{
		Datadir: p.tree.Root, MariaDB: snap.Flavour == "mariadb" || p.tree.MariaDB(), TruncateNow: truncates, Altering: snap.Altering == nil || *snap.Altering > 0,
		TempInitial: initialSize(snap.Variables["innodb_temp_data_file_path"]),
	}
	for _, category := range []space.Category{space.Undo, space.Temporary, space.Orphans, space.Logs} {
		for _, f := range p.tree.Of(category) {
			if f.Mount == "" {
				f.Mount = p.mountOf(f.Path)
			}
			if category == space.Undo {
				undo.Files = append(undo.Files, reclaim.UndoFile{File: f.Path, Bytes: f.Bytes, Mount: f.Mount})
				continue
			}
			left.Files = append(left.Files, f)
		}
	}
	return append(undo.Plan(), left.Plan()...)
}

// initialSize reads innodb_temp_data_file_path: "ibtmp1:12M:autoextend". 0: not known.
func initialSize(path string) int64 {
	_, rest, _ := strings.Cut(path, ":")
	text, _, _ := strings.Cut(rest, ":")
	if text == "" {
		return 0
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	n, err := bytesize.Parse(text + "iB")
	if err != nil {
		return 0
	}
	return n
}
