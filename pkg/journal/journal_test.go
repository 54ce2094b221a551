package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/journal"
)

// clock gives one second more at each call.
func clock() func() time.Time {
	t := time.Date(2026, 11, 22, 16, 54, 0, 0, time.UTC)
	return func() time.Time {
		t = t.Add(time.Second)
		return t
	}
}

func open(tb testing.TB, path string) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(path, clock())
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func begin(tb testing.TB, j *journal.Journal, plan string) *journal.Run {
	tb.Helper()
	r, err := j.Begin([]string{"install", "prometheus"}, json.RawMessage(plan))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// equal compares what two journals say.
var equal = cmp.Options{cmpopts.IgnoreUnexported(journal.Run{}), cmpopts.EquateEmpty()}

// sample writes three runs: committed, killed in its second step, committed and undone.
func sample(tb testing.TB, path string) []*journal.Run {
	tb.Helper()
	j := open(tb, path)
	first := begin(tb, j, `{"steps":["swap","restart"],"text":"a\nb"}`)
	killed := begin(tb, j, `[1, 2]`)
	undone := begin(tb, j, `null`)
	err := errors.Join(
		first.StepBegun(0), first.StepDone(0), first.StepBegun(1), first.StepDone(1), first.Commit(),
		killed.StepBegun(0), killed.StepDone(0), killed.StepBegun(1),
		undone.Commit(), undone.Undone(), j.Close(),
	)
	if err != nil {
		tb.Fatal(err)
	}
	return j.Runs()
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	written := sample(t, path)
	j := open(t, path)
	if diff := cmp.Diff(written, j.Runs(), equal); diff != "" {
		t.Errorf("written, read:\n%s", diff)
	}
	first, killed, undone := j.Runs()[0], j.Runs()[1], j.Runs()[2]
	if first.Status != journal.Committed || killed.Status != journal.Unfinished || undone.Status != journal.Undone {
		t.Errorf("are %s, %s, %s", first.Status, killed.Status, undone.Status)
	}
	if len(killed.Steps) != 2 || killed.Steps[0].Done.IsZero() || !killed.Steps[1].Done.IsZero() || !killed.Ended.IsZero() {
		t.Errorf("the killed run: %+v", killed)
	}
	if j.Last() != undone || !slices.Equal(j.Unfinished(), []*journal.Run{killed}) {
		t.Errorf("last %+v, unfinished %+v", j.Last(), j.Unfinished())
	}
	if string(first.Plan) != `{"steps":["swap","restart"],"text":"a\nb"}` || !slices.Equal(first.Args, []string{"install", "prometheus"}) {
		t.Errorf("plan %s, arguments %q", first.Plan, first.Args)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestARunReadBackGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	sample(t, path)
	j := open(t, path)
	killed := j.Unfinished()[0]
	if err := errors.Join(killed.StepBegun(1), killed.StepDone(1), killed.Abort(), j.Close()); err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	if r := j.Runs()[1]; r.Status != journal.Aborted || len(r.Steps) != 2 || r.Steps[1].Done.IsZero() || r.Ended.IsZero() {
		t.Errorf("got %+v", r)
	}
	if len(j.Unfinished()) != 0 {
		t.Errorf("unfinished: %+v", j.Unfinished())
	}
}

func TestReadingOpensNothingForWriting(t *testing.T) {
	dir := t.TempDir()
	j := open(t, filepath.Join(dir, "journal"))
	if j.Last() != nil || len(j.Runs()) != 0 || len(j.Unfinished()) != 0 || j.Close() != nil {
		t.Error("an absent journal holds something")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("created %v, %v", entries, err)
	}
	if _, err := open(t, filepath.Join(dir, "no/journal")).Begin(nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing folder: %v", err)
	}
}

// TestTornAtEveryByte cuts the file where a crash could have, reads what is left,
// and goes on with it.
func TestTornAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	sample(t, whole)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "torn")
	for n := range len(data) + 1 {
		for _, tail := range []string{"", "\x00\x00", "\x00\n"} {
			torn := slices.Concat(data[:n], []byte(tail))
			if err := os.WriteFile(path, torn, 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := journal.Open(path, clock())
			if err != nil {
				t.Fatalf("%d bytes and %q: %v", n, tail, err)
			}
			if n%7 != 0 {
				continue
			}
			before := bytes.Count(data[:n], []byte("\n"))
			begin(t, j, "{}")
			_ = j.Close()
			if got, err := os.ReadFile(path); err != nil || bytes.Count(got, []byte("\n")) != before+1 || !bytes.HasPrefix(got, data[:bytes.LastIndexByte(data[:n], '\n')+1]) {
				t.Fatalf("%d bytes, then a run: %q, %v", n, got, err)
			}
			open(t, path)
		}
	}
}

// TestADamagedMiddleIsAnError changes every byte of a journal but its last line's.
func TestADamagedMiddleIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	sample(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	// But for the line feed before it, which makes one line of two.
	for i := range last - 1 {
		damaged := bytes.Clone(data)
		damaged[i] ^= 0x04
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := journal.Open(path, clock())
		number := bytes.Count(data[:i], []byte("\n")) + 1
		d, ok := errors.AsType[*journal.DamagedError](err)
		if !ok || d.Line != number || !strings.Contains(err.Error(), fmt.Sprintf("%s is damaged: line %d", path, number)) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestAForeignFileIsNotCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	for _, text := range []string{"root:x:0:0:root:/root:/bin/bash", "x\n", "{}\n{}\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Open(path, clock()); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatIsNoPlainFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.Symlink("elsewhere", at("link")), syscall.Mkfifo(at("pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(at("link"), clock()); err == nil {
		t.Error("a symbolic link was followed")
	}
	for _, path := range []string{dir, at("pipe")} {
		if _, err := journal.Open(path, clock()); !errors.Is(err, atomicfile.ErrNotRegular) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRecordsThatMakeNoSenseAreRefused(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "journal"))
	r, aborted := begin(t, j, "1"), begin(t, j, "2")
	if err := errors.Join(r.Commit(), aborted.Abort()); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a step after the end":   r.StepBegun(0),
		"a second end":           r.Commit(),
		"an abort after it":      r.Abort(),
		"undoing what aborted":   aborted.Undone(),
		"a step done, not begun": begin(t, j, "3").StepDone(4),
		"a negative step":        begin(t, j, "4").StepBegun(-1),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := j.Begin(nil, json.RawMessage("{")); err == nil {
		t.Error("a plan that is no JSON is taken")
	}
	if _, err := j.Begin(nil, json.RawMessage(`"`+strings.Repeat("x", 16<<20)+`"`)); err == nil {
		t.Error("a record of 16 MiB is taken")
	}
	if err := errors.Join(r.Undone(), j.Close()); err != nil {
		t.Error(err)
	}
	if err := begin2(j); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func begin2(j *journal.Journal) error {
	_, err := j.Begin(nil, nil)
	return err
}

func TestIDsSortAlthoughTheClockWasSetBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	times := []time.Time{
		time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2025, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
	}
	var ids []string
	for _, now := range times {
		j, err := journal.Open(path, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, begin(t, j, "{}").ID)
		_ = j.Close()
	}
	want := []string{"20260101T000000.000000Z", "20260101T000000.000001Z", "20260101T000000.000002Z", "20260102T000000.000000Z"}
	if !slices.Equal(ids, want) {
		t.Errorf("got %q", ids)
	}
	far, err := journal.Open(path, func() time.Time { return time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	if err := begin2(far); err == nil {
		t.Error("a year of five digits is taken")
	}
}

func TestAJournalThatOthersWroteToIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	early := open(t, path)
	sample(t, path)
	late := open(t, path)
	begin(t, open(t, path), "{}")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []*journal.Journal{early, late} {
		if err := begin2(j); !errors.Is(err, journal.ErrChanged) {
			t.Errorf("got %v", err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("changed: %v", err)
	}
}

func TestTheFileIsJSONLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	sample(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var v struct {
			Run, Kind, CRC string
			Time           time.Time
		}
		if err := json.Unmarshal(line, &v); err != nil || v.Run == "" || v.Kind == "" || v.Time.IsZero() || len(v.CRC) != 8 {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "journal")
	sample(f, path)
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := journal.Open(path, clock())
		if err != nil {
			return
		}
		runs := j.Runs()
		if _, err := j.Begin([]string{"x"}, json.RawMessage("{}")); err != nil {
			return
		}
		_ = j.Close()
		again := open(t, path).Runs()
		if diff := cmp.Diff(runs, again[:len(again)-1], equal); diff != "" {
			t.Errorf("a run more changed the others:\n%s", diff)
		}
	})
}
