package raftplay

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/opsctl/opsctl/pkg/report/onepage"
)

// Plot shows how samples are distributed: for each value, the share of the sample that is no larger (an empirical cumulative
// distribution). All its texts may be foreign.
type Plot struct {
	Title string
	// XLabel names the quantity and its unit, such as "seconds without a leader".
	XLabel string
	Series []Series
}

// Series is a sample. Values need no order; +Inf is one that had no end, which counts and lies beyond the axis. What is no number, or
// infinite otherwise, is left out and said so. At most six can be told apart.
type Series struct {
	Name   string
	Values []float64
	Marks  []Mark
}

// Mark is a quantile, with its interval where Low < High; an infinite High is not known.
type Mark struct {
	Label     string  // such as p95
	Share     float64 // 0.95
	At        float64 // its value
	Low, High float64
}

// sizes of a plot in pixels.
const (
	plotWidth  = 860
	plotTop    = 64
	plotLeft   = 64
	plotRight  = plotWidth - 28
	plotBottom = 404
	keyLine    = 20
	markLine   = 18
)

// looks are how often samples are told apart: by colour and by dashes.
const looks = 6

const plotStyle = `svg{color-scheme:light dark;--page:#fff;--ink:#14181f;--soft:#566072;--line:#dfe3ea;--a:#0b57d0;--b:#b3401a;--c:#0f766e;--d:#7c3aed;--e:#a1156b;--f:#5b6470}` +
	`@media(prefers-color-scheme:dark){svg{--page:#12161c;--ink:#edf0f5;--soft:#9ba6b7;--line:#2b323d;--a:#8ab4ff;--b:#fb923c;--c:#4fd1c0;--d:#b79bff;--e:#ff8ac5;--f:#aab4c2}}` +
	`text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;fill:var(--ink);unicode-bidi:isolate}` +
	`.title{font-size:17px;font-weight:600}.soft{fill:var(--soft)}.page{fill:var(--page)}.grid{stroke:var(--line)}.axis{stroke:var(--soft)}` +
	`.label{font-size:11px;paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}.curve{fill:none;stroke-width:2;stroke-linejoin:round}.whisker{stroke-width:1.5}.guide{stroke-width:1;stroke-dasharray:2 3;opacity:.7}.dot{stroke:var(--page);stroke-width:1.5}` +
	`.s0{stroke:var(--a)}.s1{stroke:var(--b);stroke-dasharray:9 3}.s2{stroke:var(--c);stroke-dasharray:3 2}.s3{stroke:var(--d);stroke-dasharray:10 3 2 3}.s4{stroke:var(--e);stroke-dasharray:1 3}.s5{stroke:var(--f);stroke-dasharray:14 4}` +
	`.w0{stroke:var(--a)}.w1{stroke:var(--b)}.w2{stroke:var(--c)}.w3{stroke:var(--d)}.w4{stroke:var(--e)}.w5{stroke:var(--f)}` +
	`.f0{fill:var(--a)}.f1{fill:var(--b)}.f2{fill:var(--c)}.f3{fill:var(--d)}.f4{fill:var(--e)}.f5{fill:var(--f)}`

// sample is a series that can be drawn.
type sample struct {
	*Series
	sorted  []float64
	endless int // values beyond the axis
	odd     int // values that cannot be drawn
}

// WriteSVG writes the plot as an SVG document that needs nothing else, light or dark as its reader has it.
func (p *Plot) WriteSVG(w io.Writer) error {
	out := bufio.NewWriter(w)
	d := plotter{w: out, scale: scale{pixels: [2]float64{plotLeft, plotRight}}}
	low, high := math.Inf(1), math.Inf(-1)
	for i := range p.Series {
		s := sample{Series: &p.Series[i]}
		s.sorted, s.endless, s.odd = finite(s.Values)
		if n := len(s.sorted); n > 0 {
			low, high = min(low, s.sorted[0]), max(high, s.sorted[n-1])
		}
		for _, m := range s.Marks {
			d.marks++
			if m.Low < m.High && drawable(m.Low) {
				low = min(low, m.Low)
			}
			if m.Low < m.High && drawable(m.High) {
				high = max(high, m.High)
			}
		}
		d.samples = append(d.samples, s)
	}
	d.scale.fit(low, high)
	d.head(p)
	d.axes(p.XLabel)
	for i := range d.samples {
		d.curve(i)
	}
	for i := range d.samples {
		d.quantiles(i)
	}
	d.key()
	d.print("</svg>\n")
	return out.Flush()
}

// finite is a sorted copy of what can be drawn, how much lies beyond, and how much is no value.
func finite(values []float64) (sorted []float64, endless, odd int) {
	sorted = make([]float64, 0, len(values))
	for _, v := range values {
		switch {
		case math.IsInf(v, 1):
			endless++
		case !drawable(v):
			odd++
		default:
			sorted = append(sorted, v)
		}
	}
	slices.Sort(sorted)
	return sorted, endless, odd
}

// drawable leaves out what is no number, and what no axis would reach.
func drawable(v float64) bool { return !math.IsNaN(v) && math.Abs(v) < 1e100 }

// plotter draws. Errors of its writer are kept by it until the flush.
type plotter struct {
	w       *bufio.Writer
	samples []sample
	marks   int
	scale   scale
}

func (d *plotter) print(format string, args ...any) { _, _ = fmt.Fprintf(d.w, format, args...) }

