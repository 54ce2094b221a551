package mysqlcmd

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// column is one column of a table of items.
type column struct {
	head  string
	csv   string // the field's name in JSON
	right bool
	wide  bool // with -o wide and in CSV only
	name  bool // the default table may cut it: it has to fit a terminal
	value func(*render.Page, *space.Item) string
	raw   func(*space.Item) string
}

// columnsFor are the columns that items of a kind have. Those that are not wide fit a terminal of 80 columns, beside names of 29
// characters.
func columnsFor(by string) []column {
	return slices.Concat(nameColumns(by), []column{
		text("ENGINE", "engine", func(i *space.Item) string { return i.Engine }),
		text("COMMENT", "comment", func(i *space.Item) string { return i.Comment }),
		number("ROWS", "rows", true, func(i *space.Item) *int64 { return i.Rows }),
		size("DATA", "dataBytes", false, func(i *space.Item) *int64 { return i.DataBytes }),
		size("INDEXES", "indexBytes", false, func(i *space.Item) *int64 { return i.IndexBytes }),
		size("FREE", "freeBytes", false, func(i *space.Item) *int64 { return i.FreeBytes }),
		size("TOTAL", "totalBytes", false, func(i *space.Item) *int64 { return i.TotalBytes }),
		size("FILE", "fileBytes", true, func(i *space.Item) *int64 { return i.FileBytes }),
		size("ALLOCATED", "allocatedBytes", true, func(i *space.Item) *int64 { return i.AllocatedBytes }),
		size("RECLAIMABLE", "reclaimableBytes", by == "index", func(i *space.Item) *int64 { return i.ReclaimableBytes }),
		size("LOW", "reclaimableLowBytes", true, func(i *space.Item) *int64 { return i.ReclaimableLowBytes }),
		size("HIGH", "reclaimableHighBytes", true, func(i *space.Item) *int64 { return i.ReclaimableHighBytes }),
		fillColumn(),
		text("METHOD", "method", func(i *space.Item) string { return i.Method }),
		text("SOURCE", "source", func(i *space.Item) string { return string(i.Source) }),
		asOfColumn(),
		figuresColumn(),
		text("NOTES", "notes", func(i *space.Item) string { return strings.Join(i.Notes, "; ") }),
		text("PATH", "file", func(i *space.Item) string { return i.File }),
	})
}

// nameColumns are those that name an item. The server has no name.
func nameColumns(by string) []column {
	all := []column{
		name("SCHEMA", "schema", func(i *space.Item) string { return i.Schema }),
		name("TABLE", "table", func(i *space.Item) string { return i.Table }),
		name("PARTITION", "partition", func(i *space.Item) string { return i.Partition }),
		name("INDEX", "index", func(i *space.Item) string { return i.Index }),
	}
	switch by {
	case "server":
		return nil
	case "schema":
		return all[:1]
	case "partition":
		return all[:3]
	case "index":
		return all
	}
	return all[:2]
}

// text is of wide tables alone.
func text(head, csv string, of func(*space.Item) string) column {
	return column{head: head, csv: csv, wide: true, raw: of, value: func(_ *render.Page, i *space.Item) string { return orDash(of(i)) }}
}

func name(head, csv string, of func(*space.Item) string) column {
	return column{head: head, csv: csv, name: true, raw: of, value: func(_ *render.Page, i *space.Item) string { return of(i) }}
}

func number(head, csv string, wide bool, of func(*space.Item) *int64) column {
	return column{head: head, csv: csv, right: true, wide: wide, raw: rawInt(of), value: func(_ *render.Page, i *space.Item) string {
		if n := of(i); n != nil {
			return render.Thousands(*n)
		}
		return "-"
	}}
}

func size(head, csv string, wide bool, of func(*space.Item) *int64) column {
	return column{head: head, csv: csv, right: true, wide: wide, raw: rawInt(of), value: func(_ *render.Page, i *space.Item) string {
		return bytesOr(of(i))
	}}
}

func rawInt(of func(*space.Item) *int64) func(*space.Item) string {
	return func(i *space.Item) string {
		if n := of(i); n != nil {
			return strconv.FormatInt(*n, 10)
		}
		return ""
	}
}

func fillColumn() column {
	return column{
		head: "FILL", csv: "fill", right: true, wide: true,
		value: func(_ *render.Page, i *space.Item) string {
			if i.Fill == nil {
				return "-"
			}
			return percent(*i.Fill)
		},
		raw: func(i *space.Item) string {
			if i.Fill == nil {
				return ""
			}
			return strconv.FormatFloat(*i.Fill, 'f', 4, 64)
		},
	}
}

func asOfColumn() column {
	return column{
		head: "AS OF", csv: "asOf", wide: true,
		value: func(p *render.Page, i *space.Item) string { return p.Time(i.AsOf) },
		raw: func(i *space.Item) string {
			if i.AsOf.IsZero() {
				return ""
			}
			return i.AsOf.UTC().Format(time.RFC3339)
		},
	}
}

// figuresColumn names the figures that are from elsewhere, or older, than SOURCE and AS OF say.
func figuresColumn() column {
	list := func(i *space.Item, moment func(time.Time) string) string {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(i.Figures)) {
			from := i.Figures[name]
			text := name + ": " + string(from.Source)
			if !from.AsOf.IsZero() {
				text += " " + moment(from.AsOf)
			}
			all = append(all, text)
		}
		return strings.Join(all, "; ")
	}
	return column{
		head: "BUT", csv: "figures", wide: true,
		value: func(p *render.Page, i *space.Item) string { return orDash(list(i, p.Time)) },
		raw: func(i *space.Item) string {
			return list(i, func(t time.Time) string { return t.UTC().Format(time.RFC3339) })
		},
	}
}

func bytesOr(n *int64) string {
	if n == nil {
		return "-"
	}
	return render.Bytes(*n)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// percent is a share in whole percents.
func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
