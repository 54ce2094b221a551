// Package history keeps how large tables and mounts were, and says how they grow. A history is a file of lines, each a JSON
// document of its own (NDJSON) that is appended whole and made durable; what was written is never changed. A line that a
// crash tore, or that somebody else wrote, is left out and named, and the rest is read.
package history

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// version is that of a line. A line of a later one is left out and named.
const version = 1

// MaxTables is how many tables, the largest, a record keeps by name; all are in the sums of their schemas.
const MaxTables = 1000

// Record is one line: what was at one time.
type Record struct {
	Version int       `json:"v"`
	At      time.Time `json:"at"`
	// Server is what was measured: the address of a server, or the path of a data folder without one. Records of different
	// servers in one file are told apart by it.
	Server  string   `json:"server"`
	Host    string   `json:"host,omitempty"`
	Tables  []Size   `json:"tables"`
	Schemas []Size   `json:"schemas"`
	Mounts  []Mount  `json:"mounts"`
	Files   []Files  `json:"files,omitempty"` // of the data folder, by category
	Sources []string `json:"sources"`         // where the sizes are from: see space.Source
}

// Size is how large a table or a schema was.
type Size struct {
	Schema string `json:"s"`
	Table  string `json:"t,omitempty"` // "" in the sum of a schema
	// Bytes are those of its files as far as they are known, else data, indexes and free pages as the server says. The files of
	// MyISAM and Aria tables are summed.
	Bytes int64 `json:"b"`
	// Free are the pages in it that hold nothing, nil where that is not known.
	Free *int64 `json:"f,omitempty"`
}

// Mount is how full a file system was. Sizes are bytes.
type Mount struct {
	Path string   `json:"path"`
	Size int64    `json:"size"`
	Used int64    `json:"used"`
	Free int64    `json:"free"`
	For  []string `json:"for,omitempty"`
}

// Files is what a category of files held.
type Files struct {
	Category string `json:"category"`
	Bytes    int64  `json:"b"`
}

// FromReport makes a record of a report by table. Tables whose size is not known are left out.
func FromReport(r *space.Report, host string, at time.Time) *Record {
	record := &Record{
		Version: version, At: at.UTC().Truncate(time.Second), Server: serverName(r), Host: host,
		Tables: []Size{}, Schemas: []Size{}, Mounts: []Mount{}, Sources: []string{},
	}
	schemas := map[string]*Size{}
	for i := range r.Items {
		item := &r.Items[i]
		bytes := cmp.Or(item.FileBytes, item.TotalBytes)
		if bytes == nil || item.Table == "" {
			continue
		}
		record.Tables = append(record.Tables, Size{Schema: item.Schema, Table: item.Table, Bytes: *bytes, Free: item.FreeBytes})
		sum := schemas[item.Schema]
		if sum == nil {
			sum = &Size{Schema: item.Schema}
			schemas[item.Schema] = sum
		}
		sum.Bytes += *bytes
		if source := string(item.Source); !slices.Contains(record.Sources, source) {
			record.Sources = append(record.Sources, source)
		}
	}
	for _, sum := range schemas {
		record.Schemas = append(record.Schemas, *sum)
	}
	sort.SliceStable(record.Schemas, func(i, j int) bool { return record.Schemas[i].Schema < record.Schemas[j].Schema })
	sort.SliceStable(record.Tables, func(i, j int) bool { return largestFirst(record.Tables[i], record.Tables[j]) < 0 })
	record.Tables = record.Tables[:min(len(record.Tables), MaxTables)]
	slices.Sort(record.Sources)
	for _, m := range r.Mounts {
		record.Mounts = append(record.Mounts, Mount{Path: m.Path, Size: m.Bytes, Used: m.Used, Free: m.Free, For: m.For})
	}
	for _, sum := range r.Accounting {
		record.Files = append(record.Files, Files{Category: string(sum.Category), Bytes: sum.Bytes})
	}
	return record
}

// serverName is the address that was asked, else the data folder.
func serverName(r *space.Report) string {
	switch {
	case r.Server != nil && r.Server.Address != "":
		return r.Server.Address
	case r.Datadir != "":
		return r.Datadir
	}
	return ""
}

func largestFirst(a, b Size) int {
	return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table))
}
