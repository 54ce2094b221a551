package history

import (
	"fmt"
	"time"
)

// mount computes how the file system that is mounted at path filled.
func mount(records []Record, path string, o *Options) MountGrowth {
	var points []point
	var last Mount
	for i := range records {
		for _, m := range records[i].Mounts {
			if m.Path == path {
				points, last = append(points, point{records[i].At, m.Used}), m
				break
			}
		}
	}
	g := MountGrowth{
		Path: path, For: append([]string{}, last.For...), Size: last.Size, Used: last.Used, Free: last.Free,
		Records: len(points), From: points[0].at, To: points[len(points)-1].at,
	}
	g.Outlook, g.Slope = outlook(points, o)
	g.forecast(o)
	return g
}

// forecast divides what is free by the growth, as far as the evidence carries.
func (g *MountGrowth) forecast(o *Options) {
	span := g.To.Sub(g.From)
	basis := fmt.Sprintf("%d records over %s", g.Records, Span(span))
	if g.Records == 1 {
		basis = "1 record"
	}
	switch g.Outlook {
	case Unknown:
		g.Evidence = fmt.Sprintf("%s: at least %d over %s are needed", basis, max(o.MinRecords, 2), Span(o.MinSpan))
	case Steady:
		g.Evidence = basis + ": whether it grows or shrinks cannot be told"
	case Shrinking:
		g.Evidence = basis + ": it is getting emptier"
	case Growing:
		far := reach * span.Hours() / 24
		until := func(rate int64) *float64 { return new(float64(g.Free) / float64(rate)) }
		if days := until(g.BytesPerDay); *days > far {
			g.Evidence = fmt.Sprintf("%s: full in more than %.0f days, which is as far as they carry", basis, far)
			return
		}
		g.DaysUntilFull, g.DaysUntilFullLow = until(g.BytesPerDay), until(g.High)
		if high := until(g.Low); *high <= far {
			g.DaysUntilFullHigh = high
		}
		g.Evidence = basis
	}
}

// Span is a time in words: "14 days", "36 hours", "10 minutes".
func Span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f minutes", d.Minutes())
}
