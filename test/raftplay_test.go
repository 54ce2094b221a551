package test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
	"github.com/opsctl/opsctl/pkg/report/raftplay"
)

// record runs a real cluster: see raftsim.
func record(t *testing.T, change func(*raftsim.Config)) *trace.Recording {
	t.Helper()
	s := raftsim.NewSimulator()
	defer s.Close()
	c := raftsim.Default()
	c.Duration, c.Record, c.Rate = 8*time.Second, 100_000, 30
	change(&c)
	a, err := s.Do(t.Context(), raftsim.Job{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	return a.Recording
}

// leaderKilled is a run whose leader dies at two seconds, for three.
func leaderKilled(t *testing.T) *trace.Recording {
	t.Helper()
	return record(t, func(c *raftsim.Config) {
		c.Faults = []fault.Fault{{At: 2 * time.Second, For: 3 * time.Second, Kind: fault.Kill, From: []fault.Target{{Role: fault.Leader}}}}
	})
}

func writePlayer(t *testing.T, rec *trace.Recording) (url string) {
	t.Helper()
	var out bytes.Buffer
	if err := raftplay.WritePage(&out, rec); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run.html")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

func openPlayer(t *testing.T, b *browser, rec *trace.Recording) (url string) {
	t.Helper()
	url = writePlayer(t, rec)
	b.requests = nil
	b.run(t, chromedp.Navigate(url), chromedp.WaitVisible("#stage svg", chromedp.ByQuery))
	return url
}

// seek shows a moment.
func seek(t *testing.T, b *browser, at time.Duration) {
	t.Helper()
	b.run(t, chromedp.Evaluate(fmt.Sprintf("player.play(false), player.go(%d), null", at.Nanoseconds()), nil))
}

// roles are what the stage and the table say of each node; they have to agree.
func roles(t *testing.T, b *browser) string {
	t.Helper()
	table := ask[string](t, b, `Array.from(document.querySelectorAll('#nodes tbody tr')).map(r => r.cells[0].textContent + ' ' + r.cells[1].textContent).join(', ')`)
	stage := ask[string](t, b, `Array.from(document.querySelectorAll('#stage .node')).map(g => g.querySelector('.name').textContent + ' ' + g.querySelector('.role').textContent.replace('asks first', 'pre-candidate')).join(', ')`)
	if table != stage {
		t.Errorf("the table says %s, the stage %s", table, stage)
	}
	return table
}

func TestPlayerInABrowser(t *testing.T) {
	b := startBrowser(t)
	rec := leaderKilled(t)
	url := openPlayer(t, b, rec)
	t.Run("it has every event", func(t *testing.T) { checkEvents(t, b, rec) })
	t.Run("any moment can be shown", func(t *testing.T) { checkMoments(t, b) })
	t.Run("it plays and pauses", func(t *testing.T) { checkPlays(t, b) })
	t.Run("it steps from event to event", func(t *testing.T) { checkSteps(t, b) })
	t.Run("it jumps to the change of leader", func(t *testing.T) { checkJumps(t, b) })
	t.Run("the track is a slider", func(t *testing.T) { checkTrack(t, b) })
	t.Run("messages fly between nodes", func(t *testing.T) { checkMessages(t, b) })
	t.Run("everything has a name", func(t *testing.T) { checkNames(t, b) })
	t.Run("both themes", func(t *testing.T) { checkBoth(t, b) })
	b.quiet(t, url)
}

// checkEvents compares what the script made of the packed events with the recording.
func checkEvents(t *testing.T, b *browser, rec *trace.Recording) {
	t.Helper()
	got := ask[[][]any](t, b, `Array.from({length: model.count}, (_, i) => [model.at[i], model.kindOf(i), model.node[i] === model.NONE ? 0 : model.nodes[model.node[i]].id,
		model.peer[i] === model.NONE ? 0 : model.nodes[model.peer[i]].id, model.id[i], model.term[i], model.index[i], model.messageOf(i), model.until[i], model.textOf(i)])`)
	if len(got) != len(rec.Events) {
		t.Fatalf("%d events, not %d", len(got), len(rec.Events))
	}
	for i, e := range rec.Events {
		want := []any{
			float64(e.At), string(e.Kind), float64(e.Node), float64(e.Peer), float64(e.ID), float64(e.Term), float64(e.Index), e.Message, float64(e.Until), e.Text,
		}
		if !slices.Equal(got[i], want) {
			t.Fatalf("event %d is %v, not %v", i, got[i], want)
		}
	}
}

func checkMoments(t *testing.T, b *browser) {
	t.Helper()
	for _, moment := range []struct {
		at   time.Duration
		want string
	}{
		{0, "n1 follower, n2 follower, n3 follower, n4 follower, n5 follower"},
		{1900 * time.Millisecond, "n1 follower, n2 follower, n3 leader, n4 follower, n5 follower"},
		{2500 * time.Millisecond, "n1 follower, n2 follower, n3 down, n4 follower, n5 follower"},
		{4 * time.Second, "n1 leader, n2 follower, n3 down, n4 follower, n5 follower"},
		{8 * time.Second, "n1 leader, n2 follower, n3 follower, n4 follower, n5 follower"},
		// Backwards, where states are built from the last one that was kept.
		{1900 * time.Millisecond, "n1 follower, n2 follower, n3 leader, n4 follower, n5 follower"},
	} {
		seek(t, b, moment.at)
		if got := roles(t, b); got != moment.want {
			t.Errorf("at %v: %s, want %s", moment.at, got, moment.want)
		}
	}
	seek(t, b, 2500*time.Millisecond)
	if got := ask[string](t, b, `document.querySelector('.middle').textContent + ' ' + document.getElementById('faults').textContent + ' ' + document.getElementById('serving').textContent`); !strings.Contains(got, "no leader4 of 5 run, 3 are a majority kill n3") || !strings.Contains(got, "none answered for") {
		t.Errorf("got %q", got)
	}
	screenshot(t, b, "raftplay-down")
	// The state after all events is the same, whether it is played to or jumped to.
	if same := ask[bool](t, b, `JSON.stringify(model.state(model.count)) === JSON.stringify((() => { let s = model.state(0); for (let n = 1; n <= model.count; n++) s = model.state(n, s); return s })())`); !same {
		t.Error("a jump leads to another state than all steps")
	}
}

func checkPlays(t *testing.T, b *browser) {
	t.Helper()
	seek(t, b, 0)
	b.run(t, chromedp.Click("#play", chromedp.ByQuery), chromedp.PollFunction(`() => player.now().time > 1e8 && document.getElementById('play').textContent === 'Pause'`, nil),
		chromedp.Click("#play", chromedp.ByQuery))
	at := ask[float64](t, b, `player.now().time`)
	if again := ask[float64](t, b, `new Promise(done => setTimeout(() => done(player.now().time), 100))`); again != at || ask[string](t, b, `document.getElementById('play').textContent`) != "Play" {
		t.Errorf("paused at %g, then it is %g", at, again)
	}
	// Played at full speed to the end, it stops there.
	seek(t, b, 7*time.Second)
	b.run(t, chromedp.Evaluate(`player.speed(12), player.play(true), null`, nil), chromedp.PollFunction(`() => !player.now().playing`, nil))
	if end := ask[float64](t, b, `player.now().time`); end != 8e9 {
		t.Errorf("it ends at %g", end)
	}
	b.run(t, chromedp.Evaluate(`player.speed(1), null`, nil))
}

func checkSteps(t *testing.T, b *browser) {
	t.Helper()
	seek(t, b, 2*time.Second)
	first := ask[int](t, b, `player.now().events`)
	b.run(t, chromedp.Click("#step", chromedp.ByQuery), chromedp.Click("#step", chromedp.ByQuery), chromedp.Click("#back", chromedp.ByQuery))
	if got := ask[int](t, b, `player.now().events`); got != first+1 {
		t.Errorf("two steps on and one back lead from %d to %d", first, got)
	}
	// Steps pass over what is not shown.
	b.run(t, chromedp.Click("#show-heartbeat", chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	if now := ask[string](t, b, `document.getElementById('now').textContent`); strings.Contains(now, "heartbeat") || now == "" {
		t.Errorf("stepped to %q", now)
	}
	b.run(t, chromedp.Click("#show-heartbeat", chromedp.ByQuery))
}

func checkJumps(t *testing.T, b *browser) {
	t.Helper()
	seek(t, b, 2100*time.Millisecond)
	b.run(t, chromedp.Click("#jump-leader", chromedp.ByQuery))
	if now := ask[string](t, b, `document.getElementById('now').textContent + document.getElementById('leading').textContent`); !strings.Contains(now, "n1 leads term 3n1 leads term 3") {
		t.Errorf("jumped to %q", now)
	}
	screenshot(t, b, "raftplay-elected")
	b.run(t, chromedp.KeyEvent("L", chromedp.KeyModifiers(8)))
	if now := ask[string](t, b, `document.getElementById('now').textContent`); !strings.Contains(now, "n3 leads term 2") {
		t.Errorf("jumped back to %q", now)
	}
	b.run(t, chromedp.KeyEvent("f"))
	if now := ask[string](t, b, `document.getElementById('now').textContent`); now != "2.0000 s  fault: kill n3" {
		t.Errorf("jumped to %q", now)
	}
	// The list says the same, and leads to it.
	b.run(t, chromedp.Evaluate(`Array.from(document.querySelectorAll('#tabs button')).find(b => b.dataset.group === 'leader').click(), document.querySelectorAll('#rows button')[1].click(), null`, nil))
	if now := ask[string](t, b, `document.querySelector('#rows [aria-current]').textContent + document.getElementById('leading').textContent`); !strings.HasSuffix(now, "n1 leads term 3n1 leads term 3") {
		t.Errorf("the list leads to %q", now)
	}
	b.run(t, chromedp.Evaluate(`document.querySelector('#tabs button').click(), null`, nil))
}

func checkTrack(t *testing.T, b *browser) {
	t.Helper()
	b.run(t, chromedp.Evaluate(`document.getElementById('track').focus(), null`, nil), chromedp.KeyEvent(kb.Home))
	b.run(t, chromedp.Click("#track", chromedp.ByQuery))
	if now := ask[float64](t, b, `Number(document.getElementById('track').getAttribute('aria-valuenow'))`); now < 3.9 || now > 4.1 {
		t.Errorf("the middle of the track is at %g s of 8", now)
	}
	b.run(t, chromedp.KeyEvent(kb.End))
	if text := ask[string](t, b, `document.getElementById('track').getAttribute('aria-valuetext')`); text != "8.0000 s" {
		t.Errorf("the end is %q", text)
	}
}

func checkMessages(t *testing.T, b *browser) {
	t.Helper()
	// A candidate's requests are under way: one to each other node.
	moment := ask[float64](t, b, `model.flights.find(f => f.name === 'Vote').sent`)
	seek(t, b, time.Duration(moment)+200*time.Microsecond)
	const fly = `Array.from(document.querySelectorAll('#stage .message.vote')).filter(g => g.getAttribute('visibility') === 'visible').map(g => g.getAttribute('transform'))`
	places := ask[[]string](t, b, fly)
	if len(places) < 4 {
		t.Errorf("%d requests fly", len(places))
	}
	screenshot(t, b, "raftplay-votes")
	seek(t, b, time.Duration(moment)+300*time.Microsecond)
	if later := ask[[]string](t, b, fly); len(later) > 0 && len(places) > 0 && later[0] == places[0] {
		t.Error("messages stand still")
	}
	for _, class := range []string{"heartbeat", "log"} {
		if n := ask[int](t, b, `(() => { const f = model.flights.find(f => f.cls === '`+class+`' && f.sent > 1.5e9); player.go(f.sent + 2e5); return Array.from(document.querySelectorAll('#stage .message.`+class+`')).filter(g => g.getAttribute('visibility') === 'visible').length })()`); n < 1 {
			t.Errorf("no message about %s flies", class)
		}
	}
}

func checkNames(t *testing.T, b *browser) {
	t.Helper()
	for _, nameless := range ask[[]string](t, b, `Array.from(document.querySelectorAll('button, select, input, [role], table, section')).filter(e =>
		!(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim() || (e.labels && e.labels.length) || e.getAttribute('role') === 'status')).map(e => e.outerHTML)`) {
		t.Errorf("it has no name: %s", nameless)
	}
	for _, rows := range ask[[]string](t, b, `Array.from(document.querySelectorAll('#nodes .cells svg')).map(s => s.getAttribute('aria-label'))`) {
		if !strings.Contains(rows, "committed up to") {
			t.Errorf("a log says %q", rows)
		}
	}
}

func checkBoth(t *testing.T, b *browser) {
	t.Helper()
	seek(t, b, 4*time.Second)
	for _, theme := range []string{"light", "dark"} {
		b.run(t, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}))
		contrast := ask[float64](t, b, `(() => {
			const lum = c => { const [r, g, b] = c.match(/[\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
			const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) };
			return Math.min(...Array.from(document.querySelectorAll('.node')).map(g => ratio(getComputedStyle(g.querySelector('.name')).fill, getComputedStyle(g.querySelector('.body')).fill)),
				ratio(getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor),
				ratio(getComputedStyle(document.querySelector('.lead')).color, getComputedStyle(document.body).backgroundColor)) })()`)
		if contrast < 4.5 { // WCAG 2.2, 1.4.3
			t.Errorf("%s: contrast %.2f", theme, contrast)
		}
		screenshot(t, b, "raftplay-"+theme)
	}
}

func TestPlayerWithManyFaultsAndEvents(t *testing.T) {
	b := startBrowser(t)
	rec := record(t, func(c *raftsim.Config) {
		c.Seed, c.Duration, c.Rate, c.SnapshotEntries, c.SnapshotKeep = 25, 30*time.Second, 200, 100, 50
		c.Faults = fault.Default(rand.New(rand.NewPCG(25, 1)), 5, c.Duration)
	})
	if len(rec.Events) < 50_000 {
		t.Fatalf("%d events", len(rec.Events))
	}
	url := openPlayer(t, b, rec)
	took := ask[float64](t, b, `(() => { const t = performance.now(); for (let i = 0; i < 50; i++) player.go(model.duration * ((i * 29) % 50) / 50); return (performance.now() - t) / 50 })()`)
	t.Logf("%d events, %.1f ms a jump", len(rec.Events), took)
	if cut := ask[int](t, b, `(() => { const f = story.faults.find(f => /^(partition|isolate) /.test(f.text)); player.go(f.from + 1); return document.querySelectorAll('#stage .link.cut').length })()`); cut < 1 {
		t.Error("a partition is not to be seen")
	}
	screenshot(t, b, "raftplay-nemesis")
	b.quiet(t, url)
}

func TestPlayerOfOtherSizes(t *testing.T) {
	b := startBrowser(t)
	for _, nodes := range []int{1, 2, 3, 7, 9} {
		rec := record(t, func(c *raftsim.Config) {
			c.Topology = raftsim.Uniform(nodes, time.Millisecond, 0.1)
			c.Duration, c.Rate = 4*time.Second, 5
		})
		url := openPlayer(t, b, rec)
		seek(t, b, 3*time.Second)
		outside := ask[int](t, b, `Array.from(document.querySelectorAll('#stage .node')).filter(g => { const a = g.getBoundingClientRect(), s = document.querySelector('#stage svg').getBoundingClientRect(); return a.left < s.left || a.right > s.right || a.top < s.top || a.bottom > s.bottom }).length`)
		if outside > 0 || ask[int](t, b, `document.querySelectorAll('#stage .node').length`) != nodes {
			t.Errorf("%d nodes: %d are outside", nodes, outside)
		}
		screenshot(t, b, fmt.Sprintf("raftplay-%d", nodes))
		b.quiet(t, url)
	}
	empty := openPlayer(t, b, &trace.Recording{})
	b.quiet(t, empty)
}

func TestHostileRecordingsStayText(t *testing.T) {
	b := startBrowser(t)
	rec := leaderKilled(t)
	rec.Sentence = hostileName
	for i := range rec.Nodes {
		rec.Nodes[i].Name, rec.Nodes[i].Zone = hostileName, hostileName
	}
	for _, kind := range []trace.Kind{trace.Fault, trace.Violated, trace.Vote, trace.Role, trace.Send, "constructor", hostileName} {
		rec.Events = append(rec.Events, trace.Event{At: 7900 * time.Millisecond, Kind: kind, Node: 1, Peer: 2, ID: 1 << 60, Message: hostileName, Text: hostileName})
	}
	url := openPlayer(t, b, rec)
	b.run(t, chromedp.Evaluate(`for (let n = model.count - 12; n <= model.count; n++) player.go(8e9, n); null`, nil))
	if ask[bool](t, b, `'pwned' in window || document.scripts.length !== 2 || document.images.length !== 0`) {
		t.Error("a name became markup")
	}
	visible := ask[string](t, b, `document.body.innerText + document.getElementById('stage').textContent`)
	if n := strings.Count(visible, "</script><script>window.pwned=1;"); n < 10 || strings.ContainsAny(visible, "\u202e\x1b\u2028") {
		t.Errorf("the name is seen %d times", n)
	}
	b.quiet(t, url)
}

func TestPlayerWithoutScripts(t *testing.T) {
	b := startBrowser(t)
	url := writePlayer(t, leaderKilled(t))
	b.run(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(url), chromedp.WaitVisible("noscript p", chromedp.ByQuery), chromedp.Click("summary", chromedp.ByQuery))
	var text string
	b.run(t, chromedp.Text("main", &text, chromedp.ByQuery))
	for _, want := range []string{"scripts are off", "n1 leads term 3", "fault: kill n3"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	b.quiet(t, url)
}
