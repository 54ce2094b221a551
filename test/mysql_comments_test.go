package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// TestCommentsOfManyTablesAreThereOrMissed has more tables on MariaDB than it is asked for comments of: without their files a limit
// says which are missing, with them none is.
func TestCommentsOfManyTablesAreThereOrMissed(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil, "--innodb-flush-log-at-trx-commit=0", "--sync-frm=0")
	text := "create database many; use many;"
	for n := range 510 {
		text += fmt.Sprintf("create table t%d (id int primary key) engine=innodb comment='of %d';", n, n)
	}
	sql(t, d, text)
	for _, files := range []bool{false, true} {
		snap, err := live.Collect(t.Context(), mysqltest.Connect(t, d, mysqlconn.Options{}), live.Options{Files: func(string) bool { return files }})
		if err != nil {
			t.Fatal(err)
		}
		o := mysqlspace.Options{Snapshot: snap, Selection: mysqlspace.Selection{Schema: "many"}}
		if files {
			o.Datadir = d.Data
		}
		report, err := mysqlspace.Collect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Items) != 510 {
			t.Errorf("%d tables", len(report.Items))
		}
		missing := slices.ContainsFunc(report.Items, func(i space.Item) bool { return i.Comment != "of "+strings.TrimPrefix(i.Table, "t") })
		said := slices.ContainsFunc(report.Limits, func(l space.Limit) bool { return strings.HasPrefix(l.What, "comments of all but") })
		if missing == files || said == files {
			t.Errorf("files %v: comments are missing: %v; a limit says so: %v", files, missing, said)
		}
	}
}
