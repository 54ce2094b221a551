package mysqlcmd

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// spacePage writes the sections of the report for people.
type spacePage struct {
	*render.Page
	r *space.Report
}

func (w *spacePage) write() {
	w.server()
	w.items()
	w.totals()
	w.accounting()
	w.files("Unknown files", w.r.Unknown)
	w.files("Orphans", w.r.Orphans)
	w.mounts()
	w.findings()
	w.limits()
}

// server says who was asked, or which files were read.
func (w *spacePage) server() { w.Para("%s", subject(w.r)) }

// subject is what a report is about, in a line.
func subject(r *space.Report) string {
	var parts []string
	if s := r.Server; s != nil {
		name := map[string]string{"mariadb": "MariaDB", "mysql": "MySQL"}[s.Flavour]
		parts = append(parts, strings.TrimSpace(cmp.Or(name, s.Flavour)+" "+s.Version)+" at "+s.Address)
	}
	if r.Datadir != "" {
		parts = append(parts, "files of "+r.Datadir)
	}
	return strings.Join(parts, ", ")
}

func (w *spacePage) items() {
	if w.r.Shown == 0 {
		return
	}
	var heads []string
	var right []bool
	var names []int
	columns := slices.DeleteFunc(columnsFor(w.r.By), func(c column) bool { return !w.Wide() && (c.wide || w.vacant(c)) })
	for i, c := range columns {
		heads, right = append(heads, c.head), append(right, c.right)
		if c.name {
			names = append(names, i)
		}
	}
	rows := make([][]string, 0, len(w.r.Items))
	for i := range w.r.Items {
		row := make([]string, 0, len(columns))
		for _, c := range columns {
			row = append(row, c.value(w.Page, &w.r.Items[i]))
		}
		rows = append(rows, row)
	}
	if !w.Wide() {
		w.Shorten(heads, rows, names...)
	}
	w.Table(heads, right, rows)
}

// vacant says whether a column is one of names that no item has: partitions, of a server without any.
func (w *spacePage) vacant(c column) bool {
	return c.name && !slices.ContainsFunc(w.r.Items, func(i space.Item) bool { return c.raw(&i) != "" })
}

// totals are of all that was selected, also of what --top and --min-size leave out.
func (w *spacePage) totals() {
	if w.r.Shown == 0 {
		w.Para("no tables that were asked for can be seen: names are case-sensitive, and * stands for any characters")
		return
	}
	t := &w.r.Total
	what := countOf(w.r.Shown, w.r.By)
	if n := len(w.r.Items); n < w.r.Shown {
		what = fmt.Sprintf("%s of %s; all of them", render.Thousands(int64(n)), what)
	}
	w.Para("%s: %s data, %s indexes, %s free, %s in all", what, bytesOr(t.DataBytes), bytesOr(t.IndexBytes), bytesOr(t.FreeBytes), bytesOr(t.TotalBytes))
	if t.ReclaimableBytes != nil {
		w.Para("rebuilds would give back %s (%s to %s)%s", render.Bytes(*t.ReclaimableBytes), bytesOr(t.ReclaimableLowBytes), bytesOr(t.ReclaimableHighBytes), w.predicted())
	}
	for _, line := range provenance(w.r.Items, w.Time) {
		w.Para("%s", line)
	}
}

// predicted says of how many items the sum is, where it is not all.
func (w *spacePage) predicted() string {
	n := 0
	for i := range w.r.Items {
		if w.r.Items[i].ReclaimableBytes != nil {
			n++
		}
	}
	if n == len(w.r.Items) {
		return ""
	}
	return fmt.Sprintf("; for %d of the %d shown none was predicted", len(w.r.Items)-n, len(w.r.Items))
}

// countOf is a number of items in words.
func countOf(n int, by string) string {
	if by == "index" && n != 1 {
		return render.Thousands(int64(n)) + " indexes"
	}
	return render.Count(n, cmp.Or(by, "table"))
}

