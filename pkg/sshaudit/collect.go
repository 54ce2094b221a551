package sshaudit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/progress"
)

// Options says what Collect reads.
type Options struct {
	Logs     []string          // files, patterns, folders and "-"; empty: the host's own logs
	Merge    []string          // partials that Save wrote
	Host     *host.Host        // whose logs are read when Logs is empty; nil: the local host
	Stdin    io.Reader         // what "-" reads
	Since    time.Time         // earlier lines are passed; zero: none
	Until    time.Time         // lines at this time or later are passed; zero: none
	Grace    time.Duration     // LoginGraceTime; 0: DefaultGrace
	Location *time.Location    // zone of stamps without one; nil: time.Local
	Now      time.Time         // when the standard input was last written
	Save     bool              // keep what Save needs
	Workers  int               // 0: one for each core
	Progress progress.Reporter // takes the bytes of the files; may be nil
}

func (o *Options) defaults() {
	if o.Host == nil {
		o.Host = host.Local()
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.Grace <= 0 {
		o.Grace = DefaultGrace * time.Second
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Progress = progress.OrNop(o.Progress)
}

// Collection is what the logs said.
type Collection struct {
	p     *Partial
	files []FileCoverage
	bad   []unverifiable
	opts  Options
}

// unverifiable is a log, or some entries of one, that prove nothing.
type unverifiable struct {
	at     pos
	count  int64
	forged bool
}

// Collect reads the logs. When some of them cannot be read it returns what the
// others said beside the joined FileErrors; when none can, a nil Collection.
// Nothing is written.
func Collect(ctx context.Context, opts Options) (*Collection, error) {
	type outcome struct {
		c   *Collection
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		c, err := collect(ctx, opts)
		done <- outcome{c, err}
	}()
	select {
	case o := <-done:
		return o.c, o.err
	case <-ctx.Done():
		// A pipe without a writer may keep the other goroutine waiting; it only reads.
		return nil, ctx.Err()
	}
}

func collect(ctx context.Context, opts Options) (*Collection, error) {
	opts.defaults()
	c := &collector{
		o:   opts,
		out: &Collection{p: newPartial(uint32(opts.Grace / time.Second)), opts: opts},
	}
	c.out.p.edges = opts.Save
	c.loadSaved()
	if len(opts.Logs) > 0 || len(opts.Merge) == 0 || !opts.Host.Live() {
		list, errs := opts.sources(ctx)
		c.errs = append(c.errs, errs...)
		c.sources = c.peek(list)
	}
	if err := c.readAll(ctx); err != nil {
		return nil, err
	}
	err := errors.Join(c.errs...)
	if c.done == 0 && err != nil {
		return nil, err
	}
	return c.out, err
}

// collector reads sources in the order of their first lines.
type collector struct {
	o       Options
	out     *Collection
	sources []*source
	saved   []*savedPartial
	errs    []error
	done    int // files that were read
	overlap overlap
}

// peek finds the first stamp of each source and sorts them by it.
func (c *collector) peek(list []*source) []*source {
	total := int64(0)
	list = slices.DeleteFunc(list, func(s *source) bool {
		if err := c.peekOne(s); err != nil {
			c.errs = append(c.errs, &FileError{s.name, err})
			return true
		}
		total += s.size
		return false
	})
	slices.SortStableFunc(list, func(a, b *source) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.name, b.name))
	})
	list = withoutCopies(list)
	c.o.Progress.Start(total)
	return list
}

// peekOne looks at the beginning of a source.
func (c *collector) peekOne(s *source) error {
	raw, err := s.open()
	if err != nil {
		return err
	}
	if !s.again {
		// It can be read only once: what is peeked at stays in the buffer.
		buffered := bufio.NewReaderSize(raw, peekSize)
		head, _ := buffered.Peek(peekSize)
		s.open = func() (io.ReadCloser, error) { return readCloser{buffered, raw}, nil }
		raw = io.NopCloser(bytes.NewReader(head))
	}
	defer func() { _ = raw.Close() }()
	r, kind, err := authlog.Decompress(raw)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	s.kind = kind
	head, err := io.ReadAll(io.LimitReader(r, peekSize))
	if err != nil && len(head) == 0 {
		return err
	}
	var oneSecond bool
	s.hosts, oneSecond = glance(head, c.o.Location)
	if oneSecond && len(head) < peekSize {
		s.whole = sha256.Sum256(head)
	}
	mtime := s.mtime.In(c.o.Location)
	clock := authlog.NewClock(c.o.Location, mtime.Year())
	s.first = firstStamp(authlog.NewLines(bytes.NewReader(head)), clock)
	if y := clock.Years(); y.Seen {
		// The stamp has no year: the latest that the file's last change allows.
		clock = authlog.NewClock(c.o.Location, authlog.EndYear(y.First, mtime))
		s.first = firstStamp(authlog.NewLines(bytes.NewReader(head)), clock)
	}
	return nil
}

const peekSize = 64 << 10

