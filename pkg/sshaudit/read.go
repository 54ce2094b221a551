package sshaudit

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
	"github.com/opsctl/opsctl/pkg/progress"
)

// A plain file is cut into pieces for the cores. A piece is large beside the lines
// within the grace time of its ends, which cost more to merge.
const (
	minPiece = 16 << 20
	maxPiece = 256 << 20
)

// readSource reads one log to its end. An error stands beside what was read.
func (c *collector) readSource(ctx context.Context, s *source) (*Partial, *tally, error) {
	raw, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = raw.Close() }()
	if f, ok := raw.(*os.File); ok && s.kind == authlog.Plain && s.again {
		return c.readFile(ctx, s, f)
	}
	return c.readStream(ctx, s, raw)
}

// readStream reads what has no random access.
func (c *collector) readStream(ctx context.Context, s *source, raw io.ReadCloser) (*Partial, *tally, error) {
	res := c.scanStream(ctx, s, raw, c.firstYear(s))
	starts, wrong := authlog.FixYears([]authlog.Years{res.years}, s.mtime.In(c.o.Location))
	if wrong && res.err == nil {
		if !s.again {
			return res.p, &res.tally, errYears
		}
		// It spans more than a year: read it again from the right one.
		again, err := s.open()
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = again.Close() }()
		res = c.scanStream(ctx, s, again, starts[0])
	}
	c.overlap.take(&res)
	return res.p, &res.tally, res.err
}

// errYears is said of a pipe whose years turn out at its end.
var errYears = errors.New("its stamps have no year and span more than one: read it from a file")

// scanStream scans a stream in one piece. What takes longer to decompress than gzip is
// decompressed in another goroutine.
func (c *collector) scanStream(ctx context.Context, s *source, raw io.Reader, year int) result {
	sc := c.newScanner(s, year, c.out.p.pieces.add(&piece{file: s.name, first: true}))
	r, kind, err := authlog.Decompress(progress.Reader(raw, c.o.Progress))
	if err != nil {
		return result{p: sc.p, overlap: sc.overlap, piece: sc.piece, err: err}
	}
	in, wait := io.Reader(r), func() {}
	if kind != authlog.Gzip { // its lines are best read where they were unpacked, in that core's cache
		ahead := newReadAhead(ctx.Done(), r)
		in, wait = ahead, ahead.wait
	}
	spilled := newSpill(c.out.p)
	spilled.serve(sc.p)
	res := sc.run(ctx, authlog.NewLines(in), func(int64) {})
	spilled.into(sc.p)
	if ctx.Err() != nil {
		return res // a read of a pipe may still be pending: r is left to it
	}
	wait()
	if err := r.Close(); res.err == nil {
		res.err = err
	}
	return res
}

func (c *collector) newScanner(s *source, year int, pc *piece) *scanner {
	sc := &scanner{
		p: newPartialLike(c.out.p), clock: authlog.NewClock(c.o.Location, year), piece: pc,
		overlap: c.overlap.view(),
	}
	sc.clock.WrittenBy(s.mtime)
	sc.p.edges = c.o.Save
	if !c.o.Since.IsZero() {
		sc.since = c.o.Since.Unix()
	}
	if !c.o.Until.IsZero() {
		sc.until = c.o.Until.Unix()
	}
	return sc
}

// firstYear guesses the year of a source's first stamp: the latest that is not
// after its last change.
func (c *collector) firstYear(s *source) int {
	if s.first == 0 {
		return s.mtime.In(c.o.Location).Year()
	}
	return time.Unix(s.first, 0).In(c.o.Location).Year()
}

