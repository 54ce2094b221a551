// Package progress is how long work says how far it has come. Domains report
// to a Reporter and know nothing of terminals; pkg/cli draws what they report.
package progress

import "io"

// Reporter receives the progress of one piece of work. Add may be called from
// many goroutines at once and is cheap enough for a hot loop (once per chunk,
// not once per byte).
type Reporter interface {
	// Start begins the work. total is in the unit of Add, 0 or less when it is
	// not known in advance.
	Start(total int64)
	// Add says that n more units are done.
	Add(n int64)
	// Done ends the work and clears what was drawn. It may be called twice,
	// and without Start.
	Done()
}

// Nop is the Reporter that shows nothing.
type Nop struct{}

// Start implements Reporter.
func (Nop) Start(int64) {}

// Add implements Reporter.
func (Nop) Add(int64) {}

// Done implements Reporter.
func (Nop) Done() {}

// OrNop returns r, or Nop when r is nil, so that an Options struct may leave
// its Reporter out.
func OrNop(r Reporter) Reporter {
	if r == nil {
		return Nop{}
	}
	return r
}

// Reader returns a reader that adds the bytes read from r to rep, which may be
// nil. Start and Done stay with the caller.
func Reader(r io.Reader, rep Reporter) io.Reader {
	return &countingReader{r: r, rep: OrNop(rep)}
}

type countingReader struct {
	r   io.Reader
	rep Reporter
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.rep.Add(int64(n))
	}
	return n, err
}
