package history_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/mysqlspace/history"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

var start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func record(day int, size int64) *history.Record {
	return &history.Record{
		Version: 1, At: start.AddDate(0, 0, day), Server: "db01",
		Tables:  []history.Size{{Schema: "shop", Table: "orders", Bytes: size}},
		Schemas: []history.Size{{Schema: "shop", Bytes: size}},
		Mounts:  []history.Mount{{Path: "/data", Size: 1000, Used: size, Free: 1000 - size}},
		Sources: []string{"file"},
	}
}

func TestRecordsAreReadBackInTheOrderOfTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "history.ndjson")
	want := []history.Record{*record(0, 5), *record(1, 6)}
	for _, i := range []int{1, 0} {
		if err := history.Append(t.Context(), path, &want[i]); err != nil {
			t.Fatal(err)
		}
	}
	got, problems, err := history.Read(path)
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 || err != nil {
		t.Errorf("%v %v\n%s", problems, err, diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestATornLineIsSkippedAndNamedAndTheNextRecordStands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h")
	for day := range 2 {
		if err := history.Append(t.Context(), path, record(day, 7)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	// Wherever the second line was torn, also just before its line feed.
	for cut := first + 1; cut < len(whole); cut += 17 {
		checkTorn(t, path, whole[:cut])
	}
	checkTorn(t, path, whole[:len(whole)-1])
}

func checkTorn(t *testing.T, path string, torn []byte) {
	t.Helper()
	if err := os.WriteFile(path, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	records, problems, err := history.Read(path)
	if len(records) != 1 || len(problems) != 1 || err != nil || !errors.Is(problems[0], history.ErrTorn) ||
		!strings.HasPrefix(problems[0].Error(), path+":2: ") {
		t.Fatalf("%d bytes: %d records, %v, %v", len(torn), len(records), problems, err)
	}
	if err := history.Append(t.Context(), path, record(2, 7)); err != nil {
		t.Fatal(err)
	}
	records, problems, err = history.Read(path)
	// A line that lacked only its end is whole once it has one.
	if n := len(records); err != nil || n+len(problems) != 3 || !records[n-1].At.Equal(record(2, 7).At) {
		t.Fatalf("%d bytes: %d records, %v, %v", len(torn), n, problems, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(after, torn) {
		t.Fatalf("what was there was changed: %v", err)
	}
}

// TestKilledWritersLoseNothingThatWasThere kills a process that appends, at random moments.
func TestKilledWritersLoseNothingThatWasThere(t *testing.T) {
	if path := os.Getenv("HISTORY_APPEND"); path != "" {
		appendForEver(t.Context(), path)
	}
	path := filepath.Join(t.TempDir(), "h")
	seen := 0
	for range 12 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriters")
		cmd.Env = append(os.Environ(), "HISTORY_APPEND="+path)
		acknowledged, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The child writes a byte for each record that Append said is there.
		count, err := acknowledged.Read(make([]byte, 1+rand.IntN(8)))
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		records, problems, err := history.Read(path)
		if err != nil || len(records) < seen+count {
			t.Fatalf("%d records of at least %d, %v, %v", len(records), seen+count, problems, err)
		}
		seen = len(records)
	}
}

func appendForEver(ctx context.Context, path string) {
	for day := 0; ; day++ {
		err := history.Append(ctx, path, record(day, 7))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		_, _ = os.Stdout.WriteString(".")
	}
}

func TestLinesThatAreNoRecordsAreLeftOutAndNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h")
	lines := []string{
		"", "nonsense", `{"v":2}`, `{"v":1,"at":"2026-03-01T02:00:00Z","tables":[{"s":"a","b":-1}]}`, "[]", `{"v":1}`,
		`{"v":1,"at":"2026-03-01T02:00:00Z","mounts":[{"path":"/","used":-5}]}`, strings.Repeat("x", 5<<20),
		`{"v":1,"at":"2026-03-01T02:00:00Z","later":true}`,
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"+strings.Repeat("bad\n", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	records, problems, err := history.Read(path)
	if len(records) != 1 || len(problems) != 21 || err != nil {
		t.Fatalf("%d records, %v, %v", len(records), problems, err)
	}
	for i, want := range []string{":2: it is no record", ":3: it is of version 2", ":4: a size", ":5: it is no record", ":6: its time", ":7: a size", ":8: it is longer"} {
		if !strings.Contains(problems[i].Error(), want) {
			t.Errorf("%v, want %s", problems[i], want)
		}
	}
	if got := problems[20].Error(); !strings.Contains(got, "27 lines more") {
		t.Error(got)
	}
}

func TestAHistoryThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := history.Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, _, err := history.Read(dir); err == nil {
		t.Error("a folder was read")
	}
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := history.Append(t.Context(), link, record(0, 1)); err == nil {
		t.Error("a symbolic link was followed")
	}
}

func TestARecordWaitsForTheOneThatIsBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h")
	synctest.Test(t, func(t *testing.T) {
		lock, err := lockfile.Acquire(path + ".lock")
		if err != nil {
			t.Fatal(err)
		}
		var held *lockfile.HeldError
		if err := history.Append(t.Context(), path, record(0, 1)); !errors.As(err, &held) || held.PID != os.Getpid() {
			t.Errorf("with a lock that is never given up: %v", err)
		}
		time.AfterFunc(time.Second, func() {
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		})
		if err := history.Append(t.Context(), path, record(0, 1)); err != nil {
			t.Errorf("with a lock that is given up: %v", err)
		}
	})
}

func TestOfManyWhoRecordAtOnceEachLeavesALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h")
	results := make(chan error, 20)
	for day := range cap(results) {
		go func() { results <- history.Append(t.Context(), path, record(day, 1)) }()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if records, problems, err := history.Read(path); len(records) != cap(results) || len(problems) > 0 || err != nil {
		t.Errorf("%d records, %v, %v", len(records), problems, err)
	}
}

func TestALargeFileIsMovedAsideAndStillRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h")
	if err := history.Append(t.Context(), path, record(0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	if err := history.Append(t.Context(), path, record(1, 2)); err != nil {
		t.Fatal(err)
	}
	// A hole behind the record: the limit without its bytes.
	if err := os.Truncate(path, history.RotateAt); err != nil {
		t.Fatal(err)
	}
	if err := history.Append(t.Context(), path, record(2, 3)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".3"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s.2 was moved though there was no %s.1: %v", path, path, err)
	}
	records, _, err := history.Read(path)
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if _, err := os.Stat(path + ".1"); err != nil {
		t.Error(err)
	}
}

func TestFromReport(t *testing.T) {
	report := &space.Report{
		Datadir: "/var/lib/mysql",
		Items: []space.Item{
			{Schema: "a", Table: "small", FileBytes: new(int64(3)), Source: space.FromFile},
			{Schema: "b", Table: "shared", TotalBytes: new(int64(9)), Source: space.FromServer},
			{Schema: "a", Table: "large", FileBytes: new(int64(8)), TotalBytes: new(int64(7)), FreeBytes: new(int64(2)), Source: space.FromFile},
			{Schema: "a", Table: "unknown"},
		},
		Mounts:     []space.Mount{{Path: "/", Bytes: 100, Used: 60, Free: 30, For: []string{"datadir"}}},
		Accounting: []space.Sum{{Category: space.Redo, Bytes: 5}},
	}
	got := history.FromReport(report, "h", start)
	want := &history.Record{
		Version: 1, At: start, Server: "/var/lib/mysql", Host: "h",
		Tables:  []history.Size{{"b", "shared", 9, nil}, {"a", "large", 8, new(int64(2))}, {"a", "small", 3, nil}},
		Schemas: []history.Size{{"a", "", 11, nil}, {"b", "", 9, nil}},
		Mounts:  []history.Mount{{"/", 100, 60, 30, []string{"datadir"}}},
		Files:   []history.Files{{"redo", 5}}, Sources: []string{"file", "server"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