// readFile reads a plain file by pieces, one core each.
func (c *collector) readFile(ctx context.Context, s *source, f *os.File) (*Partial, *tally, error) {
	cuts := c.cuts(s)
	folded, err := c.scanPieces(ctx, s, f, cuts, c.sampleYears(s, f, cuts))
	if err != nil {
		return nil, nil, err
	}
	starts, wrong := authlog.FixYears(folded.years, s.mtime.In(c.o.Location))
	if wrong {
		// A piece held more than a year, which its first stamp did not tell.
		if folded, err = c.scanPieces(ctx, s, f, cuts, starts); err != nil {
			return nil, nil, err
		}
	}
	c.overlap.take(&folded.result)
	return folded.p, &folded.tally, folded.err
}

// cuts gives the bounds of a file's pieces. A file that may repeat the lines of
// an earlier one is one piece, so that the same of them count in every run.
func (c *collector) cuts(s *source) []int64 {
	size := s.size
	n := min(max(size/int64(2*c.o.Workers), minPiece), maxPiece)
	if c.overlap.active {
		n = size
	}
	var cuts []int64
	for at := int64(0); at < size; at += max(n, 1) {
		cuts = append(cuts, at)
	}
	return append(cuts, size)
}

// sampleYears guesses the year in which each piece starts from their first
// stamps and the last one of all.
func (c *collector) sampleYears(s *source, f io.ReaderAt, cuts []int64) []int {
	samples := make([]authlog.Years, len(cuts)-1)
	if len(samples) == 0 {
		return nil
	}
	for i := range samples {
		clock := authlog.NewClock(c.o.Location, s.mtime.Year())
		firstStamp(authlog.NewRange(f, cuts[i], min(cuts[i]+peekSize, cuts[i+1]), s.size), clock)
		samples[i] = clock.Years()
	}
	clock := authlog.NewClock(c.o.Location, s.mtime.Year())
	lines, last := authlog.NewRange(f, max(s.size-peekSize, 0), s.size, s.size), &samples[len(samples)-1]
	for firstStamp(lines, clock) != 0 {
		// The last stamp counts.
	}
	if y := clock.Years(); y.Seen && last.Seen {
		last.Last = y.Last
		if y.Last < last.First {
			last.End++
		}
	}
	starts, _ := authlog.FixYears(samples, s.mtime.In(c.o.Location))
	return starts
}

// fold is the merged result of a file's pieces.
type fold struct {
	result
	years []authlog.Years
}

// scanPieces scans the pieces side by side and merges them in their order.
func (c *collector) scanPieces(ctx context.Context, s *source, f *os.File, cuts []int64, years []int) (*fold, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make([]chan result, len(cuts)-1)
	list := make([]*piece, len(results))
	for i := range results {
		results[i] = make(chan result, 1)
		list[i] = c.out.p.pieces.add(&piece{file: s.name, first: i == 0})
	}
	// One piece more than there are cores may wait for its turn to be merged.
	slots := make(chan struct{}, c.o.Workers+1)
	spilled := newSpill(c.out.p)
	go func() {
		for i := range results {
			slots <- struct{}{}
			go func() {
				sc := c.newScanner(s, years[i], list[i])
				spilled.serve(sc.p)
				lines := authlog.NewFileRange(f, cuts[i], cuts[i+1], s.size)
				res := sc.run(ctx, lines, c.o.Progress.Add)
				if err := lines.Close(); res.err == nil {
					res.err = err
				}
				sc.p.settle()
				results[i] <- res
			}()
		}
	}()
	all := fold{result: result{p: newPartialLike(c.out.p), overlap: &overlap{}}}
	for i := range results {
		all.append(<-results[i])
		<-slots
	}
	spilled.into(all.p)
	return &all, ctx.Err()
}

// append merges the next piece of the same file.
func (f *fold) append(r result) {
	r.piece.base = f.tally.lines
	f.years = append(f.years, r.years)
	if len(f.p.hosts) == 0 && f.tally.lines == 0 {
		f.result = r
		return
	}
	f.tally.add(&r.tally)
	f.p.merge(r.p)
	f.overlap.append(r.overlap)
	if f.err == nil {
		f.err = r.err
	}
}
