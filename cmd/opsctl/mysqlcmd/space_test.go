package mysqlcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/severity"
)

var at = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// sample is a report with all that there can be in one.
func sample() *space.Report {
	item := space.Item{
		Schema: "shop", Table: "\x1b[31mred\u202e" + strings.Repeat("a", 40), Engine: "InnoDB", Rows: new(int64(1234567)), DataBytes: new(int64(7 << 30)),
		IndexBytes: new(int64(1 << 30)), FreeBytes: new(int64(0)), TotalBytes: new(int64(8 << 30)), ReclaimableBytes: new(int64(2 << 30)),
		ReclaimableLowBytes: new(int64(1 << 30)), ReclaimableHighBytes: new(int64(3 << 30)), Fill: new(0.5), Method: "in-place", Source: space.FromFile, AsOf: at,
		Figures: map[string]space.Provenance{"rows": {Source: space.FromStatistics, AsOf: at.Add(-48 * time.Hour)}}, Notes: []string{"read while it changed"},
	}
	findings := []space.Finding{{ID: "autoincrement", Severity: severity.High, Schema: "shop", Table: "orders", Share: new(0.81), Message: "orders.id has used 81 %"}}
	for n := range 7 {
		findings = append(findings, space.Finding{ID: "no-primary-key", Severity: severity.Low, Schema: "shop", Table: fmt.Sprintf("t%d", n), Message: "no primary key"})
	}
	var unknown []space.File
	for n := range 12 {
		unknown = append(unknown, space.File{Path: fmt.Sprintf("dump%d.sql", n), Category: space.Unknown, Bytes: 4096, Why: "no rule knows it"})
	}
	return &space.Report{
		Server: &space.Server{Flavour: "mariadb", Version: "11.8.3", Address: "db1:3306"}, Datadir: "/var/lib/mysql",
		Items:      []space.Item{item, {Schema: "logs", Table: "later"}},
		Accounting: []space.Sum{{Category: space.Redo, Bytes: 1 << 30, Files: 1}, {Category: space.Tables, Bytes: 9 << 30, Files: 2}, {Category: space.Undo}},
		Unknown:    unknown,
		Mounts:     []space.Mount{{Path: "/data", Bytes: 100 << 30, Used: 90 << 30, Free: 10 << 30, For: []string{"datadir", "tmpdir"}}},
		Findings:   findings,
		Limits:     []space.Limit{{What: "INNODB_SYS_TABLESPACES cannot be read", Help: "GRANT PROCESS ON *.* TO monitor"}},
	}
}

// run runs a command line over the sample.
func run(t *testing.T, problems []error, args ...string) (code cli.Code, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	env := &cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &complaints, Getenv: func(string) string { return "" }, Version: "1.2.3",
		Hostname: func() (string, error) { return "db1", nil }, Now: func() time.Time { return at },
	}
	collect := func(_ context.Context, o mysqlspace.Options) (*space.Report, error) {
		if o.Datadir == "denied" {
			return nil, fmt.Errorf("reading: %w", fs.ErrPermission)
		}
		r := sample()
		r.Problems = problems
		o.Apply(r)
		o.Thresholds.Check(r)
		return r, nil
	}
	code = cli.Main(t.Context(), env, func(env *cli.Env) *cobra.Command {
		root := &cobra.Command{Use: "opsctl"}
		root.AddCommand(newSpace(env, collect))
		return root
	}, append([]string{"space", "--datadir", "x"}, args...))
	return code, out.String(), complaints.String()
}

