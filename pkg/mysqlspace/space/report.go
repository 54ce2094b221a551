package space

import (
	"time"

	"github.com/opsctl/opsctl/pkg/severity"
)

// Report is the kind TableSpaceList: what commands render.
type Report struct {
	Server  *Server `json:"server,omitempty"` // nil without one
	Datadir string  `json:"datadir,omitempty"`
	// By says what an item is: "server", "schema", "table", "partition" or "index".
	By    string `json:"by"`
	Items []Item `json:"items"`
	// Total sums all items, also those that --top and --min-size leave out.
	Total Item `json:"total"`
	// Shown is the number of items before --top and --min-size cut them.
	Shown int `json:"itemsInAll"`

	Accounting []Sum `json:"accounting"`
	// Elsewhere sums what lies beyond the data folder: links' targets, tables and logs in other folders.
	Elsewhere []Sum   `json:"accountingElsewhere,omitempty"`
	Unknown   []File  `json:"unknownFiles"`
	Orphans   []File  `json:"orphanFiles"`
	Mounts    []Mount `json:"mounts"`

	Findings []Finding `json:"findings"`
	// Limits say what could not be seen and what would help: a missing privilege with its GRANT, files that are not readable.
	Limits   []Limit `json:"limits"`
	Problems []error `json:"-"` // files that are wrong, truncated or not readable: exit 4
}

// Server is who was asked.
type Server struct {
	Flavour   string        `json:"flavour"` // "mariadb" or "mysql"
	Version   string        `json:"version"`
	Address   string        `json:"address"` // host:port or the path of a socket
	Uptime    time.Duration `json:"-"`
	UptimeSec int64         `json:"uptimeSeconds"`
	Managed   bool          `json:"managed"` // no files can be had: what its figures are worth is in Limits
}

// Finding is one thing that a check found.
type Finding struct {
	ID       string            `json:"id"`       // "reclaimable", "autoincrement", "duplicate-index", "no-primary-key" ...
	Severity severity.Severity `json:"severity"` // fails the run where a limit of --fail-on was crossed
	Failed   bool              `json:"failed"`   // a limit of --fail-on was crossed
	Schema   string            `json:"schema,omitempty"`
	Table    string            `json:"table,omitempty"`
	Index    string            `json:"index,omitempty"`
	Message  string            `json:"message"`
	Bytes    *int64            `json:"bytes,omitempty"`
	Share    *float64          `json:"share,omitempty"` // 0 to 1: of a limit used
}

// Limit is something that could not be seen.
type Limit struct {
	What string `json:"what"`
	// Help is what makes it visible, such as a GRANT; "" where nothing does.
	Help string `json:"help,omitempty"`
}
