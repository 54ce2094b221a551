package raftplay

import (
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// glyph is what stands for a state in the overview. Where several fall into one column, the highest rank is seen.
type glyph struct {
	rank   int
	text   string
	colour paint
}

var (
	absent    = glyph{1, " ", plain}
	following = glyph{2, "─", dim}
	dead      = glyph{3, "·", red}
	frozen    = glyph{4, "░", violet}
	leading   = glyph{5, "█", green}
	standing  = glyph{6, "?", yellow}
	killed    = glyph{7, "x", red}
)

func (m *member) glyph() glyph {
	switch {
	case !m.in:
		return absent
	case !m.up:
		return dead
	case m.paused:
		return frozen
	case m.role == leader:
		return leading
	case m.role == candidate, m.role == preCandidate:
		return standing
	}
	return following
}

// strip is the whole run in the width of the terminal.
type strip struct {
	rec   *trace.Recording
	label int // columns before the time
	cells int
	end   time.Duration
}

func (p *pencil) strip(rec *trace.Recording) {
	all := members(rec)
	s := strip{rec: rec, label: 8, end: end(rec)}
	for i := range all {
		s.label = min(max(s.label, measure.StringWidth(all[i].Name)+1), 16)
	}
	s.cells = p.width - s.label
	p.line(strings.Repeat(" ", s.label) + s.axis())
	rows := make([][]glyph, len(all))
	for i := range rows {
		rows[i] = make([]glyph, s.cells)
	}
	s.states(all, rows)
	for i, row := range rows {
		p.line(pad(all[i].Name, s.label) + p.glyphs(row))
	}
	p.line(pad("term", s.label) + s.terms())
	if row, some := s.faults(); some {
		p.line(pad("faults", s.label) + p.glyphs(row))
	}
	if row, some := s.clients(); some {
		p.line(pad("clients", s.label) + p.glyphs(row))
	}
	p.line("")
	p.line(p.paint(dim, measure.Truncate("█ leads  ─ follows  ? stands for election  x killed  · down  ░ paused", p.width, "")))
	faults, clients := "faults: ! begins  ~ lasts", "clients: ▄ answered  █ often  x not for half an election timeout"
	if both := faults + "    " + clients; measure.StringWidth(both) <= p.width {
		faults, clients = both, ""
	}
	for _, text := range []string{faults, clients} {
		if text != "" {
			p.line(p.paint(dim, measure.Truncate(text, p.width, "")))
		}
	}
}

// end is the last moment that is shown.
func end(rec *trace.Recording) time.Duration {
	last := rec.Duration
	if n := len(rec.Events); n > 0 && (rec.Omitted > 0 || rec.Events[n-1].At > last) {
		last = rec.Events[n-1].At
	}
	return max(last, 1)
}

func (s *strip) cell(at time.Duration) int {
	return min(max(int(float64(at)/float64(s.end)*float64(s.cells)), 0), s.cells-1)
}

func draw(row []glyph, from, to int, g glyph) {
	for i := from; i <= to; i++ {
		if g.rank > row[i].rank {
			row[i] = g
		}
	}
}

func (s *strip) states(all []member, rows [][]glyph) {
	since := make([]int, len(all))
	for i := range s.rec.Events {
		e := &s.rec.Events[i]
		at := place(all, e.Node)
		if at < 0 {
			continue
		}
		m := &all[at]
		before := m.glyph()
		m.apply(e)
		if now := m.glyph(); now != before {
			cell := s.cell(e.At)
			draw(rows[at], since[at], cell, before)
			since[at] = cell
		}
		if e.Kind == trace.Crash {
			draw(rows[at], s.cell(e.At), s.cell(e.At), killed)
		}
	}
	for i := range all {
		draw(rows[i], since[i], s.cells-1, all[i].glyph())
	}
}

// axis has round times.
func (s *strip) axis() string {
	step := time.Millisecond
	for _, next := range []int{2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000} {
		if float64(s.end)/float64(step) <= float64(s.cells)/10 {
			break
		}
		step = time.Duration(next) * time.Millisecond
	}
	return s.labels(func(write func(time.Duration, string)) {
		for at := time.Duration(0); at < s.end; at += step {
			write(at, at.String())
		}
	})
}

// terms are written where their leaders begin to lead.
func (s *strip) terms() string {
	return s.labels(func(write func(time.Duration, string)) {
		for i := range s.rec.Events {
			if e := &s.rec.Events[i]; e.Kind == trace.Role && e.Text == leader {
				write(e.At, digits(e.Term))
			}
		}
	})
}

// labels are texts at their times; one that would touch another is left out.
func (s *strip) labels(each func(write func(time.Duration, string))) string {
	line := []byte(strings.Repeat(" ", s.cells))
	free := 0
	each(func(at time.Duration, text string) {
		cell := s.cell(at)
		if cell < free || cell+len(text) > s.cells {
			return
		}
		copy(line[cell:], text)
		free = cell + len(text) + 1
	})
	return string(line)
}

func (s *strip) faults() (row []glyph, some bool) {
	row = blank(s.cells)
	begun := map[string]time.Duration{}
	for i := range s.rec.Events {
		switch e := &s.rec.Events[i]; e.Kind {
		case trace.Fault:
			some = true
			begun[e.Text] = e.At
			draw(row, s.cell(e.At), s.cell(e.At), glyph{3, "!", violet})
		case trace.Heal:
			if from, ok := begun[e.Text]; ok {
				draw(row, s.cell(from), s.cell(e.At), glyph{2, "~", violet})
				delete(begun, e.Text)
			}
		}
	}
	return row, some
}

// clients shows how often operations were answered, and when none was for half an election timeout.
func (s *strip) clients() (row []glyph, some bool) {
	row = blank(s.cells)
	counts, most := make([]int, s.cells), 0
	gaps := outage{limit: s.rec.ElectionTimeout / 2}
	out := func(from, to time.Duration) { draw(row, s.cell(from), s.cell(to), glyph{4, "x", red}) }
	for i := range s.rec.Events {
		e := &s.rec.Events[i]
		some = some || e.Kind == trace.Invoke
		if from, over := gaps.next(e); over {
			out(from, e.At)
		}
		if e.Kind == trace.Return && e.Text == "done" {
			cell := s.cell(e.At)
			counts[cell]++
			most = max(most, counts[cell])
		}
	}
	if from, open := gaps.still(end(s.rec)); open {
		out(from, s.end)
	}
	for i, n := range counts {
		switch {
		case 2*n > most:
			draw(row, i, i, glyph{3, "█", green})
		case n > 0:
			draw(row, i, i, glyph{3, "▄", green})
		}
	}
	return row, some
}

func blank(n int) []glyph {
	row := make([]glyph, n)
	for i := range row {
		row[i] = absent
	}
	return row
}

// glyphs writes a row, painting stretches rather than single characters.
func (p *pencil) glyphs(row []glyph) string {
	var b strings.Builder
	for i := 0; i < len(row); {
		k := i
		var run strings.Builder
		for k < len(row) && row[k].colour == row[i].colour {
			run.WriteString(row[k].text)
			k++
		}
		b.WriteString(p.paint(row[i].colour, run.String()))
		i = k
	}
	return b.String()
}

// outage finds stretches in which clients wait and none is answered.
type outage struct {
	limit    time.Duration // how long somebody waits, for a stretch to count
	waiting  int
	asked    time.Duration // the first request that nothing was answered behind
	answered time.Duration // the last answer
}

// next looks at an event. Where it ends a stretch that counts, next says when the last answer before it was.
func (o *outage) next(e *trace.Event) (from time.Duration, over bool) {
	switch e.Kind {
	case trace.Invoke:
		if o.waiting == 0 {
			o.asked = e.At
		}
		o.waiting++
	case trace.Return:
		o.waiting = max(o.waiting-1, 0)
		if e.Text == "done" {
			from, over = o.answered, e.At-max(o.asked, o.answered) >= max(o.limit, 1)
			o.answered = e.At
		}
	}
	return from, over
}

// still says whether such a stretch lasts until the end.
func (o *outage) still(end time.Duration) (from time.Duration, open bool) {
	return o.answered, o.waiting > 0 && end-max(o.asked, o.answered) >= max(o.limit, 1)
}