func (d *plotter) text(x, y float64, class, anchor, text string) {
	d.print(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>`+"\n", px(x), px(y), class, anchor, onepage.Text(text))
}

func (d *plotter) line(x1, y1, x2, y2 float64, class string) {
	d.print(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>`+"\n", px(x1), px(y1), px(x2), px(y2), class)
}

func (d *plotter) head(p *Plot) {
	height := plotBottom + 64 + keyLine*len(d.samples) + markLine*d.marks
	title := onepage.Text(p.Title)
	d.print(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n", plotWidth, height, plotWidth, height, title)
	d.print("<title>%s</title>\n<style>%s</style>\n", title, plotStyle)
	d.print(`<rect class="page" width="%d" height="%d"/>`+"\n", plotWidth, height)
	d.text(plotLeft, 30, "title", "start", p.Title)
	d.text(plotLeft, 50, "soft", "start", "share of the values that are no larger; points are quantiles, with their intervals")
}

func (d *plotter) axes(label string) {
	for i := range 5 {
		share := float64(i) / 4
		d.line(plotLeft, down(share), plotRight, down(share), "grid")
		d.text(plotLeft-8, down(share)+4, "soft", "end", strconv.Itoa(25*i)+" %")
	}
	for _, tick := range d.scale.ticks() {
		d.line(d.scale.x(tick), plotTop, d.scale.x(tick), plotBottom+5, "grid")
		d.text(d.scale.x(tick), plotBottom+20, "soft", "middle", number(tick))
	}
	d.line(plotLeft, plotBottom, plotRight, plotBottom, "axis")
	if d.scale.log {
		label += " (logarithmic)"
	}
	d.text((plotLeft+plotRight)/2, plotBottom+40, "soft", "middle", label)
}

// curve draws the steps of a sample. Of those that share half a pixel, the last is drawn.
func (d *plotter) curve(i int) {
	s := &d.samples[i]
	n := len(s.sorted)
	if n == 0 {
		return
	}
	path := append([]byte("M"), px(d.scale.x(s.sorted[0]))+","+px(down(0))...)
	last, all := math.Inf(-1), float64(n+s.endless)
	for k, v := range s.sorted {
		x := d.scale.x(v)
		if k+1 < n && (s.sorted[k+1] == v || x-last < 0.5 && d.scale.x(s.sorted[k+1])-last < 0.5) {
			continue
		}
		path = append(path, "H"+px(x)+"V"+px(down(float64(k+1)/all))...)
		last = x
	}
	path = append(path, "H"+px(plotRight)...)
	d.print(`<path class="curve s%d" d="%s"/>`+"\n", i%looks, path)
}

// quantiles draws the marks of a sample: a point, its interval, and a line down to the axis.
func (d *plotter) quantiles(i int) {
	for _, m := range d.samples[i].Marks {
		if !drawable(m.At) || !(m.Share >= 0 && m.Share <= 1) {
			continue
		}
		x, y := d.scale.x(m.At), down(m.Share)
		class := "w" + strconv.Itoa(i%looks)
		d.line(x, y, x, plotBottom, class+" guide")
		if m.Low < m.High && drawable(m.Low) {
			d.whisker(m, y, class+" whisker")
		}
		d.print(`<circle cx="%s" cy="%s" r="4.5" class="dot f%d"/>`+"\n", px(x), px(y), i%looks)
		d.text(x+8, y+16, "label f"+strconv.Itoa(i%looks), "start", m.Label)
	}
}

// whisker draws an interval, to the edge where it has no end.
func (d *plotter) whisker(m Mark, y float64, class string) {
	low, high := d.scale.x(m.Low), float64(plotRight)
	if drawable(m.High) {
		high = d.scale.x(m.High)
		d.line(high, y-4, high, y+4, class)
	}
	d.line(low, y, high, y, class)
	d.line(low, y-4, low, y+4, class)
}

// key names the samples, with how many values they have, and says what the marks are.
func (d *plotter) key() {
	y := float64(plotBottom + 64)
	for i := range d.samples {
		s := &d.samples[i]
		d.print(`<path class="curve s%d" d="M%d,%sh34"/>`+"\n", i%looks, plotLeft, px(y-4))
		text := fmt.Sprintf("%s: %d values", s.Name, len(s.sorted))
		if s.endless > 0 {
			text += fmt.Sprintf(", and %d that had no end", s.endless)
		}
		if s.odd > 0 {
			text += fmt.Sprintf(", and %d that are no finite numbers", s.odd)
		}
		d.text(plotLeft+44, y, "", "start", text)
		y += keyLine
		for _, m := range s.Marks {
			text := m.Label + "  " + number(m.At)
			switch {
			case m.Low < m.High && math.IsInf(m.High, 1):
				text += "  (" + number(m.Low) + " or more)"
			case m.Low < m.High:
				text += "  (" + number(m.Low) + " to " + number(m.High) + ")"
			}
			d.text(plotLeft+44, y-2, "soft", "start", text)
			y += markLine
		}
	}
}

// down is where a share is.
func down(share float64) float64 { return plotBottom - share*(plotBottom-plotTop) }

// px is a length of SVG, to a tenth of a pixel.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// number is a value with as many places as say something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsInf(v, 1):
		return "no end"
	case !drawable(v):
		return "none"
	case a >= 1e6 || a > 0 && a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	places := 4 - int(math.Ceil(math.Log10(max(math.Abs(v), 1e-4))))
	return strconv.FormatFloat(math.Round(v*math.Pow10(places))/math.Pow10(places), 'f', -1, 64)
}
