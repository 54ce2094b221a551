package mysqlspace_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

func TestThresholdsAreRead(t *testing.T) {
	got, err := mysqlspace.ParseThresholds("reclaimable=20%, mount=90.5%,autoincrement=100%")
	want := mysqlspace.Thresholds{"reclaimable": 0.2, "mount": 0.905, "autoincrement": 1}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, wrong := range []string{"mount", "mount=", "mount=90", "mount=0%", "mount=101%", "mount=NaN%", "disk=9%", "mount=1%,mount=2%", ","} {
		if got, err := mysqlspace.ParseThresholds(wrong); err == nil {
			t.Errorf("%q: %v", wrong, got)
		}
	}
}

func TestLimitsThatAreCrossed(t *testing.T) {
	r := &space.Report{
		Total: space.Item{TotalBytes: new(int64(1000)), ReclaimableBytes: new(int64(200))},
		// A twentieth is root's: df calls the first 90 % full.
		Mounts:   []space.Mount{{Path: "/a", Bytes: 1050, Used: 900, Free: 100}, {Path: "/b", Bytes: 1050, Used: 899, Free: 101}, {Path: "/none"}},
		Findings: []space.Finding{{ID: "autoincrement", Table: "x", Share: new(0.8)}, {ID: "autoincrement", Share: new(0.79)}, {ID: "no-primary-key", Share: new(1.0)}},
	}
	limits, err := mysqlspace.ParseThresholds("reclaimable=20%,mount=90%,autoincrement=80%")
	if err != nil {
		t.Fatal(err)
	}
	limits.Check(r)
	var failed []string
	for _, f := range r.Findings {
		if f.Failed {
			failed = append(failed, f.ID+" "+f.Table+f.Message)
		}
	}
	want := []string{
		"autoincrement x",
		"reclaimable rebuilds would give back 200 B, 20.0 % of 1000 B; the limit is 20 %",
		"mount /a is used to 90.0 %, 100 B are free; the limit is 90 %",
	}
	if diff := cmp.Diff(want, failed); diff != "" || !mysqlspace.Failed(r) {
		t.Error(diff)
	}
	quiet := &space.Report{Total: space.Item{TotalBytes: new(int64(1000)), ReclaimableBytes: new(int64(199))}}
	if limits.Check(quiet); mysqlspace.Failed(quiet) {
		t.Errorf("%+v", quiet.Findings)
	}
	unknown := &space.Report{}
	if limits.Check(unknown); len(unknown.Findings) > 0 || len(unknown.Problems) != 3 {
		t.Errorf("%+v, %v", unknown.Findings, unknown.Problems)
	}
	if len(r.Problems) != 1 { // no server: no columns
		t.Error(r.Problems)
	}
}