func TestTheReportForPeople(t *testing.T) {
	code, out, _ := run(t, nil)
	for _, want := range []string{
		"MariaDB 11.8.3 at db1:3306, files of /var/lib/mysql\n",
		"SCHEMA  TABLE                          DATA  INDEXES  FREE    TOTAL  RECLAIMABLE\n",
		"shop    \ufffd[31mred\ufffdaaaaaaaaa...aaaaa  7.0 GiB  1.0 GiB   0 B  8.0 GiB      2.0 GiB\n",
		"logs    later                             -        -     -        -            -\n",
		"2 tables: 7.0 GiB data, 1.0 GiB indexes, 0 B free, 8.0 GiB in all\n",
		"rebuilds would give back 2.0 GiB (1.0 GiB to 3.0 GiB); for 1 of the 2 shown none was predicted\n",
		"sizes: read from the files, 2026-03-01 02:00:00 UTC\nrows: statistics of the last ANALYZE, 2026-02-27 02:00:00 UTC\n",
		"On disk: 10 GiB in 3 files\n", "tables    9.0 GiB  90.0 %", "Unknown files (12)\n", "dump9.sql", "and 2 more: -o wide shows all\n",
		"/data  100 GiB  90 %  10 GiB  datadir, tmpdir\n", "Findings (8)\nhigh  autoincrement  shop.orders\n    orders.id has used 81 %\n",
		"and 2 more of no-primary-key: -o wide shows all\n", "Limits\nINNODB_SYS_TABLESPACES cannot be read\n    GRANT PROCESS ON *.* TO monitor\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if code != cli.CodeOK || strings.Contains(out, "dump10.sql") || strings.Contains(out, "undo") || strings.ContainsAny(out, "\x1b\u202e") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// TestTablesOfUsualNamesFitATerminal wants names of 29 characters whole in 80 columns, and longer ones cut to fit.
func TestTablesOfUsualNamesFitATerminal(t *testing.T) {
	sizes := space.Item{
		DataBytes: new(int64(999 << 20)), IndexBytes: new(int64(999 << 20)), FreeBytes: new(int64(999 << 20)), TotalBytes: new(int64(999 << 20)),
		ReclaimableBytes: new(int64(999 << 20)), Fill: new(1.0), Engine: "InnoDB",
	}
	for by, names := range map[string][][4]string{
		"table":     {{"inventory", "warehouse_movements1"}, {strings.Repeat("s", 64), strings.Repeat("t", 64)}},
		"partition": {{"inventory", "movements", "p20260301"}, {strings.Repeat("s", 64), strings.Repeat("t", 64), strings.Repeat("p", 64)}},
		"index":     {{"inventory", "movements", "", "by_warehouse"}, {strings.Repeat("s", 64), strings.Repeat("t", 64), "", "fts_0000000000000435_deleted"}},
	} {
		for long, n := range names {
			item := sizes
			item.Schema, item.Table, item.Partition, item.Index = n[0], n[1], n[2], n[3]
			out := pageOf(t, &space.Report{By: by, Items: []space.Item{item}, Shown: 1})
			lines := strings.Split(out, "\n")
			if width := max(len(lines[1]), len(lines[2])); width > 80 {
				t.Errorf("by %s: %d columns\n%s", by, width, out)
			}
			if strings.Contains(out, "...") != (long == 1) {
				t.Errorf("by %s:\n%s", by, out)
			}
		}
	}
}

// pageOf is the report for people.
func pageOf(t *testing.T, r *space.Report) string {
	t.Helper()
	var out bytes.Buffer
	env := &cli.Env{Out: &out, Format: cli.Table, Getenv: func(string) string { return "" }, Now: func() time.Time { return at }, Hostname: func() (string, error) { return "db1", nil }}
	if err := render.Document(env, (&spaceOptions{}).view(env, r)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheWideReportLeavesNothingOut(t *testing.T) {
	_, out, _ := run(t, nil, "-o", "wide")
	for _, want := range []string{
		strings.Repeat("a", 40), "1,234,567", "1.0 GiB  3.0 GiB", "in-place  file", "rows: statistics 2026-02-27 02:00:00 UTC", "read while it changed", "dump11.sql", "shop.t6", "undo",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q\n%s", want, out)
		}
	}
}

func TestWithoutTablesTheRestIsShown(t *testing.T) {
	code, out, _ := run(t, nil, "--schema", "none")
	if code != cli.CodeOK || !strings.Contains(out, "no tables that were asked for can be seen: names are case-sensitive, and * stands for any characters\n\nOn disk: ") || strings.Contains(out, "SCHEMA") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestThePageHasTheServersFilesToo(t *testing.T) {
	_, out, _ := run(t, nil, "-o", "html")
	for _, want := range []string{`"name":"shop","leaves":[{"n":"`, `{"name":"(server files)","leaves":[{"n":"redo","o":1073741824,`, "GRANT PROCESS ON *.* TO monitor", "<h2>Findings (8)</h2>"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(out, `"n":"tables"`) {
		t.Error("tables are there twice")
	}
	if _, out, _ = run(t, nil, "-o", "html", "--schema", "shop"); strings.Contains(out, "server files") {
		t.Error("files of the server in a schema")
	}
}

func TestFiguresOfDifferentAges(t *testing.T) {
	items := []space.Item{{Source: space.FromServer, AsOf: at}, {Source: space.FromServer, AsOf: at.Add(-time.Hour)}, {Source: space.FromFile}}
	got := provenance(items, func(t time.Time) string { return t.Format("15:04") })
	if want := "sizes: 2 said by the server, the oldest of 01:00; 1 read from the files"; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %s", got, want)
	}
}

func TestVerdicts(t *testing.T) {
	broken := []error{errors.New("a.ibd: is cut off"), errors.New("b.ibd: is cut off")}
	for _, c := range []struct {
		problems []error
		args     string
		code     cli.Code
		stderr   string
	}{
		{nil, "--fail-on mount=90%", cli.CodeFound, ""},
		{nil, "--fail-on mount=91%,autoincrement=82%,reclaimable=26%", cli.CodeOK, ""},
		{nil, "--fail-on autoincrement=81%", cli.CodeFound, ""},
		{nil, "--fail-on reclaimable=25%", cli.CodeFound, ""},
		{nil, "--fail-on reclaimable=25% --schema logs", cli.CodePartial, "opsctl: the limit of reclaimable was not judged: it needs readable files of the tables, sampled\n"},
		{broken, "", cli.CodePartial, "opsctl: a.ibd: is cut off\nopsctl: b.ibd: is cut off\n"},
		{broken, "--fail-on mount=90%", cli.CodeFound, "opsctl: a.ibd: is cut off\nopsctl: b.ibd: is cut off\n"},
	} {
		code, out, stderr := run(t, c.problems, strings.Fields(c.args)...)
		if code != c.code || stderr != c.stderr || !strings.Contains(out, "On disk") || (c.code == cli.CodeFound) != strings.Contains(out, "\nFAIL  ") {
			t.Errorf("%s: exit %d, %q\n%s", c.args, code, stderr, out)
		}
	}
}

func TestFilesThatMayNotBeRead(t *testing.T) {
	code, out, stderr := run(t, nil, "--datadir", "denied")
	if code != cli.CodeDenied || out != "" || !strings.Contains(stderr, "hint: run it as root") {
		t.Errorf("exit %d, %q, %q", code, out, stderr)
	}
}
