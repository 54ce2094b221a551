package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func now() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }

func small(t *testing.T, path string, keep limits) *Journal {
	t.Helper()
	j, err := Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	j.keep = keep
	return j
}

func TestCompactionKeepsTheNewestAndTheUnfinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := small(t, path, limits{runs: 3, bytes: 1 << 20})
	var runs []*Run
	for i := range 40 {
		r, err := j.Begin(nil, json.RawMessage(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
		if i == 5 {
			continue
		}
		if err := errors.Join(r.StepBegun(0), r.Commit()); err != nil {
			t.Fatal(err)
		}
		if len(j.runs) > 7 {
			t.Fatalf("%d runs after run %d", len(j.runs), i)
		}
	}
	if unfinished := j.Unfinished(); len(unfinished) != 1 || unfinished[0] != runs[5] || j.Last() != runs[39] {
		t.Errorf("unfinished: %+v", unfinished)
	}
	// Runs that the caller has held since before still write.
	if err := errors.Join(runs[5].Abort(), j.Close()); err != nil {
		t.Fatal(err)
	}
	again := small(t, path, j.keep)
	if len(again.runs) != len(j.runs) || again.size != j.size || again.runs[0].ID != runs[5].ID || again.runs[0].Status != Aborted {
		t.Errorf("%d runs, %d were; %+v", len(again.runs), len(j.runs), again.runs[0])
	}
	if err := runs[0].Undone(); err == nil {
		t.Error("a run that was dropped takes a record")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestCompactionBoundsTheBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := small(t, path, limits{runs: 1000, bytes: 10_000})
	plan := json.RawMessage(`"` + strings.Repeat("x", 3000) + `"`)
	for range 50 {
		r, err := j.Begin(nil, plan)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Commit(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 25_000 || info.Size() != j.size {
			t.Fatalf("%d bytes, %v", info.Size(), err)
		}
	}
}

func TestAFailedWriteIsNotRecordedAndEndsTheJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := small(t, path, limits{runs: 10, bytes: 1 << 20})
	r, err := j.Begin(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := j.file
	if j.file, err = os.Open(path); err != nil {
		t.Fatal(err)
	}
	if err := r.StepBegun(0); err == nil || len(r.Steps) != 0 || strings.Count(err.Error(), path) != 1 {
		t.Errorf("got %v, %+v", err, r.Steps)
	}
	if err := errors.Join(j.file.Close()); err != nil {
		t.Fatal(err)
	}
	j.file = good
	if err := r.StepBegun(0); err == nil {
		t.Error("the journal went on after a failed write")
	}
	if _, err := j.Begin(nil, nil); err == nil {
		t.Error("the journal went on after a failed write")
	}
}

func TestANewerKindIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	id := "20261122T000000.000000Z"
	begun, err := encode(record{Run: id, Kind: kindBegun, Time: now()})
	if err != nil {
		t.Fatal(err)
	}
	for name, rec := range map[string]record{
		"an unknown kind":         {Run: id, Kind: "paused"},
		"an unknown run":          {Run: "x", Kind: kindCommitted},
		"a run that begins twice": {Run: id, Kind: kindBegun},
		"an odd ID":               {Run: "2027", Kind: kindBegun},
		"an earlier ID":           {Run: "20251122T000000.000000Z", Kind: kindBegun},
	} {
		line, err := encode(rec)
		if err != nil {
			t.Fatal(err)
		}
		// Also as the last line: its checksum is right, so it is not torn.
		if err := os.WriteFile(path, slices.Concat(begun, line), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, now); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
