package raftplay_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
	"github.com/opsctl/opsctl/pkg/report/raftplay"
)

func timeline(t *testing.T, rec *trace.Recording, width int, colour bool) string {
	t.Helper()
	var out strings.Builder
	if err := raftplay.Timeline(&out, rec, width, colour); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// lineUp is text with its runs of spaces made one.
func lineUp(text string) string { return regexp.MustCompile(` +`).ReplaceAllString(text, " ") }

func TestTheTimelineTellsOfALeadersDeath(t *testing.T) {
	text := timeline(t, handmade(5), 100, false)
	at := 0
	for _, want := range []string{
		"a ───────────────────────────────────?█████", "e ─────?█████████████████x····", "term 2 3", "faults !~~~~", "clients ▄ ▄",
		" a b c d e\n", " 0.5000 │ │ │ │ cand 2 e stands for term 2", "0.5004 yes yes yes yes ? a, b, c and d vote for e",
		"0.5020 │ │ │ │ LEAD 2 e leads term 2, with 5 votes", ": : : : ::", "2.0000 │ │ │ │ killed fault: kill e",
		": : : : · 1.1s", "3.1020 LEAD 3 │ │ │ · a leads term 3, with 4 votes", "clients are answered, after 1.196s without", "5.0000 ║ │ │ │ up over: kill e",
		"8.0000 ║ │ │ │ │ the end", "The leader died, and another was elected.",
	} {
		found := strings.Index(lineUp(text)[at:], want)
		if found < 0 {
			t.Fatalf("lacks %q behind what comes before it:\n%s", want, text)
		}
		at += found
	}
	if n := strings.Count(text, "\n"); n > 45 {
		t.Errorf("%d lines: what does not matter is not folded", n)
	}
}

func TestTimelinesFitTheirWidth(t *testing.T) {
	for _, nodes := range []int{1, 3, 9, 26} {
		rec := handmade(nodes)
		rec.Nodes[0].Name = "a-name-that-is-longer-than-all-columns"
		if nodes > 1 {
			rec.Nodes[1].Name = "库库库库库"
		}
		for _, width := range []int{60, 80, 113, 160} {
			if width > 70 && !strings.Contains(timeline(t, rec, width, false), "x not for half an election timeout\n") {
				t.Errorf("%d columns: the legend is cut off", width)
			}
			for line := range strings.SplitSeq(timeline(t, rec, width, false), "\n") {
				if n := runewidth.StringWidth(line); n > width {
					t.Errorf("%d nodes: %d columns, not %d: %q", nodes, n, width, line)
				}
			}
		}
	}
}

func TestColourIsNeverAlone(t *testing.T) {
	rec := handmade(5)
	with, without := timeline(t, rec, 100, true), timeline(t, rec, 100, false)
	if !strings.Contains(with, "\x1b[32m") || strings.Contains(without, "\x1b") {
		t.Fatal("colour")
	}
	if got := regexp.MustCompile(`\x1b\[\d*m`).ReplaceAllString(with, ""); got != without {
		t.Errorf("colour changes what is written:\n%s", got)
	}
}

func TestHostileTextDoesNotReachTheTerminal(t *testing.T) {
	text := timeline(t, hostileRecording(), 120, false)
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == '\u202e' || r == '\u2028' }); i >= 0 || !utf8.ValidString(text) {
		t.Errorf("control characters at %d:\n%q", i, text)
	}
	if !strings.Contains(text, "alert(1)") {
		t.Error("the text is not shown at all")
	}
}

// hostileRecording has foreign text wherever a recording has text.
func hostileRecording() *trace.Recording {
	rec := handmade(3)
	rec.Sentence = hostile
	for i := range rec.Nodes {
		rec.Nodes[i].Name, rec.Nodes[i].Zone = hostile, hostile
	}
	for _, kind := range []trace.Kind{trace.Fault, trace.Heal, trace.Violated, trace.Role, trace.Vote, trace.Return, trace.Invoke, trace.Drop, trace.Send} {
		rec.Events = append(rec.Events, trace.Event{At: 8 * time.Second, Kind: kind, Node: 1, Peer: 2, Text: hostile, Message: hostile})
	}
	return rec
}

// TestOddRecordings has events of nodes that nobody knows, and of kinds that are not.
func TestOddRecordings(t *testing.T) {
	timeline(t, &trace.Recording{}, 80, true)
	r := rand.New(rand.NewPCG(3, 4))
	kinds := []trace.Kind{
		trace.Send, trace.Receive, trace.Drop, trace.Role, trace.Vote, trace.Timer, trace.Append, trace.Sync, trace.Durable, trace.Commit, trace.Apply, trace.Snapshot,
		trace.Crash, trace.Restart, trace.Pause, trace.Resume, trace.Join, trace.Leave, trace.Fault, trace.Heal, trace.Invoke, trace.Return, trace.Violated, "nothing",
	}
	for range 50 {
		rec := &trace.Recording{Duration: time.Duration(r.Int64N(1e10)), Omitted: r.IntN(2), Nodes: make([]trace.Node, r.IntN(4))}
		for range 200 {
			rec.Events = append(rec.Events, trace.Event{
				At: time.Duration(r.Int64N(1e10)), Kind: kinds[r.IntN(len(kinds))], Node: r.Uint64N(5), Peer: r.Uint64N(5), ID: r.Uint64N(9), Term: r.Uint64(), Index: r.Uint64(),
				Text: []string{"", "leader", "candidate", "follower", "done", "granted"}[r.IntN(6)],
			})
		}
		timeline(t, rec, 80, true)
	}
}

func TestElectionsWithoutEndAreFolded(t *testing.T) {
	rec := &trace.Recording{Duration: 100 * time.Second, HeartbeatInterval: 100 * ms, ElectionTimeout: time.Second, Nodes: []trace.Node{{ID: 1}, {ID: 2}, {ID: 3}}}
	for i := range 80 {
		rec.Events = append(rec.Events, trace.Event{At: time.Duration(i+1) * time.Second, Kind: trace.Role, Node: 1, Term: 1, Text: "pre-candidate"})
	}
	text := timeline(t, rec, 80, false)
	if !strings.Contains(text, "68 more like these, and no leader") || strings.Count(text, "\n") > 60 {
		t.Errorf("got %d lines:\n%s", strings.Count(text, "\n"), text)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("full")

func TestATimelineThatCannotBeWritten(t *testing.T) {
	if err := raftplay.Timeline(full{}, handmade(3), 80, false); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

func ExampleTimeline() {
	var out strings.Builder
	_ = raftplay.Timeline(&out, handmade(3), 80, false)
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "leads term") {
			fmt.Print(line)
		}
	}
	// Output:
	//   0.5020  │        │        LEAD 2   c leads term 2, with 3 votes
	//   3.1020  LEAD 3   │        ·        a leads term 3, with 2 votes
}
