package mysqlspace_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// TestCollectFromFiles holds the report of a server that has ended against what it said while it ran.
func TestCollectFromFiles(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	if _, err := d.SQL(t.Context(), mysqltest.Tables); err != nil {
		t.Fatal(err)
	}
	sizes, err := d.SQL(t.Context(), "flush tables; select if(name like 'shop/FTS\\_%', 'shop/words', name), sum(file_size) from information_schema.innodb_sys_tablespaces"+
		" where name like 'shop/%' group by 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	report, err := mysqlspace.Collect(t.Context(), mysqlspace.Options{Datadir: d.Data, Selection: mysqlspace.Selection{By: "partition", Schema: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Problems) > 0 {
		t.Error(report.Problems)
	}
	byFile, rows := map[string]space.Item{}, map[string]float64{}
	for _, i := range report.Items {
		byFile[strings.TrimSuffix(i.File, ".ibd")] = i
		if i.Rows != nil {
			rows[i.Table] += float64(*i.Rows)
		}
	}
	for line := range strings.Lines(sizes) {
		name, size, _ := strings.Cut(strings.TrimSpace(line), "\t")
		i, found := byFile[name]
		if !found || strconv.FormatInt(*i.FileBytes, 10) != size {
			t.Errorf("%s has %s, the report %+v", name, size, i)
		}
		if *i.TotalBytes > *i.FileBytes || *i.TotalBytes < *i.FileBytes/4 && !strings.Contains(name, "#P#") && *i.FileBytes > 1<<20 {
			t.Errorf("%s: total %d of %d", name, *i.TotalBytes, *i.FileBytes)
		}
	}
	for name, want := range map[string]float64{"plain": 40000, "half": 30000, "parts": 5000, "packed": 20000, "zipped": 20000, "words": 1} {
		if got := rows[name]; math.Abs(got-want) > 0.05*want {
			t.Errorf("%s: %.0f rows, want %.0f", name, got, want)
		}
	}
}

// TestOtherEngines holds MyISAM, Aria and definitions against the server's own answer.
func TestOtherEngines(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	if _, err := d.SQL(t.Context(), mysqltest.Tables); err != nil {
		t.Fatal(err)
	}
	out, err := d.SQL(t.Context(), `flush tables; select table_name, engine, table_rows, data_length, index_length, data_free, table_comment
		from information_schema.tables where table_schema='shop' and table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil { // Aria writes its state at a checkpoint
		t.Fatal(err)
	}
	report, err := mysqlspace.Collect(t.Context(), mysqlspace.Options{Datadir: d.Data, Selection: mysqlspace.Selection{Schema: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]space.Item{}
	for _, i := range report.Items {
		if !strings.HasPrefix(i.Table, "FTS_") {
			byName[i.Table] = i
		}
	}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		i, found := byName[f[0]]
		delete(byName, f[0])
		if !found || i.Engine != f[1] || i.Comment != f[6] {
			t.Errorf("%s: %q %q, want %q", f[0], i.Engine, i.Comment, f)
		}
		if i.Engine != "MyISAM" && i.Engine != "Aria" {
			continue
		}
		got := []string{number(i.Rows), number(new(*i.DataBytes + *i.FreeBytes)), number(i.IndexBytes), number(i.FreeBytes)}
		if !slices.Equal(got, f[2:6]) {
			t.Errorf("%s: rows, data with free, index, free are %q, want %q", f[0], got, f[2:6])
		}
	}
	if len(byName) > 0 {
		t.Errorf("no tables: %v", byName)
	}
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