func (w *spacePage) accounting() {
	if len(w.r.Accounting) == 0 {
		return
	}
	var all int64
	count := 0
	for _, sum := range w.r.Accounting {
		all, count = all+sum.Bytes, count+sum.Files
	}
	w.Heading(fmt.Sprintf("On disk: %s in %s", render.Bytes(all), render.Count(count, "file")))
	var rows [][]string
	for _, sum := range largest(w.r.Accounting) {
		if sum.Files > 0 || w.Wide() {
			rows = append(rows, []string{string(sum.Category), render.Bytes(sum.Bytes), share(sum.Bytes, all), render.Bytes(sum.Apparent), render.Thousands(int64(sum.Files))})
		}
	}
	w.Table([]string{"CATEGORY", "ON DISK", "SHARE", "APPARENT", "FILES"}, []bool{false, true, true, true, true}, rows)
}

func largest(sums []space.Sum) []space.Sum {
	sorted := slices.Clone(sums)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Bytes > sorted[j].Bytes })
	return sorted
}

// share is a part in percent of a whole, "-" of nothing.
func share(part, whole int64) string {
	if whole <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// maxFiles is how many files the short report names.
const maxFiles = 10

func (w *spacePage) files(heading string, files []space.File) {
	if len(files) == 0 {
		return
	}
	w.Heading(fmt.Sprintf("%s (%d)", heading, len(files)))
	shown := files
	if !w.Wide() && len(shown) > maxFiles {
		shown = shown[:maxFiles]
	}
	var rows [][]string
	for _, f := range shown {
		rows = append(rows, []string{f.Path, render.Bytes(f.Bytes), f.Why})
	}
	w.Table([]string{"FILE", "ON DISK", "WHY"}, []bool{false, true}, rows)
	if n := len(files) - len(shown); n > 0 {
		w.Para("and %d more: -o wide shows all", n)
	}
}

func (w *spacePage) mounts() {
	if len(w.r.Mounts) == 0 {
		return
	}
	w.Heading("Mounts")
	var rows [][]string
	for i := range w.r.Mounts {
		m := &w.r.Mounts[i]
		used := "-"
		if share, known := mysqlspace.UsedShare(m); known {
			used = percent(share)
		}
		rows = append(rows, []string{m.Path, render.Bytes(m.Bytes), used, render.Bytes(m.Free), strings.Join(m.For, ", ")})
	}
	w.Table([]string{"MOUNT", "SIZE", "USED", "FREE", "FOR"}, []bool{false, true, true, true}, rows)
}

// maxFindings is how many findings of a kind the short report shows.
const maxFindings = 5

func (w *spacePage) findings() {
	if len(w.r.Findings) == 0 {
		return
	}
	w.Heading(fmt.Sprintf("Findings (%d)", len(w.r.Findings)))
	seen := map[string]int{}
	var more []string
	for i := range w.r.Findings {
		f := &w.r.Findings[i]
		seen[f.ID]++
		if !w.Wide() && !f.Failed && seen[f.ID] > maxFindings {
			if seen[f.ID] == maxFindings+1 {
				more = append(more, f.ID)
			}
			continue
		}
		word := string(f.Severity)
		if f.Failed {
			word = "FAIL"
		}
		if of := about(f); of == "" {
			w.Para("%s  %s", w.Severity(word), f.ID)
		} else {
			w.Para("%s  %s  %s", w.Severity(word), f.ID, of)
		}
		w.Para("    %s", f.Message)
	}
	for _, id := range more {
		w.Para("and %d more of %s: -o wide shows all", seen[id]-maxFindings, id)
	}
}

// about is what a finding is of.
func about(f *space.Finding) string {
	return (&space.Item{Schema: f.Schema, Table: f.Table, Index: f.Index}).Name()
}

func (w *spacePage) limits() {
	if len(w.r.Limits) == 0 {
		return
	}
	w.Heading("Limits")
	for _, l := range w.r.Limits {
		w.Para("%s", l.What)
		if l.Help != "" {
			w.Para("    %s", l.Help)
		}
	}
}
