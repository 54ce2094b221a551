package mysqlspace

import (
	"fmt"
	"strings"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/severity"
)

// The ids of findings about tables, beside those of thresholds.
const (
	NoPrimaryKey   = "no-primary-key"
	DuplicateIndex = "duplicate-index"
	UnusedIndex    = "unused-index"
	UndoCannot     = "undo-cannot-shrink"
)

// nearlyExhausted is from which share on a column's range is a finding without any --fail-on.
const nearlyExhausted = 0.8

// advice is what a server's dictionary and counters tell.
func advice(snap *live.Snapshot) []space.Finding {
	var all []space.Finding
	seen := map[string]bool{}
	for _, t := range snap.Tables {
		name := t.Schema + "." + t.Name
		if seen[name] || strings.HasPrefix(t.Schema, "mysql") || t.Schema == "sys" {
			continue
		}
		seen[name] = true
		if t.NoPrimaryKey && !t.Sequence {
			all = append(all, space.Finding{
				ID: NoPrimaryKey, Severity: severity.Low, Schema: t.Schema, Table: t.Name,
				Message: "it has no primary key: replicas search the whole table for each changed row, and online tools cannot copy it",
			})
		}
		if f, found := increment(t); found {
			all = append(all, f)
		}
	}
	for _, d := range snap.Duplicates {
		all = append(all, space.Finding{
			ID: DuplicateIndex, Severity: severity.Info, Schema: d.Schema, Table: d.Table, Index: d.Index, Bytes: d.Bytes,
			Message: fmt.Sprintf("the index %s begins with the same columns%s", d.By, size(d.Bytes)),
		})
	}
	for _, u := range snap.Unused {
		all = append(all, space.Finding{
			ID: UnusedIndex, Severity: severity.Info, Schema: u.Schema, Table: u.Table, Index: u.Index, Bytes: u.Bytes,
			Message: fmt.Sprintf("not used since the server started %s ago%s; other replicas and rare jobs may use it", days(snap), size(u.Bytes)),
		})
	}
	return append(all, undo(snap)...)
}

func size(bytes *int64) string {
	if bytes == nil {
		return ""
	}
	return ", " + bytesize.Format(*bytes)
}

func days(snap *live.Snapshot) string {
	return fmt.Sprintf("%.1f days", snap.Uptime.Hours()/24)
}

// increment is about a column whose range runs out. Its share is known for the tables that rows or type make likely; where it was
// derived of rows alone it is a lower bound.
func increment(t *live.Table) (space.Finding, bool) {
	a := t.AutoIncrement
	if a == nil || a.Max == 0 || a.Next == 0 {
		return space.Finding{}, false
	}
	share := min(1, float64(a.Next-1)/float64(a.Max))
	f := space.Finding{
		ID: AutoIncrement, Severity: severity.Info, Schema: t.Schema, Table: t.Name, Share: &share,
		Message: fmt.Sprintf("the column %s (%s) has used %.1f %% of its range", a.Column, a.Type, 100*share),
	}
	if share >= nearlyExhausted {
		f.Severity = severity.High
	}
	return f, share >= 0.5
}

// undo says why undo logs cannot shrink.
func undo(snap *live.Snapshot) []space.Finding {
	var all []space.Finding
	add := func(format string, args ...any) {
		all = append(all, space.Finding{ID: UndoCannot, Severity: severity.Info, Message: fmt.Sprintf(format, args...)})
	}
	if snap.Flavour == "mariadb" {
		switch snap.Variables["innodb_undo_tablespaces"] {
		case "0":
			add("undo logs are in the system tablespace, whose file never gets smaller: innodb_undo_tablespaces is 0, and only a new data folder changes it")
		case "1":
			add("one undo tablespace alone cannot be truncated: the other has to take over meanwhile")
		}
	}
	if snap.Variables["innodb_undo_log_truncate"] != "" && !snap.On("innodb_undo_log_truncate") && len(all) == 0 {
		add("undo tablespaces are not truncated: innodb_undo_log_truncate is off")
	}
	if snap.History != nil && *snap.History > 1_000_000 {
		add("purge is %d undo logs behind: a long transaction holds it back", *snap.History)
	}
	return all
}
