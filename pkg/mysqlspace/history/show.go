package history

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// Options say what Show computes. The zero value of a limit means its default.
type Options struct {
	// Server picks the records of one server; it may be "" where the file holds those of one only.
	Server string
	// Since leaves earlier records out.
	Since time.Time
	// By is "table", "schema" or "server".
	By            string
	Schema, Table string // "" takes all
	Top           int    // the fastest growing; 0 takes all
	// MinRecords and MinSpan are the evidence below which nothing is said about growth: 7 records, and 3 days from the first
	// to the last.
	MinRecords int
	MinSpan    time.Duration
}

// The evidence that a growth needs unless Options say otherwise.
const (
	DefaultMinRecords = 7
	DefaultMinSpan    = 72 * time.Hour
)

// reach is how many times the observed span a forecast may look ahead. What is further away is not said.
const reach = 10

// Outlook says what is known about a growth.
type Outlook string

// The outlooks. Growing and Shrinking are sure: both bounds of the growth are beyond zero.
const (
	Unknown   Outlook = "unknown" // too few records, or over too short a time
	Growing   Outlook = "growing"
	Steady    Outlook = "steady" // zero lies between the bounds
	Shrinking Outlook = "shrinking"
)

// Growth is how a table, a schema or a server grew.
type Growth struct {
	Schema  string    `json:"schema,omitempty"`
	Table   string    `json:"table,omitempty"`
	First   int64     `json:"firstBytes"`
	Last    int64     `json:"lastBytes"`
	Records int       `json:"records"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Outlook Outlook   `json:"outlook"`
	*Slope            // nil with Unknown
}

// MountGrowth is how a file system filled, and when it will be full.
type MountGrowth struct {
	Path    string    `json:"path"`
	For     []string  `json:"for"`
	Size    int64     `json:"bytes"`
	Used    int64     `json:"usedBytes"`
	Free    int64     `json:"freeBytes"`
	Records int       `json:"records"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Outlook Outlook   `json:"outlook"`
	*Slope            // of what is used; nil with Unknown
	// DaysUntilFull count from the last record: the free bytes by the growth, and by its bounds. They are nil unless the mount
	// is growing, and beyond ten times the observed span.
	DaysUntilFull     *float64 `json:"daysUntilFull"`
	DaysUntilFullLow  *float64 `json:"daysUntilFullLow"`
	DaysUntilFullHigh *float64 `json:"daysUntilFullHigh"`
	// Evidence says in a sentence what the forecast stands on, or why there is none.
	Evidence string `json:"evidence"`
}

// Report is the kind TableSpaceHistory.
type Report struct {
	Server  string    `json:"server"`
	Records int       `json:"records"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	By      string    `json:"by"`
	// Items are the fastest growing first; those of which nothing can be said are last, the largest first.
	Items  []Growth      `json:"items"`
	Shown  int           `json:"itemsInAll"` // before Top cut them
	Mounts []MountGrowth `json:"mounts"`
	// Notes say what was left out: lines that are no records, by file and line.
	Notes []string `json:"notes"`
}

// ErrNoRecords is of a history that holds none of what was asked for.
var ErrNoRecords = errors.New("no records")

// ServersError is of a history of several servers where one has to be named.
type ServersError struct{ Servers []string }

// Error counts them.
func (e *ServersError) Error() string {
	return fmt.Sprintf("the history holds records of %d servers", len(e.Servers))
}

// Show computes growth from records that come by time. What is no longer there in the last record is left out.
func Show(records []Record, o Options) (*Report, error) {
	o.MinRecords, o.MinSpan = cmp.Or(o.MinRecords, DefaultMinRecords), cmp.Or(o.MinSpan, DefaultMinSpan)
	records, err := pick(records, &o)
	if err != nil {
		return nil, err
	}
	last := &records[len(records)-1]
	report := &Report{
		Server: o.Server, Records: len(records), From: records[0].At, To: last.At, By: cmp.Or(o.By, "table"),
		Items: items(records, &o), Mounts: []MountGrowth{}, Notes: []string{},
	}
	report.Shown = len(report.Items)
	if o.Top > 0 && len(report.Items) > o.Top {
		report.Items = report.Items[:o.Top]
	}
	for i := range last.Mounts {
		report.Mounts = append(report.Mounts, mount(records, last.Mounts[i].Path, &o))
	}
	return report, nil
}

// pick takes the records of one server since a time, one for each moment: of several the last.
func pick(records []Record, o *Options) ([]Record, error) {
	var servers []string
	var picked []Record
	for _, r := range records {
		if o.Server == "" && !slices.Contains(servers, r.Server) {
			servers = append(servers, r.Server)
		}
		if o.Server != "" && r.Server != o.Server || r.At.Before(o.Since) {
			continue
		}
		if n := len(picked); n > 0 && picked[n-1].At.Equal(r.At) {
			picked = picked[:n-1]
		}
		picked = append(picked, r)
	}
	if len(servers) > 1 {
		return nil, &ServersError{Servers: servers}
	}
	if len(picked) == 0 {
		return nil, ErrNoRecords
	}
	o.Server = picked[0].Server
	return picked, nil
}

// name is what a series is of.
type name struct{ schema, table string }

// sizes are those of a record by name, as --by says.
func (r *Record) sizes(o *Options) map[name]int64 {
	sums, list := map[name]int64{}, r.Tables
	if o.By == "schema" || o.By == "server" {
		list = r.Schemas
	}
	for _, s := range list {
		if o.Schema != "" && s.Schema != o.Schema || o.Table != "" && s.Table != o.Table {
			continue
		}
		of := name{s.Schema, s.Table}
		if o.By == "server" {
			of = name{}
		}
		sums[of] += s.Bytes
	}
	return sums
}

func items(records []Record, o *Options) []Growth {
	series := map[name][]point{}
	for i := range records {
		for of, bytes := range records[i].sizes(o) {
			series[of] = append(series[of], point{records[i].At, bytes})
		}
	}
	all := []Growth{}
	for of := range records[len(records)-1].sizes(o) {
		points := series[of]
		first, last := points[0], points[len(points)-1]
		g := Growth{Schema: of.schema, Table: of.table, First: first.bytes, Last: last.bytes, Records: len(points), From: first.at, To: last.at}
		g.Outlook, g.Slope = outlook(points, o)
		all = append(all, g)
	}
	sort.SliceStable(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return cmp.Or(cmp.Compare(b.rate(), a.rate()), cmp.Compare(b.Last, a.Last), cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table)) < 0
	})
	return all
}

// rate is the growth for sorting: what is not known comes last.
func (g *Growth) rate() float64 {
	if g.Slope == nil {
		return math.Inf(-1)
	}
	return float64(g.BytesPerDay)
}

func outlook(points []point, o *Options) (Outlook, *Slope) {
	if len(points) < max(o.MinRecords, 2) || points[len(points)-1].at.Sub(points[0].at) < o.MinSpan {
		return Unknown, nil
	}
	slope := theilSen(points)
	switch {
	case slope.Low > 0:
		return Growing, &slope
	case slope.High < 0:
		return Shrinking, &slope
	}
	return Steady, &slope
}
