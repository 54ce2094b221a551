package test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/report/treemap"
)

// hostileName tries to leave every place that a name is put into.
const hostileName = `</script><script>window.pwned=1;alert(1)</script><img src="http://192.0.2.1/x" onerror="window.pwned=2">` + "\u202egnp.exe\x1b[2J\u2028'\"`${1}<!--"

// browser is a tab of a real browser, and what happened in it.
type browser struct {
	ctx context.Context

	mu       sync.Mutex
	requests []string // of pages, scripts, images, whatever
	trouble  []string // errors, warnings, dialogs
}

// startBrowser starts chromium without a profile and without its own traffic. It ends with the test.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	testpeers.RequireProgram(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1280, 1000),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	// The first run starts the browser, which would end with a time limit of its own.
	if err := chromedp.Run(ctx, network.Enable(), log.Enable()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *network.EventWebSocketCreated:
		b.requests = append(b.requests, e.URL)
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		b.trouble = append(b.trouble, e.Entry.Text)
	case *page.EventJavascriptDialogOpening:
		b.trouble = append(b.trouble, "dialog: "+e.Message)
	}
}

func (b *browser) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates an expression, or what a promise comes to.
func ask[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	var value T
	b.run(t, chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

// quiet wants nothing but the page itself to have been requested, and no error.
func (b *browser) quiet(t *testing.T, url string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, request := range b.requests {
		if request != url {
			t.Errorf("the page requested %s", request)
		}
	}
	if len(b.requests) == 0 || len(b.trouble) > 0 {
		t.Errorf("%d requests, %q", len(b.requests), b.trouble)
	}
}

func writePage(t *testing.T, p *treemap.Page) (url string) {
	t.Helper()
	var out bytes.Buffer
	if err := treemap.Write(&out, p); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "space.html")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// schemas are leaves of three schemas with sizes of all magnitudes, the largest first.
func schemas(n int) []treemap.Leaf {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	var leaves []treemap.Leaf
	for i := range n {
		size := int64(float64(int64(1)<<40) / float64(i+1) * (0.5 + random.Float64()))
		data := size / 2
		leaf := treemap.Leaf{
			Group: []string{"shop", "logs", "库"}[i%3], Name: fmt.Sprintf("table_%d", i), Data: data, Index: size / 5, Free: size - data - size/5,
			Reclaimable: &treemap.Range{Low: size / 5, Bytes: size / 4, High: size / 3}, Facts: [][2]string{{"engine", "InnoDB"}},
		}
		leaves = append(leaves, leaf)
	}
	return leaves
}

func TestTreemapInABrowser(t *testing.T) {
	b := startBrowser(t)
	url := writePage(t, &treemap.Page{Title: "Space", Leaves: schemas(60)})
	b.run(t, chromedp.Navigate(url), chromedp.WaitVisible("#map svg", chromedp.ByQuery))
	t.Run("areas are as large as their tables", func(t *testing.T) { checkAreas(t, b) })
	t.Run("labels lie within their areas", func(t *testing.T) { checkLabels(t, b) })
	t.Run("pointing at a table shows its figures", func(t *testing.T) { checkTooltip(t, b) })
	t.Run("the keyboard reaches every table", func(t *testing.T) { checkKeyboard(t, b) })
	t.Run("finding marks what it finds", func(t *testing.T) { checkFind(t, b) })
	t.Run("labels can be read in both themes", func(t *testing.T) { checkThemes(t, b) })
	b.quiet(t, url)
}

// leafBoxes gives name, size and area of each leaf that is drawn.
const leafBoxes = `Array.from(document.querySelectorAll('#canvas .leaf')).map(g => {
	const r = g.querySelector('.frame').getBBox(); return {name: g.leaf.n, schema: g.leaf.group.name, size: g.leaf.size, x: r.x, y: r.y, w: r.width, h: r.height} })`

type leafBox struct {
	Name, Schema string
	Size         float64
	X, Y, W, H   float64
}

func checkAreas(t *testing.T, b *browser) {
	t.Helper()
	boxes := ask[[]leafBox](t, b, leafBoxes)
	perByte := map[string][]float64{}
	for _, box := range boxes {
		// A gap of a pixel lies between areas.
		if box.W > 30 && box.H > 30 {
			perByte[box.Schema] = append(perByte[box.Schema], (box.W+1)*(box.H+1)/box.Size)
		}
	}
	if len(boxes) < 50 || len(perByte) != 3 {
		t.Fatalf("%d areas of %d schemas", len(boxes), len(perByte))
	}
	for schema, densities := range perByte {
		for _, d := range densities {
			if math.Abs(d/densities[0]-1) > 0.02 {
				t.Errorf("%s: %g pixels a byte beside %g", schema, d, densities[0])
			}
		}
	}
	for i, a := range boxes {
		for _, c := range boxes[i+1:] {
			if a.X+a.W > c.X+0.01 && c.X+c.W > a.X+0.01 && a.Y+a.H > c.Y+0.01 && c.Y+c.H > a.Y+0.01 {
				t.Errorf("%s and %s overlap: %+v %+v", a.Name, c.Name, a, c)
			}
		}
	}
	parts := ask[map[string]float64](t, b, `(() => { const g = document.querySelector('.leaf'), area = c => { const r = g.querySelector(c).getBBox(); return r.width * r.height };
		const all = area('.frame'); return {data: area('.data') / all, index: area('.index') / all, free: area('.free') / all, reclaim: area('.reclaim') / all} })()`)
	for part, want := range map[string]float64{"data": 0.5, "index": 0.2, "free": 0.3, "reclaim": 0.25} {
		if math.Abs(parts[part]-want) > 0.01 {
			t.Errorf("%s has %.3f of its table, want %.3f", part, parts[part], want)
		}
	}
}

func checkLabels(t *testing.T, b *browser) {
	t.Helper()
	type label struct {
		Text   string
		Inside bool
	}
	labels := ask[[]label](t, b, `Array.from(document.querySelectorAll('.leaf text')).map(e => {
		const a = e.getBBox(), f = e.parentNode.querySelector('.frame').getBBox();
		return {text: e.textContent, inside: a.x >= f.x && a.y >= f.y - 1 && a.x + a.width <= f.x + f.width + 1 && a.y + a.height <= f.y + f.height + 1} })`)
	texts := map[string]bool{}
	for _, l := range labels {
		texts[l.Text] = true
		if !l.Inside {
			t.Errorf("%q sticks out", l.Text)
		}
	}
	for _, want := range []string{"table_0", "table_1", "table_2"} {
		if !texts[want] {
			t.Errorf("%s has no label among %d", want, len(labels))
		}
	}
	if heads := ask[[]string](t, b, `Array.from(document.querySelectorAll('.group text.name')).map(e => e.textContent)`); len(heads) != 3 {
		t.Errorf("schemas %q", heads)
	}
}

func checkTooltip(t *testing.T, b *browser) {
	t.Helper()
	if ask[bool](t, b, `!document.getElementById('tip').hidden`) {
		t.Error("a tooltip without a pointer")
	}
	at := ask[[]float64](t, b, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('.leaf').getBoundingClientRect())`)
	b.run(t, chromedp.MouseEvent("mouseMoved", at[0], at[1]), chromedp.WaitVisible("#tip", chromedp.ByQuery))
	name := ask[string](t, b, `document.querySelector('.leaf').leaf.n`)
	text := ask[string](t, b, `document.getElementById('tip').innerText`)
	for _, want := range []string{name, "data", "indexes", "free pages", "a rebuild gives back", "InnoDB", "50 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("the tooltip lacks %q:\n%s", want, text)
		}
	}
	if !ask[bool](t, b, `(r => r.left >= 0 && r.top >= 0 && r.right <= innerWidth && r.bottom <= innerHeight)(document.getElementById('tip').getBoundingClientRect())`) {
		t.Error("the tooltip sticks out of the window")
	}
	b.run(t, chromedp.MouseEvent("mouseMoved", 2, 2), chromedp.WaitNotVisible("#tip", chromedp.ByQuery))
}

const focused = `document.activeElement.leaf ? document.activeElement.leaf.n : ''`

func checkKeyboard(t *testing.T, b *browser) {
	t.Helper()
	b.run(t, chromedp.Focus("#find", chromedp.ByQuery), chromedp.KeyEvent(kb.Tab))
	first := ask[string](t, b, focused)
	if first == "" || !ask[bool](t, b, `!document.getElementById('tip').hidden`) {
		t.Fatalf("Tab leads to %q, %s", first, ask[string](t, b, `document.activeElement.outerHTML.slice(0, 200)`))
	}
	b.run(t, chromedp.KeyEvent(kb.ArrowRight))
	if second := ask[string](t, b, focused); second == "" || second == first {
		t.Errorf("from %s the arrow leads to %q", first, second)
	}
	b.run(t, chromedp.KeyEvent(kb.End))
	if last := ask[bool](t, b, `document.activeElement === Array.from(document.querySelectorAll('.leaf')).pop()`); !last {
		t.Error("End does not lead to the last table")
	}
	b.run(t, chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.Enter))
	if schemas := ask[[]string](t, b, `Array.from(new Set(Array.from(document.querySelectorAll('.leaf')).map(g => g.leaf.group.name)))`); len(schemas) != 1 {
		t.Errorf("Enter shows %q", schemas)
	}
	if crumbs := ask[string](t, b, `document.getElementById('crumbs').innerText`); !strings.HasPrefix(crumbs, "All schemas") || !strings.Contains(crumbs, " of ") {
		t.Errorf("%q", crumbs)
	}
	b.run(t, chromedp.KeyEvent(kb.Escape))
	if groups := ask[int](t, b, `document.querySelectorAll('.group').length`); groups != 3 {
		t.Errorf("Escape leads to %d schemas", groups)
	}
}

func checkFind(t *testing.T, b *browser) {
	t.Helper()
	b.run(t, chromedp.SendKeys("#find", "table_1", chromedp.ByQuery))
	// table_1 and table_10 to table_19.
	if found := ask[string](t, b, `document.getElementById('found').textContent`); found != "11 found" {
		t.Error(found)
	}
	if hits := ask[int](t, b, `document.querySelectorAll('.leaf.hit').length`); hits != 11 {
		t.Errorf("%d are marked", hits)
	}
	b.run(t, chromedp.Evaluate(`find = document.getElementById('find'), find.value = '', find.dispatchEvent(new Event('input'))`, nil))
	if dim := ask[int](t, b, `document.querySelectorAll('.leaf.dim').length`); dim != 0 {
		t.Errorf("%d stay dim", dim)
	}
}

// contrast is WCAG 2's ratio of labels to the parts behind them: the least of all.
const contrast = `(() => {
	const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
	const ink = light(getComputedStyle(document.querySelector('.leaf text')).fill);
	return Math.min(...['.data', '.index', '.free'].map(s => light(getComputedStyle(document.querySelector('.leaf ' + s)).fill)).map(l => (Math.max(l, ink) + 0.05) / (Math.min(l, ink) + 0.05))) })()`

func checkThemes(t *testing.T, b *browser) {
	t.Helper()
	pages := map[string]string{}
	for _, theme := range []string{"light", "dark"} {
		b.run(t, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}))
		if ratio := ask[float64](t, b, contrast); ratio < 4.5 {
			t.Errorf("%s: contrast %.1f", theme, ratio)
		}
		pages[theme] = ask[string](t, b, `getComputedStyle(document.body).backgroundColor`)
		screenshot(t, b, "treemap-"+theme)
	}
	if pages["light"] == pages["dark"] {
		t.Errorf("both themes have %s", pages["light"])
	}
}

// screenshot keeps a picture in the folder that OPSCTL_SHOTS names.
func screenshot(t *testing.T, b *browser, name string) {
	t.Helper()
	dir := os.Getenv("OPSCTL_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.run(t, chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestHostileNamesStayTextInABrowser(t *testing.T) {
	b := startBrowser(t)
	url := writePage(t, &treemap.Page{
		Title: hostileName, Lead: hostileName, Foot: hostileName, Tiles: []treemap.Tile{{Label: hostileName, Value: hostileName, Note: hostileName}},
		Leaves:   []treemap.Leaf{{Group: hostileName, Name: hostileName, Data: 1 << 40, Facts: [][2]string{{hostileName, hostileName}}}},
		Sections: []treemap.Section{{Heading: hostileName, Notes: []string{hostileName}, Heads: []string{hostileName}, Rows: [][]treemap.Cell{treemap.Cells(hostileName)}}},
	})
	b.run(t, chromedp.Navigate(url), chromedp.WaitVisible("#map svg", chromedp.ByQuery), chromedp.Focus("#find", chromedp.ByQuery), chromedp.KeyEvent(kb.Tab), chromedp.WaitVisible("#tip", chromedp.ByQuery))
	if ask[bool](t, b, `'pwned' in window || document.scripts.length !== 2 || document.images.length !== 0`) {
		t.Error("a name became markup")
	}
	visible := ask[string](t, b, `document.body.innerText + Array.from(document.querySelectorAll('svg text')).map(e => e.textContent).join()`)
	if n := strings.Count(visible, "</script><script>window.pwned=1;"); n < 10 {
		t.Errorf("the name is seen %d times:\n%s", n, visible)
	}
	if strings.ContainsAny(visible, "\u202e\x1b\u2028") {
		t.Error("control characters are on the page")
	}
	b.quiet(t, url)
	// Even a script that got in would not run, and could not reach anybody.
	blocked := ask[string](t, b, `new Promise(done => {
		document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));
		const s = document.createElement('script'); s.textContent = 'window.pwned = 3'; document.body.append(s); setTimeout(done, 5000, 'nothing') })`)
	if blocked != "script-src-elem" || ask[bool](t, b, `'pwned' in window`) {
		t.Errorf("blocked by %s", blocked)
	}
}

func TestTreemapOfManyTablesAndOfNone(t *testing.T) {
	b := startBrowser(t)
	url := writePage(t, &treemap.Page{Title: "Many", Leaves: schemas(10000)})
	b.run(t, chromedp.Navigate(url), chromedp.WaitVisible("#map svg", chromedp.ByQuery))
	drawn := ask[int](t, b, `document.querySelectorAll('.leaf').length`)
	smaller := ask[int](t, b, `Array.from(document.querySelectorAll('.leaf')).filter(g => g.leaf.heap).reduce((n, g) => n + parseInt(g.leaf.n), 0)`)
	heaps := ask[int](t, b, `Array.from(document.querySelectorAll('.leaf')).filter(g => g.leaf.heap).length`)
	if drawn-heaps+smaller != 10000 || drawn < 500 {
		t.Errorf("%d areas, %d of them for %d tables", drawn, heaps, smaller)
	}
	// What is drawn as one keeps what all of it is, and what rebuilds would give back.
	all := ask[float64](t, b, `Array.from(document.querySelectorAll('.leaf')).reduce((n, g) => n + g.leaf.size, 0)`)
	back := ask[float64](t, b, `Array.from(document.querySelectorAll('.leaf')).reduce((n, g) => n + g.leaf.r[1], 0)`)
	if math.Abs(back/all-0.25) > 0.001 {
		t.Errorf("rebuilds give back %.4f of the map, want a quarter", back/all)
	}
	screenshot(t, b, "treemap-many")
	empty := writePage(t, &treemap.Page{Title: "Empty"})
	b.requests = nil
	b.run(t, chromedp.Navigate(empty), chromedp.WaitVisible("#crumbs", chromedp.ByQuery))
	b.quiet(t, empty)
}

func TestTreemapWithoutScripts(t *testing.T) {
	b := startBrowser(t)
	program := opsctlProgram(t)
	out, err := exec.CommandContext(t.Context(), program, "mysql", "space", "--datadir", "../testdata/mysql/mariadb-10.11", "-o", "html").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "space.html")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	b.run(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate("file://"+path), chromedp.WaitVisible("noscript p", chromedp.ByQuery))
	var text string
	b.run(t, chromedp.Text("main", &text, chromedp.ByQuery))
	for _, want := range []string{"The tables hold the same figures", "orders", "464 KiB", "my-archive", "binary-logs"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	b.quiet(t, "file://"+path)
}
