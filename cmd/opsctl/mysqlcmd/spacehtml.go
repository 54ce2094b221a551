package mysqlcmd

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/report/treemap"
)

// writeHTML writes the report as a page with a treemap, with all the server's files where it is about all tables.
func writeHTML(w io.Writer, env *cli.Env, r *space.Report, all bool) error {
	host, _ := env.Hostname()
	moment := func(t time.Time) string { return render.Time(env, t) }
	page := &treemap.Page{
		Title: strings.TrimSpace("MySQL space on " + host),
		Lead:  subject(r) + ", " + moment(env.Now()),
		Tiles: spaceTiles(r),
		Foot:  "Written by opsctl " + env.Version + ". The page loads nothing and sends nothing.",
	}
	for i := range r.Items {
		page.Leaves = append(page.Leaves, leaf(&r.Items[i], moment))
	}
	if all {
		page.Leaves = append(page.Leaves, serverFiles(r)...)
	}
	page.Sections = spaceSections(r, moment)
	return treemap.Write(w, page)
}

func spaceTiles(r *space.Report) []treemap.Tile {
	t, cut := &r.Total, ""
	if len(r.Items) < r.Shown {
		cut = "of " + countOf(r.Shown, r.By)
	}
	tiles := []treemap.Tile{
		{Label: "Shown", Value: countOf(len(r.Items), r.By), Note: cut},
		{Label: "Data", Value: bytesOr(t.DataBytes)},
		{Label: "Indexes", Value: bytesOr(t.IndexBytes)},
		{Label: "Free pages", Value: bytesOr(t.FreeBytes)},
	}
	if t.ReclaimableBytes != nil {
		tiles = append(tiles, treemap.Tile{
			Label: "Rebuilds give back", Value: render.Bytes(*t.ReclaimableBytes), Note: bytesOr(t.ReclaimableLowBytes) + " to " + bytesOr(t.ReclaimableHighBytes),
		})
	}
	if len(r.Accounting) > 0 {
		var all int64
		for _, sum := range r.Accounting {
			all += sum.Bytes
		}
		tiles = append(tiles, treemap.Tile{Label: "All files on disk", Value: render.Bytes(all)})
	}
	return tiles
}

// serverFiles are what is on the disk beside tables. System tablespaces are left out: tables that lie in them are items.
func serverFiles(r *space.Report) []treemap.Leaf {
	var leaves []treemap.Leaf
	for _, sum := range r.Accounting {
		switch sum.Category {
		case space.Tables, space.Fulltext, space.OtherEngines, space.SystemTablespace:
			continue
		}
		leaves = append(leaves, treemap.Leaf{
			Group: "(server files)", Name: string(sum.Category), Other: sum.Bytes,
			Facts: [][2]string{{"files", render.Thousands(int64(sum.Files))}, {"source", meaning(space.FromFile)}},
		})
	}
	return leaves
}

// leaf is an item as an area: what of its size is not broken down is Other.
func leaf(i *space.Item, moment func(time.Time) string) treemap.Leaf {
	known := func(n *int64) int64 {
		if n == nil {
			return 0
		}
		return *n
	}
	l := treemap.Leaf{Data: known(i.DataBytes), Index: known(i.IndexBytes), Free: known(i.FreeBytes)}
	l.Other = max(mysqlspace.Size(i)-l.Data-l.Index-l.Free, 0)
	l.Group, l.Name = cmp.Or(i.Schema, "(no schema)"), strings.TrimPrefix(i.Name(), i.Schema+".")
	if i.ReclaimableBytes != nil && i.ReclaimableLowBytes != nil && i.ReclaimableHighBytes != nil {
		l.Reclaimable = &treemap.Range{Low: *i.ReclaimableLowBytes, Bytes: *i.ReclaimableBytes, High: *i.ReclaimableHighBytes}
	}
	l.Facts = facts(i, moment)
	return l
}

// facts are the lines of a tooltip behind the sizes.
func facts(i *space.Item, moment func(time.Time) string) [][2]string {
	var all [][2]string
	add := func(label, value string) {
		if value != "" && value != "-" {
			all = append(all, [2]string{label, value})
		}
	}
	add("engine", i.Engine)
	if i.Rows != nil {
		from := ""
		if p, other := i.Figures["rows"]; other {
			from = " (" + meaning(p.Source) + ")"
		}
		add("rows", render.Thousands(*i.Rows)+from)
	}
	add("file", bytesOr(i.FileBytes))
	add("on disk", bytesOr(i.AllocatedBytes))
	if i.Fill != nil {
		add("fill", percent(*i.Fill))
	}
	add("rebuild", i.Method)
	add("comment", i.Comment)
	source := meaning(i.Source)
	if !i.AsOf.IsZero() {
		source += ", " + moment(i.AsOf)
	}
	add("source", source)
	for _, note := range i.Notes {
		add("note", note)
	}
	return all
}

