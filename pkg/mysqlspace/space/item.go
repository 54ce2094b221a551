// Package space holds what the packages below pkg/mysqlspace say to each other and to commands: figures of tables, of files
// and of mounts, each with its source and age. It computes nothing beyond sums and promises that an unknown figure is
// absent, never 0.
package space

import "time"

// Source says where a figure is from.
type Source string

// The sources, the most exact first.
const (
	FromFile       Source = "file"       // read from the file: page 0, descriptors, INODE, stat(2)
	FromSample     Source = "sample"     // computed from a sample of leaf pages
	FromTablespace Source = "tablespace" // information_schema.INNODB_TABLESPACES and its like: the server's own stat(2)
	FromEngine     Source = "engine"     // the header of a MyISAM or Aria file, or that engine's exact figures
	FromStatistics Source = "statistics" // mysql.innodb_table_stats and its like: the age is that of the last ANALYZE
	FromServer     Source = "server"     // the server's answer of now
)

// Item is one line of a report: a server, schema, table, partition or index, by which of the names are set. Sizes are bytes;
// a nil figure is unknown.
type Item struct {
	Schema    string `json:"schema"`
	Table     string `json:"table"`
	Partition string `json:"partition,omitempty"` // "p0", or "p0/sp1" for a subpartition
	Index     string `json:"index,omitempty"`
	Engine    string `json:"engine"` // "" where unknown; several, joined by commas, in a sum
	Comment   string `json:"comment,omitempty"`
	RowFormat string `json:"rowFormat,omitempty"` // "Dynamic", "Compressed" and the like where it is known to have been asked for

	Rows       *int64 `json:"rows"`
	DataBytes  *int64 `json:"dataBytes"`  // pages of the clustered index, or a data file
	IndexBytes *int64 `json:"indexBytes"` // pages of secondary indexes, or an index file
	// FreeBytes are pages of the file that hold nothing: what data_free means to say.
	FreeBytes  *int64 `json:"freeBytes"`
	TotalBytes *int64 `json:"totalBytes"` // data, indexes and free
	FileBytes  *int64 `json:"fileBytes"`  // apparent size: st_size
	// AllocatedBytes are st_blocks of 512: less than FileBytes in a file with holes.
	AllocatedBytes *int64 `json:"allocatedBytes"`

	// ReclaimableBytes are what a rebuild would give back to the file system; the true figure lies between the bounds in
	// 95 of 100 cases. Negative: the table would grow.
	ReclaimableBytes     *int64 `json:"reclaimableBytes"`
	ReclaimableLowBytes  *int64 `json:"reclaimableLowBytes"`
	ReclaimableHighBytes *int64 `json:"reclaimableHighBytes"`
	// Fill is the share of the leaf pages' room that records use, 0 to 1.
	Fill *float64 `json:"fill"`
	// Method is how a rebuild would go about it: "in-place", "copy", or "" where none was predicted.
	Method string `json:"method,omitempty"`

	Source Source    `json:"source"` // of the sizes
	AsOf   time.Time `json:"asOf"`
	// Figures name the source and age of those figures that are not from Source at AsOf, by their JSON name.
	Figures map[string]Provenance `json:"figures,omitempty"`
	// Notes say what limits a figure: encrypted, read while it changed, a shared tablespace counted elsewhere.
	Notes []string `json:"notes,omitempty"`

	// File is the path below the data folder, or absolute; "" for what has no file of its own, or a sum.
	File string `json:"file,omitempty"`
	// Space is the tablespace's id, nil where there is none or it is not known.
	Space *uint32 `json:"space,omitempty"`
}

// Provenance is where a figure is from, and of when it is.
type Provenance struct {
	Source Source    `json:"source"`
	AsOf   time.Time `json:"asOf"`
}

// Name is the item's name as people write it: schema.table, with partition and index behind it.
func (i *Item) Name() string {
	name := i.Schema
	for _, part := range []string{i.Table, i.Partition, i.Index} {
		if part == "" {
			continue
		}
		if name != "" {
			name += "."
		}
		name += part
	}
	return name
}