// firstStamp gives the time of the first line with a header, 0 if there is none.
func firstStamp(lines *authlog.Lines, clock *authlog.Clock) int64 {
	var h authlog.Header
	for {
		line, ok := lines.Next()
		if !ok {
			return 0
		}
		if len(line) > 0 && line[0] == '{' {
			if status, _ := authlog.Journal(line, &h); status != authlog.Unframed {
				return h.Time
			}
			continue
		}
		if clock.Parse(line, &h) != authlog.Unframed {
			return h.Time
		}
	}
}

// glance names the hosts of sshd's lines at a log's beginning, and tells whether they
// are all of one second.
func glance(head []byte, loc *time.Location) (hosts map[string]bool, oneSecond bool) {
	hosts = map[string]bool{}
	first := int64(-1)
	oneSecond = true
	clock, lines := authlog.NewClock(loc, 2000), authlog.NewLines(bytes.NewReader(head))
	for line, ok := lines.Next(); ok; line, ok = lines.Next() {
		var h authlog.Header
		status := clock.Parse(line, &h)
		if len(line) > 0 && line[0] == '{' {
			status, _ = authlog.Journal(line, &h)
		}
		if status == authlog.SSHD {
			hosts[string(h.Host)] = true
			if first < 0 {
				first = h.Time
			}
			oneSecond = oneSecond && h.Time == first
		}
	}
	return hosts, oneSecond
}

// withoutCopies drops copies of files that hold lines of one second only. The
// lines of other copies are found to repeat when they are read.
func withoutCopies(list []*source) []*source {
	seen := map[[sha256.Size]byte]bool{}
	return slices.DeleteFunc(list, func(s *source) bool {
		copied := s.whole != [sha256.Size]byte{} && s.size > 0 && seen[s.whole]
		seen[s.whole] = true
		return copied
	})
}

type readCloser struct {
	io.Reader
	io.Closer
}

// readAll reads the sources and merges the saved partials, by time.
func (c *collector) readAll(ctx context.Context) error {
	defer c.o.Progress.Done()
	c.overlap.seed = maphash.MakeSeed()
	for i, s := range c.sources {
		c.mergeSaved(s.first)
		next := int64(0)
		if i+1 < len(c.sources) {
			next = max(c.sources[i+1].first, 1)
		}
		c.overlap.begin(s.first, next)
		c.overlap.hosts = map[string]bool{}
		for _, later := range c.sources[i+1:] {
			maps.Copy(c.overlap.hosts, later.hosts)
		}
		if err := c.read(ctx, s); err != nil {
			return err
		}
	}
	c.mergeSaved(1<<63 - 1)
	return ctx.Err()
}

// read reads one source. Only a cancelled context is an error that ends all.
func (c *collector) read(ctx context.Context, s *source) error {
	p, t, err := c.readSource(ctx, s)
	if ctx.Err() == nil {
		c.keep(s, p, t, err)
	}
	return ctx.Err()
}

// keep takes what a source gave: a partial and a tally, both nil if it could not
// be opened, and an error beside them.
func (c *collector) keep(s *source, p *Partial, t *tally, err error) {
	if err == nil {
		err = judge(s, t)
	}
	if err != nil {
		c.errs = append(c.errs, &FileError{s.name, err})
	}
	if t == nil || t.lines == 0 && err != nil || errors.Is(err, ErrNotLog) || s.guessed && t.sshd == 0 {
		return
	}
	c.done++
	c.cover(coverageOf(s, t))
	if t.forged > 0 {
		c.out.suspect(unverifiable{t.forgedAt, t.forged, true})
	}
	if t.bare > 0 {
		c.out.suspect(unverifiable{t.bareAt, t.bare, false})
		return // nothing in it is evidence
	}
	p.apart = t.repeated == 0
	c.out.p.merge(p)
}

// suspect adds a log that proves nothing, once a file.
func (c *Collection) suspect(u unverifiable) {
	for i, old := range c.bad {
		if c.fileOf(old) == c.fileOf(u) && old.forged == u.forged {
			c.bad[i].count = max(old.count, u.count)
			return
		}
	}
	c.bad = append(c.bad, u)
}

func (c *Collection) fileOf(u unverifiable) string {
	file, _ := c.p.pieces.find(u.at)
	return file
}

// cover lists a file. One that a saved partial has read before is listed once, as
// it is now: a history that grows by a run a day does not grow by a list of files.
func (c *collector) cover(f FileCoverage) {
	i := slices.IndexFunc(c.out.files, func(old FileCoverage) bool { return old.Path == f.Path })
	if i < 0 || f.Repeated == 0 && f.Framing != FramingNone {
		c.out.files = append(c.out.files, f)
		return
	}
	old := c.out.files[i]
	if old.From != nil && (f.From == nil || old.From.Before(*f.From)) {
		f.From = old.From
	}
	if old.To != nil && (f.To == nil || old.To.After(*f.To)) {
		f.To = old.To
	}
	c.out.files[i] = f
}

// judge refuses what is no log.
func judge(s *source, t *tally) error {
	switch {
	case t.lines == 0 && s.found:
		return nil
	case t.lines == 0:
		return ErrEmpty
	case t.syslog+t.journal+t.bare == 0:
		return ErrNotLog
	case t.long > 0:
		return fmt.Errorf("%d %w", t.long, ErrLong)
	}
	return nil
}
