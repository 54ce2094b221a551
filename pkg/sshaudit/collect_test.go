package sshaudit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// now is when the tests' pipes were last written.
func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// collect reads logs and reports without key files.
func collect(t *testing.T, o sshaudit.Options) (*sshaudit.Document, error) {
	t.Helper()
	o.Location, o.Now = time.UTC, now()
	c, err := sshaudit.Collect(t.Context(), o)
	if c == nil {
		return nil, err
	}
	return c.Report(sshaudit.ReportOptions{Now: now(), MinRSA: 3072}), err
}

func mustCollect(t *testing.T, o sshaudit.Options) *sshaudit.Document {
	t.Helper()
	doc, err := collect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// asJSON is what a document says to programs.
func asJSON(t *testing.T, doc *sshaudit.Document) string {
	t.Helper()
	out, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sample is a captured log of the demo host, unpacked.
func sample(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../testdata/ssh/demo/var/log/auth.log")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSavedPartialsSayWhatTheLogsSay(t *testing.T) {
	text := sample(t)
	dir := t.TempDir()
	lines := strings.SplitAfter(text, "\n")
	for _, cut := range []int{1, len(lines) / 3, len(lines) / 2, len(lines) - 2} {
		a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")
		for path, part := range map[string][]string{a: lines[:cut], b: lines[cut:]} {
			if err := os.WriteFile(path, []byte(strings.Join(part, "")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want := asJSON(t, mustCollect(t, sshaudit.Options{Logs: []string{b, a}}))
		var saved []string
		for _, path := range []string{b, a} {
			c, err := sshaudit.Collect(t.Context(), sshaudit.Options{Logs: []string{path}, Location: time.UTC, Save: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Save(path + ".saved"); err != nil {
				t.Fatal(err)
			}
			saved = append(saved, path+".saved")
		}
		if got := asJSON(t, mustCollect(t, sshaudit.Options{Merge: saved})); got != want {
			t.Errorf("two saved partials, cut at line %d:\n%s", cut, cmp.Diff(want, got))
		}
		// A saved partial and the log that follows it, or that it was made of.
		for _, logs := range [][]string{{b}, {a, b}} {
			doc := mustCollect(t, sshaudit.Options{Merge: saved[1:], Logs: logs})
			doc.Coverage.Files = nil
			all := mustCollect(t, sshaudit.Options{Logs: []string{a, b}})
			all.Coverage.Files = nil
			if diff := cmp.Diff(asJSON(t, all), asJSON(t, doc)); diff != "" {
				t.Errorf("saved %s beside %v, cut at line %d:\n%s", saved[1], logs, cut, diff)
			}
		}
	}
}

func TestSavedPartialsOfTheSameTimeAreRefused(t *testing.T) {
	path := write(t, "auth.log", sample(t))
	c, err := sshaudit.Collect(t.Context(), sshaudit.Options{Logs: []string{path}, Save: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(path + ".1"); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(path + ".2"); err != nil {
		t.Fatal(err)
	}
	once := mustCollect(t, sshaudit.Options{Merge: []string{path + ".1"}})
	both, err := collect(t, sshaudit.Options{Merge: []string{path + ".1", path + ".2"}})
	if err == nil || !strings.Contains(err.Error(), path+".2") {
		t.Errorf("the error does not name the second: %v", err)
	}
	if both.Failures.Total != once.Failures.Total {
		t.Errorf("%d failures of two, %d of one", both.Failures.Total, once.Failures.Total)
	}
}

func TestRepeatedLinesCountOnce(t *testing.T) {
	text := sample(t)
	lines := strings.SplitAfter(text, "\n")
	dir := t.TempDir()
	whole := filepath.Join(dir, "auth.log")
	tail := filepath.Join(dir, "auth.log.copy")
	for path, content := range map[string]string{whole: text, tail: strings.Join(lines[len(lines)/2:], "")} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := mustCollect(t, sshaudit.Options{Logs: []string{whole}})
	got := mustCollect(t, sshaudit.Options{Logs: []string{tail, whole, whole}})
	if got.Coverage.Files[1].Repeated == 0 {
		t.Error("nothing was found to be repeated")
	}
	want.Coverage, got.Coverage = sshaudit.Coverage{}, sshaudit.Coverage{}
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, got)); diff != "" {
		t.Error(diff)
	}
}

func TestOneFileInEveryPacking(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write([]byte(sample(t))); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a-name-without-ending")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := mustCollect(t, sshaudit.Options{Logs: []string{write(t, "plain", sample(t))}})
	fromGzip := mustCollect(t, sshaudit.Options{Logs: []string{path}})
	fromPipe := mustCollect(t, sshaudit.Options{Logs: []string{"-"}, Stdin: bytes.NewReader(packed.Bytes())})
	for _, doc := range []*sshaudit.Document{fromGzip, fromPipe} {
		if doc.Coverage.Files[0].Compression != "gzip" || doc.Coverage.Files[0].Lines != plain.Coverage.Files[0].Lines {
			t.Errorf("coverage: %+v", doc.Coverage.Files[0])
		}
		if doc.Failures.Total != plain.Failures.Total || len(doc.Logins) != len(plain.Logins) {
			t.Errorf("%d failures, %d logins", doc.Failures.Total, len(doc.Logins))
		}
	}
}

func TestBadInputIsNamedAndTheRestIsRead(t *testing.T) {
	good := write(t, "auth.log", sample(t))
	want := mustCollect(t, sshaudit.Options{Logs: []string{good}})
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	_, _ = zw.Write(bytes.Repeat([]byte("Nov 22 12:00:00 web02 sshd[1]: Server listening on :: port 22.\n"), 10_000))
	_ = zw.Close()
	for name, bad := range map[string]struct {
		path string
		is   error
	}{
		"a binary file":     {write(t, "binary", strings.Repeat("\x7fELF\x00\x01\n\x02", 5000)), sshaudit.ErrNotLog},
		"an empty file":     {write(t, "empty", ""), sshaudit.ErrEmpty},
		"a cut gzip file":   {write(t, "cut.gz", packed.String()[:packed.Len()/2]), nil},
		"a missing file":    {filepath.Join(t.TempDir(), "missing"), os.ErrNotExist},
		"an empty folder":   {t.TempDir(), sshaudit.ErrFolder},
		"a pattern of none": {filepath.Join(t.TempDir(), "*.log"), sshaudit.ErrNoLogs},
		"only NUL bytes":    {write(t, "nul", strings.Repeat("\x00", 3<<20)), sshaudit.ErrNotLog},
		"a gzip header":     {write(t, "head.gz", "\x1f\x8b"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := collect(t, sshaudit.Options{Logs: []string{bad.path, good}})
			var fileErr *sshaudit.FileError
			if !errors.As(err, &fileErr) || !strings.Contains(err.Error(), bad.path) || bad.is != nil && !errors.Is(err, bad.is) {
				t.Errorf("error %v", err)
			}
			if doc.Failures.Total != want.Failures.Total || len(doc.Logins) != len(want.Logins) {
				t.Errorf("the good file says %d failures and %d logins", doc.Failures.Total, len(doc.Logins))
			}
		})
	}
}

func TestHugeLinesNULsAndBrokenUTF8DoNotHideOthers(t *testing.T) {
	line := "Nov 22 11:00:00 web01 sshd[7]: Accepted password for a\xff\x1b[31m from 192.0.2.1 port 5 ssh2\n"
	text := strings.Repeat("x", 3<<20) + "\n" + line + "Nov 22 11:00:01 web01 sshd[7]: \x00\x00" + strings.Repeat("y", 1<<20) + "\n" + line
	doc, err := collect(t, sshaudit.Options{Logs: []string{"-"}, Stdin: strings.NewReader(text)})
	if !errors.Is(err, sshaudit.ErrLong) {
		t.Errorf("error %v", err)
	}
	f := doc.Coverage.Files[0]
	if f.Lines != 4 || f.Cut != 2 || len(doc.Logins) != 1 || doc.Logins[0].Count != 2 || doc.Logins[0].User != "a\xff\x1b[31m" {
		t.Errorf("coverage %+v, logins %+v", f, doc.Logins)
	}
}

func TestYearsAreWalkedBackFromTheLastChange(t *testing.T) {
	stamps := []string{"Nov 30 08:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01", "Feb 28 10:00:00", "Dec  1 10:00:00", "Jan  5 10:00:00"}
	var text strings.Builder
	for i, s := range stamps {
		fmt.Fprintf(&text, "%s web01 sshd[%d]: Accepted password for u%d from 192.0.2.1 port 5 ssh2\n", s, i, i)
	}
	path := write(t, "auth.log", text.String())
	mtime := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, mtime, mtime); err != nil {
		t.Fatal(err)
	}
	doc := mustCollect(t, sshaudit.Options{Logs: []string{path}})
	want := map[string]string{
		"u0": "2024-11-30", "u1": "2024-12-31", "u2": "2025-01-01", "u3": "2025-02-28", "u4": "2025-12-01", "u5": "2026-01-05",
	}
	for _, l := range doc.Logins {
		if got := l.First.Format(time.DateOnly); got != want[l.User] {
			t.Errorf("%s: %s, want %s", l.User, got, want[l.User])
		}
	}
}

func TestALeapDayStandsInALeapYear(t *testing.T) {
	path := write(t, "auth.log", "Feb 29 10:00:00 web01 sshd[1]: Accepted password for u from 192.0.2.1 port 5 ssh2\n"+
		"Mar  3 10:00:00 web01 sshd[2]: Accepted password for v from 192.0.2.1 port 5 ssh2\n")
	mtime := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, mtime, mtime); err != nil {
		t.Fatal(err)
	}
	doc := mustCollect(t, sshaudit.Options{Logs: []string{path}})
	for _, l := range doc.Logins {
		if l.First.Year() != 2024 {
			t.Errorf("%s: %s", l.User, l.First)
		}
	}
}

func TestLogsOfDashEAreUnverifiable(t *testing.T) {
	doc := mustCollect(t, sshaudit.Options{Logs: []string{"../../testdata/ssh/openssh-9.2/sshd-E.log"}})
	if len(doc.Logins) != 0 || doc.Failures.Total != 0 {
		t.Errorf("%d logins and %d failures from a log that anybody can forge", len(doc.Logins), doc.Failures.Total)
	}
	if doc.Coverage.Files[0].Framing != sshaudit.FramingNone || len(doc.Findings) != 1 || doc.Findings[0].ID != "unverifiable-log" {
		t.Errorf("coverage %+v, findings %+v", doc.Coverage.Files, doc.Findings)
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := sshaudit.Collect(ctx, sshaudit.Options{Logs: []string{write(t, "auth.log", sample(t))}})
	if c != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", c, err)
	}
}

func TestAMachineWithoutAClockDoesNotBeginAYear(t *testing.T) {
	var text strings.Builder
	for i, s := range []string{"Nov 20 08:00:00 h1", "Nov 21 08:00:00 h1", "Jan  1 00:00:07 h2", "Nov 22 08:00:00 h1"} {
		fmt.Fprintf(&text, "%s sshd[%d]: Accepted password for u%d from 192.0.2.1 port 5 ssh2\n", s, i, i)
	}
	path := write(t, "auth.log", text.String())
	if err := os.Chtimes(path, now(), now()); err != nil {
		t.Fatal(err)
	}
	for _, l := range mustCollect(t, sshaudit.Options{Logs: []string{path}}).Logins {
		if l.First.Year() != 2026 {
			t.Errorf("%s: %s", l.User, l.First)
		}
	}
}