// spaceSections are the tables below the map.
func spaceSections(r *space.Report, moment func(time.Time) string) []treemap.Section {
	items := treemap.Section{Heading: countOf(len(r.Items), r.By), Notes: provenance(r.Items, moment)}
	for _, c := range nameColumns(r.By) {
		items.Heads, items.Right = append(items.Heads, sentence(c.head)), append(items.Right, false)
	}
	items.Heads = append(items.Heads, "Engine", "Rows", "Data", "Indexes", "Free", "Total", "On disk", "Gives back", "Between", "Fill")
	items.Right = append(items.Right, false, true, true, true, true, true, true, true, true, true)
	for i := range r.Items {
		items.Rows = append(items.Rows, itemCells(&r.Items[i], r.By))
	}
	all := []treemap.Section{items}
	return append(all, sideSections(r)...)
}

// sentence is a heading of a column as prose writes it.
func sentence(head string) string { return head[:1] + strings.ToLower(head[1:]) }

func itemCells(i *space.Item, by string) []treemap.Cell {
	var texts []string
	for _, c := range nameColumns(by) {
		texts = append(texts, c.raw(i))
	}
	rows, fill, between := "-", "-", "-"
	if i.Rows != nil {
		rows = render.Thousands(*i.Rows)
	}
	if i.Fill != nil {
		fill = percent(*i.Fill)
	}
	if i.ReclaimableLowBytes != nil && i.ReclaimableHighBytes != nil {
		between = bytesOr(i.ReclaimableLowBytes) + " to " + bytesOr(i.ReclaimableHighBytes)
	}
	texts = append(texts, i.Engine, rows, bytesOr(i.DataBytes), bytesOr(i.IndexBytes), bytesOr(i.FreeBytes), bytesOr(i.TotalBytes),
		bytesOr(i.AllocatedBytes), bytesOr(i.ReclaimableBytes), between, fill)
	return treemap.Cells(texts...)
}

// sideSections are what a report says besides its items; empty ones are left out.
func sideSections(r *space.Report) []treemap.Section {
	accounting := treemap.Section{Heading: "On disk, by category", Heads: []string{"Category", "On disk", "Share", "Apparent", "Files"}, Right: []bool{false, true, true, true, true}}
	var all int64
	for _, sum := range r.Accounting {
		all += sum.Bytes
	}
	for _, sum := range largest(r.Accounting) {
		accounting.Rows = append(accounting.Rows, treemap.Cells(string(sum.Category), render.Bytes(sum.Bytes), share(sum.Bytes, all), render.Bytes(sum.Apparent), render.Thousands(int64(sum.Files))))
	}
	mounts := treemap.Section{Heading: "Mounts", Heads: []string{"Mount", "Size", "Used", "Free", "For"}, Right: []bool{false, true, true, true}}
	for i := range r.Mounts {
		m := &r.Mounts[i]
		used := treemap.Cell{Text: "-"}
		if share, known := mysqlspace.UsedShare(m); known {
			used = treemap.Cell{Text: percent(share), Share: &share}
		}
		row := treemap.Cells(m.Path, render.Bytes(m.Bytes), "", render.Bytes(m.Free), strings.Join(m.For, ", "))
		row[2] = used
		mounts.Rows = append(mounts.Rows, row)
	}
	findings := treemap.Section{Heading: fmt.Sprintf("Findings (%d)", len(r.Findings)), Heads: []string{"Severity", "Finding", "Of", "What"}}
	for i := range r.Findings {
		f := &r.Findings[i]
		findings.Rows = append(findings.Rows, treemap.Cells(string(f.Severity), f.ID, about(f), f.Message))
	}
	limits := treemap.Section{Heading: "Limits", Heads: []string{"What could not be seen", "What helps"}}
	for _, l := range r.Limits {
		limits.Rows = append(limits.Rows, treemap.Cells(l.What, l.Help))
	}
	return withRows(mounts, findings, fileSection("Unknown files", r.Unknown), fileSection("Orphans", r.Orphans), accounting, limits)
}

func fileSection(heading string, files []space.File) treemap.Section {
	s := treemap.Section{Heading: fmt.Sprintf("%s (%d)", heading, len(files)), Heads: []string{"File", "On disk", "Why"}, Right: []bool{false, true}}
	for _, f := range files {
		s.Rows = append(s.Rows, treemap.Cells(f.Path, render.Bytes(f.Bytes), f.Why))
	}
	return s
}

func withRows(sections ...treemap.Section) []treemap.Section {
	var kept []treemap.Section
	for _, s := range sections {
		if len(s.Rows) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}
