package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/progress"
)

// ProgressUnit says what a progress counts.
type ProgressUnit int

// What can be counted.
const (
	Items ProgressUnit = iota
	Bytes
)

const (
	// Shorter work shows nothing.
	progressDelay = time.Second
	barInterval   = 200 * time.Millisecond
	lineInterval  = 10 * time.Second
	barWidth      = 24
)

// Progress returns a Reporter that draws on stderr what takes longer than a
// second: a bar with rate and remaining time on a terminal, else one line every
// ten seconds. With --quiet it draws nothing. The caller must call Done.
func (e *Env) Progress(title string, unit ProgressUnit) progress.Reporter {
	if e.Quiet {
		return progress.Nop{}
	}
	width := e.Width
	if width <= 0 {
		width = 80
	}
	return &meter{
		w: e.Err, bar: e.ErrTerm && e.Getenv("TERM") != "dumb", width: width,
		title: inert.String(title), unit: unit,
	}
}

// meter counts in an atomic and draws from one goroutine of its own, which
// lives from Start to Done: Add costs a counter, and work that hangs shows.
type meter struct {
	w     io.Writer
	bar   bool
	width int
	title string
	unit  ProgressUnit

	total   int64
	started time.Time
	count   atomic.Int64

	mu   sync.Mutex
	stop chan struct{}
	idle chan struct{}
}

// Start implements progress.Reporter.
func (m *meter) Start(total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stop != nil {
		return
	}
	m.total, m.started = total, time.Now()
	m.stop, m.idle = make(chan struct{}), make(chan struct{})
	go m.draw(m.stop, m.idle)
}

// Add implements progress.Reporter.
func (m *meter) Add(n int64) { m.count.Add(n) }

// Done implements progress.Reporter.
func (m *meter) Done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stop == nil {
		return
	}
	close(m.stop)
	<-m.idle
	m.stop = nil
}

// clearLine returns to the first column and erases to the end of the line.
const clearLine = "\r\x1b[K"

func (m *meter) draw(stop <-chan struct{}, idle chan<- struct{}) {
	defer close(idle)
	first, interval := lineInterval, lineInterval
	if m.bar {
		first, interval = progressDelay, barInterval
	}
	timer := time.NewTimer(first)
	defer timer.Stop()
	drawn := false
	for {
		select {
		case <-stop:
			if drawn && m.bar {
				m.print(clearLine)
			}
			return
		case <-timer.C:
			drawn = true
			if m.bar {
				// A wrapped line could not be erased.
				m.print(clearLine + runewidth.Truncate(m.line(), m.width-1, ""))
			} else {
				m.print(m.line() + "\n")
			}
			timer.Reset(interval)
		}
	}
}

// print ignores errors: progress that cannot be shown must not stop the work.
func (m *meter) print(s string) { _, _ = io.WriteString(m.w, s) }

// line is "title  [=====>    ] 45 %  120 MiB/s  12s left", as far as the total
// is known; without a bar the brackets are left out.
func (m *meter) line() string {
	elapsed := time.Since(m.started)
	count := m.count.Load()
	rate := float64(count) / max(elapsed.Seconds(), 0.001)
	parts := []string{m.title}
	if m.total > 0 {
		done := min(float64(count)/float64(m.total), 1)
		if m.bar {
			parts = append(parts, bar(done))
		}
		parts = append(parts, fmt.Sprintf("%3.0f %%", done*100))
	} else {
		parts = append(parts, m.amount(float64(count)))
	}
	parts = append(parts, m.amount(rate)+"/s")
	if left := m.remaining(count, rate); left > 0 {
		parts = append(parts, left.String()+" left")
	} else {
		parts = append(parts, elapsed.Round(time.Second).String())
	}
	return strings.Join(parts, "  ")
}

func (m *meter) remaining(count int64, rate float64) time.Duration {
	if m.total <= count || rate <= 0 {
		return 0
	}
	return time.Duration(float64(m.total-count) / rate * float64(time.Second)).Round(time.Second)
}

func (m *meter) amount(n float64) string {
	if m.unit == Bytes {
		return bytesize.Format(int64(n))
	}
	return fmt.Sprintf("%.0f", n)
}

func bar(done float64) string {
	filled := int(done * barWidth)
	cells := strings.Repeat("=", filled)
	if filled < barWidth {
		cells += ">"
	}
	return fmt.Sprintf("[%-*s]", barWidth, cells)
}
