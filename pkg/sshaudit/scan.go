package sshaudit

import (
	"bytes"
	"context"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// Framing says how far a log's lines can be trusted to be lines of their own.
type Framing string

// The framings.
const (
	FramingSyslog  Framing = "syslog"
	FramingJournal Framing = "journal"
	// FramingNone is what `sshd -E` and `-e` write: a client can forge whole
	// lines there, so nothing in such a file is evidence.
	FramingNone Framing = "none"
)

// tally is what a scan counted apart from events.
type tally struct {
	lines, bytes  int64
	syslog        int64 // lines with a syslog header
	journal       int64 // journal entries
	sshd          int64 // lines of sshd
	notUnderstood int64 // lines of sshd in no known form
	unframed      int64 // lines without any header
	bare          int64 // ... that are messages of sshd
	bareAt        pos   // the first of those
	forged        int64 // journal entries that only claim to be sshd's
	forgedAt      pos
	long          int64 // lines cut at authlog.MaxLine
	repeated      int64 // lines that an earlier file had already
	from, to      int64 // times of all framed lines, 0 for none
	silent        []Silence
}

func (t *tally) see(unix int64) {
	if unix > t.to+maxGap && t.to != 0 {
		t.silent = append(t.silent, Silence{at(t.to), at(unix)})
	}
	if t.from == 0 || unix < t.from {
		t.from = unix
	}
	if unix > t.to {
		t.to = unix
	}
}

func (t *tally) add(o *tally) {
	t.lines += o.lines
	t.bytes += o.bytes
	t.syslog += o.syslog
	t.journal += o.journal
	t.sshd += o.sshd
	t.notUnderstood += o.notUnderstood
	t.unframed += o.unframed
	if t.bare == 0 {
		t.bareAt = o.bareAt
	}
	t.bare += o.bare
	if t.forged == 0 {
		t.forgedAt = o.forgedAt
	}
	t.forged += o.forged
	t.long += o.long
	t.repeated += o.repeated
	if o.from != 0 {
		t.see(o.from)
		t.from, t.to = min(t.from, o.from), max(t.to, o.to)
		t.silent = append(t.silent, o.silent...)
	}
}

// scanner reads the lines of one piece of a log into a partial.
type scanner struct {
	p     *Partial
	clock *authlog.Clock
	piece *piece
	tally tally

	since, until int64 // 0: no limit
	overlap      *overlap

	seen     int64 // the last time that the tally saw
	reported int64 // bytes, to progress
	hd       authlog.Header
	ev       authlog.Event
}

// result is what a scan gives.
type result struct {
	p     *Partial
	tally tally
	years authlog.Years
	piece *piece
	err   error // of reading; what was read before it counts

	overlap *overlap
}

// cancelEvery is how many lines pass between two looks at the context.
const cancelEvery = 1 << 14

// run reads lines to their end. progress takes bytes.
func (s *scanner) run(ctx context.Context, lines *authlog.Lines, progress func(int64)) result {
	var err error
	s.p.sieve = newBurstSieve()
	lines.Guard(func() { err = s.read(ctx, lines, progress) })
	s.p.endSieve()
	progress(lines.Read - s.reported)
	s.tally.bytes, s.tally.long = lines.Read, lines.Long
	if err == nil {
		err = lines.Err()
	}
	return result{
		p: s.p, tally: s.tally, years: s.clock.Years(), piece: s.piece, err: err, overlap: s.overlap,
	}
}

// read reads lines to their end, unless ctx is cancelled.
func (s *scanner) read(ctx context.Context, lines *authlog.Lines, progress func(int64)) error {
	for {
		line, ok := lines.Next()
		if !ok {
			return nil
		}
		s.tally.lines++
		if s.tally.lines%cancelEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			progress(lines.Read - s.reported)
			s.reported = lines.Read
		}
		s.line(line)
	}
}

func (s *scanner) line(line []byte) {
	status := s.clock.Parse(line, &s.hd)
	if status == authlog.Unframed {
		s.odd(line)
		return
	}
	s.tally.syslog++
	if s.hd.Time != s.seen {
		s.seen = s.hd.Time
		s.tally.see(s.seen)
	}
	if status == authlog.SSHD {
		s.sshd()
	}
}

// odd takes a line without a syslog header.
func (s *scanner) odd(line []byte) {
	switch {
	case len(line) > 0 && line[0] == '{':
		s.journal(line)
	case len(line) > 0 && line[0] == 0:
		// A log that was truncated under its writer begins with a hole.
		s.line(bytes.TrimLeft(line, "\x00"))
	default:
		s.unframed(line)
	}
}

func (s *scanner) journal(line []byte) {
	status, forged := authlog.Journal(line, &s.hd)
	if forged {
		s.impostor()
	}
	if status == authlog.Unframed {
		s.unframed(line)
		return
	}
	s.tally.journal++
	s.seen = s.hd.Time
	s.tally.see(s.seen)
	if status == authlog.SSHD {
		s.sshd()
	}
}

// impostor takes an entry that claims to be sshd's but was not written by root's
// sshd. A session's process runs as its user and says nothing that would be evidence;
// what would be one is forged.
func (s *scanner) impostor() {
	authlog.ParseMessage(s.hd.Msg, &s.ev)
	switch s.ev.Kind {
	case authlog.Accepted, authlog.Failed, authlog.InvalidUser, authlog.Found, authlog.WrongAddr, authlog.NotAllowed, authlog.Revoked:
	default:
		return
	}
	if s.tally.forged == 0 {
		s.tally.forgedAt = s.at()
	}
	s.tally.forged++
}

func (s *scanner) at() pos { return pos{s.piece.number, uint32(s.tally.lines)} }

// unframed looks whether a line without a header is a message of sshd. A file's
// very first line may be the rest of one that was cut off.
func (s *scanner) unframed(line []byte) {
	if len(line) == 0 {
		return
	}
	s.tally.unframed++
	if s.tally.lines == 1 && s.piece.first && line[len(line)-1] != '\r' {
		return
	}
	if authlog.Bare(line) {
		if s.tally.bare == 0 {
			s.tally.bareAt = s.at()
		}
		s.tally.bare++
	}
}

func (s *scanner) sshd() {
	s.tally.sshd++
	if s.since != 0 && s.hd.Time < s.since || s.until != 0 && s.hd.Time >= s.until {
		return
	}
	if s.overlap.watches && s.overlap.repeats(&s.hd) {
		s.tally.repeated++
		return
	}
	authlog.ParseMessage(s.hd.Msg, &s.ev)
	if s.ev.Kind == authlog.Unknown {
		s.tally.notUnderstood++
	}
	s.p.add(&s.hd, &s.ev, s.at())
}
