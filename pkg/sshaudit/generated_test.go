package sshaudit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/loggen"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// TestAGeneratedLogSaysWhatItsGeneratorKnows compares every row, over several
// pieces read side by side.
func TestAGeneratedLogSaysWhatItsGeneratorKnows(t *testing.T) {
	size := int64(40 << 20)
	if testing.Short() {
		size = 4 << 20
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, names := range []bool{false, true} {
		var log bytes.Buffer
		truth, err := loggen.Write(&log, loggen.Options{Bytes: size, Seed: seed, IPs: 5000, Names: names, Start: now().AddDate(0, -2, 0)})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "auth.log")
		if err := os.WriteFile(path, log.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range []sshaudit.Options{{Logs: []string{path}}, {Logs: []string{"-"}, Stdin: &log}} {
			compare(t, truth, mustCollect(t, o))
		}
	}
}

func compare(t *testing.T, truth *loggen.Truth, doc *sshaudit.Document) {
	t.Helper()
	if f := doc.Coverage.Files[0]; f.Lines != truth.Lines || f.SSHDLines != truth.SSHDLines || f.NotUnderstood != 0 {
		t.Errorf("coverage %+v, truth %d lines, %d of sshd", f, truth.Lines, truth.SSHDLines)
	}
	logins := map[loggen.LoginKey]uint64{}
	for _, l := range doc.Logins {
		logins[loggen.LoginKey{User: l.User, IP: l.IP, Fingerprint: l.Fingerprint}] += l.Count
	}
	if fmt.Sprint(logins) != fmt.Sprint(truth.Logins) {
		t.Errorf("logins %v, truth %v", logins, truth.Logins)
	}
	if doc.Failures.Total != truth.Total || fmt.Sprint(doc.Failures.ByReason) != fmt.Sprint(truth.ByReason) {
		t.Errorf("failures %d %v, truth %d %v", doc.Failures.Total, doc.Failures.ByReason, truth.Total, truth.ByReason)
	}
	if truth.Failures == nil {
		if doc.Failures.Distinct != truth.Names {
			t.Errorf("%d rows, truth %d names", doc.Failures.Distinct, truth.Names)
		}
		return
	}
	if len(doc.Failures.Rows) != len(truth.Failures) {
		t.Errorf("%d rows of failures, truth %d", len(doc.Failures.Rows), len(truth.Failures))
	}
	for _, f := range doc.Failures.Rows {
		if want := truth.Failures[loggen.FailKey{IP: f.IP, User: f.User, Reason: f.Reason}]; f.Count != want {
			t.Errorf("%s %s %s: %d, truth %d", f.IP, f.User, f.Reason, f.Count, want)
		}
	}
}
