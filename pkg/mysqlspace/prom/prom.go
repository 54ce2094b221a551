// Package prom writes a report as metrics in the text format that Prometheus reads, for node_exporter's textfile collector:
// gauges of the largest tables, and of each schema and the server as sums of all tables, so that the number of series stays
// bounded. What is not known has no sample.
package prom

import (
	"io"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// figure is one figure of an item and the end of its metrics' names.
type figure struct {
	name, help string
	of         func(*space.Item) *float64
}

func figures() []figure {
	return []figure{
		{"data_bytes", "Pages of the clustered index, or the data file.", count(func(i *space.Item) *int64 { return i.DataBytes })},
		{"index_bytes", "Pages of secondary indexes, or the index file.", count(func(i *space.Item) *int64 { return i.IndexBytes })},
		{"free_bytes", "Pages of the file that hold nothing.", count(func(i *space.Item) *int64 { return i.FreeBytes })},
		{"file_bytes", "Apparent size of the files.", count(func(i *space.Item) *int64 { return i.FileBytes })},
		{"allocated_bytes", "Blocks of the files on the disk.", count(func(i *space.Item) *int64 { return i.AllocatedBytes })},
		{"reclaimable_bytes", "What a rebuild would give back.", count(func(i *space.Item) *int64 { return i.ReclaimableBytes })},
		{"reclaimable_low_bytes", "Lower bound of what a rebuild would give back.", count(func(i *space.Item) *int64 { return i.ReclaimableLowBytes })},
		{"reclaimable_high_bytes", "Upper bound of what a rebuild would give back.", count(func(i *space.Item) *int64 { return i.ReclaimableHighBytes })},
		{"rows", "Rows, exact or estimated as the server does.", count(func(i *space.Item) *int64 { return i.Rows })},
	}
}

func count(of func(*space.Item) *int64) func(*space.Item) *float64 {
	return func(i *space.Item) *float64 {
		n := of(i)
		if n == nil {
			return nil
		}
		return new(float64(*n))
	}
}

// Options say what is written.
type Options struct {
	// Top is how many tables are written by name, those that come first; 0 writes all.
	Top int
	// At is when the figures were collected.
	At time.Time
}

// Write writes a report whose items are tables, all of them, the largest first. Names that a terminal or a collector could
// trip over are made harmless; tables that then have the same name are summed.
func Write(w io.Writer, r *space.Report, o Options) error {
	var all families
	top := r.Items
	if o.Top > 0 {
		top = top[:min(o.Top, len(top))]
	}
	for _, f := range figures() {
		tables := all.gauge("opsctl_mysql_table_"+f.name, f.help)
		for i := range top {
			tables.add(f.of(&top[i]), "schema", top[i].Schema, "table", top[i].Table)
		}
		schemas := all.gauge("opsctl_mysql_schema_"+f.name, f.help+" Sum of the schema's tables.")
		server := all.gauge("opsctl_mysql_server_"+f.name, f.help+" Sum of all tables.")
		for i := range r.Items {
			schemas.add(f.of(&r.Items[i]), "schema", r.Items[i].Schema)
			server.add(f.of(&r.Items[i]))
		}
	}
	fill := all.gauge("opsctl_mysql_table_fill_ratio", "Share of the leaf pages' room that records use.")
	for i := range top {
		fill.add(top[i].Fill, "schema", top[i].Schema, "table", top[i].Table)
	}
	tables := all.gauge("opsctl_mysql_schema_tables", "Tables in the schema.")
	for i := range r.Items {
		tables.add(new(1.0), "schema", r.Items[i].Schema)
	}
	all.surroundings(r, o.At)
	return all.write(w)
}
