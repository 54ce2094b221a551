package mysqlcmd

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace/history"
)

func historyView(r *history.Report) render.View {
	return render.View{
		Kind: "TableSpaceHistory",
		Body: r,
		Page: func(p *render.Page) { historyPage(p, r) },
		CSV:  func() ([]string, [][]string) { return historyCSV(r) },
		Names: func() []string {
			names := make([]string, 0, len(r.Items))
			for i := range r.Items {
				names = append(names, cmp.Or(strings.Trim(r.Items[i].Schema+"."+r.Items[i].Table, "."), r.Server))
			}
			return names
		},
	}
}

func historyPage(p *render.Page, r *history.Report) {
	p.Para("%s: %s from %s to %s", r.Server, render.Count(r.Records, "record"), p.Time(r.From), p.Time(r.To))
	heads, right := []string{"SCHEMA", "TABLE"}, []bool{false, false}
	switch r.By {
	case "schema":
		heads, right = heads[:1], right[:1]
	case "server":
		heads, right = nil, nil
	}
	named := len(heads)
	heads = append(heads, "FIRST", "LAST", "GROWTH A DAY", "BETWEEN", "RECORDS", "OUTLOOK")
	right = append(right, true, true, true, true, true)
	rows := make([][]string, 0, len(r.Items))
	for i := range r.Items {
		g := &r.Items[i]
		rate, between := growth(g.Slope)
		names := []string{nameCell(p, g.Schema), nameCell(p, g.Table)}[:named]
		rows = append(rows, append(names, render.Bytes(g.First), render.Bytes(g.Last), rate, between, strconv.Itoa(g.Records), string(g.Outlook)))
	}
	p.Table(heads, right, rows)
	if n := r.Shown - len(r.Items); n > 0 {
		p.Para("and %s more: --top 0 shows all", render.Thousands(int64(n)))
	}
	historyMounts(p, r)
	for _, note := range r.Notes {
		p.Para("note: %s", note)
	}
}

func nameCell(p *render.Page, name string) string {
	if p.Wide() {
		return name
	}
	return shorten(name)
}

// maxName is how many characters of a name the default table shows.
const maxName = 28

func shorten(name string) string {
	runes := []rune(name)
	if len(runes) <= maxName {
		return name
	}
	return string(runes[:maxName-8]) + "..." + string(runes[len(runes)-5:])
}

// growth is a slope in words, and its bounds.
func growth(s *history.Slope) (rate, between string) {
	if s == nil {
		return "-", "-"
	}
	return render.Bytes(s.BytesPerDay), render.Bytes(s.Low) + " to " + render.Bytes(s.High)
}

func historyMounts(p *render.Page, r *history.Report) {
	if len(r.Mounts) == 0 {
		return
	}
	p.Heading("Mounts")
	var rows [][]string
	for i := range r.Mounts {
		m := &r.Mounts[i]
		rate, between := growth(m.Slope)
		rows = append(rows, []string{m.Path, render.Bytes(m.Size), render.Bytes(m.Free), rate, between, untilFull(m)})
	}
	p.Table([]string{"MOUNT", "SIZE", "FREE", "GROWTH A DAY", "BETWEEN", "FULL IN"}, []bool{false, true, true, true, true, true}, rows)
	for i := range r.Mounts {
		p.Para("%s: %s", r.Mounts[i].Path, r.Mounts[i].Evidence)
	}
}

// untilFull is when a mount is full, with its bounds; "-" where that is not known.
func untilFull(m *history.MountGrowth) string {
	if m.DaysUntilFull == nil {
		return "-"
	}
	high := "more"
	if m.DaysUntilFullHigh != nil {
		high = fmt.Sprintf("%.0f", *m.DaysUntilFullHigh)
	}
	return fmt.Sprintf("%.0f days (%.0f to %s)", *m.DaysUntilFull, *m.DaysUntilFullLow, high)
}

func historyCSV(r *history.Report) (heads []string, rows [][]string) {
	heads = []string{"schema", "table", "firstBytes", "lastBytes", "records", "from", "to", "outlook", "bytesPerDay", "bytesPerDayLow", "bytesPerDayHigh"}
	for i := range r.Items {
		g := &r.Items[i]
		rate, low, high := "", "", ""
		if g.Slope != nil {
			rate, low, high = strconv.FormatInt(g.BytesPerDay, 10), strconv.FormatInt(g.Low, 10), strconv.FormatInt(g.High, 10)
		}
		rows = append(rows, []string{
			g.Schema, g.Table, strconv.FormatInt(g.First, 10), strconv.FormatInt(g.Last, 10), strconv.Itoa(g.Records),
			g.From.UTC().Format(time.RFC3339), g.To.UTC().Format(time.RFC3339), string(g.Outlook), rate, low, high,
		})
	}
	return heads, rows
}
