package prom_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace/prom"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/severity"
)

var at = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func report() *space.Report {
	item := func(schema, table string, data, reclaimable int64) space.Item {
		return space.Item{
			Schema: schema, Table: table, Rows: new(data / 100), DataBytes: &data, IndexBytes: new(data / 2), FileBytes: new(2 * data), Fill: new(0.5),
			ReclaimableBytes: &reclaimable, ReclaimableLowBytes: new(reclaimable - 1), ReclaimableHighBytes: new(reclaimable + 1),
		}
	}
	return &space.Report{
		Items: []space.Item{
			item("shop", "orders", 7000, 900), item("shop", `a"b\c`+"\n", 500, -40), item("库", "订单", 400, 0), item("logs", "\u202elive\x1b", 300, 5),
			item("logs", "\u202alive\x1b", 200, 5),
			{Schema: "logs", Table: "unknown"},
		},
		Accounting: []space.Sum{{Category: space.Tables, Bytes: 5, Files: 2}, {Category: space.Redo}},
		Mounts:     []space.Mount{{Path: "/var/lib/my sql", Bytes: 100, Used: 60, Free: 30}},
		Findings:   []space.Finding{{ID: "reclaimable", Severity: severity.High}, {ID: "reclaimable", Severity: severity.High}},
		Problems:   []error{errors.New("x")},
	}
}

func write(t *testing.T, o prom.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := prom.Write(&out, report(), o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWrite(t *testing.T) {
	text := write(t, prom.Options{At: at})
	for _, want := range []string{
		"# TYPE opsctl_mysql_table_file_bytes gauge",
		`opsctl_mysql_table_file_bytes{schema="shop",table="orders"} 14000`,
		`opsctl_mysql_table_data_bytes{schema="shop",table="a\"b\\c` + "\ufffd" + `"} 500`,
		`opsctl_mysql_table_data_bytes{schema="logs",table="` + "\ufffdlive\ufffd" + `"} 500`, // two that look the same
		`opsctl_mysql_table_reclaimable_bytes{schema="shop",table="a\"b\\c` + "\ufffd" + `"} -40`,
		`opsctl_mysql_table_fill_ratio{schema="库",table="订单"} 0.5`,
		`opsctl_mysql_schema_data_bytes{schema="shop"} 7500`,
		`opsctl_mysql_schema_tables{schema="logs"} 3`,
		"opsctl_mysql_server_data_bytes 8400",
		`opsctl_mysql_category_bytes{category="redo"} 0`,
		`opsctl_mysql_mount_avail_bytes{mountpoint="/var/lib/my sql"} 30`,
		`opsctl_mysql_findings{id="reclaimable",severity="high"} 2`,
		"opsctl_mysql_space_problems 1",
		"opsctl_mysql_space_collected_timestamp_seconds 1.772330400e+09",
	} {
		if !strings.Contains(text, "\n"+strings.Replace(want, "1.772330400e+09", "1.7723304e+09", 1)+"\n") && !strings.HasPrefix(text, want+"\n") {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(text, "unknown\"} 0") || strings.Contains(text, "free_bytes") || strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("what is not known, or must not be there:\n%s", text)
	}
}

func TestTopCutsTablesAndLeavesTheSums(t *testing.T) {
	text := write(t, prom.Options{Top: 1, At: at})
	if strings.Count(text, "opsctl_mysql_table_data_bytes{") != 1 || !strings.Contains(text, "\nopsctl_mysql_server_data_bytes 8400\n") ||
		strings.Count(text, "opsctl_mysql_schema_data_bytes{") != 3 {
		t.Error(text)
	}
}

func TestPrometheusReadsIt(t *testing.T) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(write(t, prom.Options{At: at})))
	if err != nil || len(families) < 20 {
		t.Fatalf("%d families, %v", len(families), err)
	}
	// What Prometheus's own encoder makes of what its parser read is the same, but for the order.
	var again []string
	for _, f := range families {
		var text bytes.Buffer
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
		again = append(again, text.String())
	}
	slices.Sort(again)
	if diff := cmp.Diff(write(t, prom.Options{At: at}), strings.Join(again, "")); diff != "" {
		t.Error(diff)
	}
	box := testpeers.Require(t, testpeers.Prometheus())
	if err := os.WriteFile(box.Path("/tmp/metrics"), []byte(write(t, prom.Options{At: at})), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := box.Run(t.Context(), "/bin/sh", "-c", "/usr/bin/promtool check metrics </tmp/metrics")
	if err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
