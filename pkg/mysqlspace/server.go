package mysqlspace

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// server adds what a server said to an empty report.
func (o *Options) server(report *space.Report) {
	snap := o.Snapshot
	report.Server = &space.Server{
		Flavour: snap.Flavour, Version: snap.Version, Address: o.Address, Uptime: snap.Uptime, UptimeSec: int64(snap.Uptime.Seconds()),
	}
	report.Limits = append(report.Limits, snap.Limits...)
	for _, t := range snap.Tables {
		if o.By == "index" && len(t.Indexes) > 0 {
			report.Items = append(report.Items, indexItems(snap, t)...)
			continue
		}
		report.Items = append(report.Items, tableItem(snap, t))
	}
	report.Findings = append(report.Findings, advice(snap)...)
	if o.Datadir != "" {
		return
	}
	var what string
	what, report.Server.Managed = snap.Managed()
	if what != "" {
		what = " (" + what + ")"
	}
	report.Limits = append(report.Limits, space.Limit{
		What: "the files" + what + ": sizes are those that the server counts, data and indexes are pages in stored statistics as of their last ANALYZE," +
			" free pages are what is left of the file; what a rebuild would free, the fill and logs are not known",
		Help: "run it on the server's host with --datadir, or on a copy of the files",
	})
}

// tableItem is a table as the server sees it. Sizes are of stored statistics, and as old as they are.
func tableItem(snap *live.Snapshot, t *live.Table) space.Item {
	item := space.Item{
		Schema: t.Schema, Table: t.Name, Partition: t.Partition, Engine: t.Engine, Comment: t.Comment, RowFormat: t.RowFormat, Space: t.Space,
		Rows: t.Rows, DataBytes: t.Data, IndexBytes: t.Index, FreeBytes: t.Free, FileBytes: t.File, AllocatedBytes: t.Allocated,
		Source: space.FromStatistics, AsOf: t.Age,
	}
	if t.Engine != "InnoDB" {
		item.Source = space.FromServer
	}
	if t.Age.IsZero() {
		item.AsOf = snap.Now
	}
	if item.FileBytes != nil {
		item.Figures = map[string]space.Provenance{
			"fileBytes":      {Source: space.FromTablespace, AsOf: snap.Now},
			"allocatedBytes": {Source: space.FromTablespace, AsOf: snap.Now},
		}
	}
	if t.Place != "own" {
		item.Notes = append(item.Notes, "in a tablespace that it shares: "+t.Place)
	}
	item.TotalBytes = sum(item.DataBytes, item.IndexBytes, item.FreeBytes)
	return item
}

// sum adds what is known; nil where nothing is.
func sum(figures ...*int64) *int64 {
	var all *int64
	for _, f := range figures {
		if f == nil {
			continue
		}
		if all == nil {
			all = new(int64)
		}
		*all += *f
	}
	return all
}

func indexItems(snap *live.Snapshot, t *live.Table) []space.Item {
	items := make([]space.Item, 0, len(t.Indexes))
	for i, x := range t.Indexes {
		item := tableItem(snap, t)
		item.Index, item.Comment = x.Name, ""
		item.DataBytes, item.IndexBytes, item.FreeBytes, item.FileBytes, item.AllocatedBytes, item.Figures = nil, nil, nil, nil, nil, nil
		item.TotalBytes = x.Bytes
		if x.Kind&1 != 0 {
			item.DataBytes = x.Bytes
		} else {
			item.IndexBytes = x.Bytes
		}
		if i > 0 { // each index has the table's rows: a sum counts them once
			item.Rows = nil
		}
		items = append(items, item)
	}
	return items
}

// Places are the folders beyond the data folder that a server's variables name.
func Places(snap *live.Snapshot, dir string) []datadir.Place {
	var places []datadir.Place
	for _, v := range [][2]string{
		{"innodb_data_home_dir", "system tablespace"},
		{"innodb_undo_directory", "undo tablespaces"},
		{"innodb_log_group_home_dir", "redo log"},
		{"innodb_temp_tablespaces_dir", "temporary tablespaces"},
		{"log_bin_basename", "binary logs"},
		{"relay_log_basename", "relay logs"},
	} {
		path := snap.Variables[v[0]]
		if strings.HasSuffix(v[0], "_basename") && path != "" {
			path = filepath.Dir(path)
		}
		if path = filepath.Clean(path); !filepath.IsAbs(path) || within(path, dir) || slices.ContainsFunc(places, func(p datadir.Place) bool { return p.Dir == path }) {
			continue
		}
		places = append(places, datadir.Place{Dir: path, For: v[1]})
	}
	return places
}

func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// ErrOtherServer says that a data folder is not that of the server.
var ErrOtherServer = fmt.Errorf("the files are not those of the server that answers")
