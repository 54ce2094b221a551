package sshaudit

import (
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// FileCoverage says what was read of one log.
type FileCoverage struct {
	Path          string              `json:"path"`
	Compression   authlog.Compression `json:"compression,omitempty"`
	Bytes         int64               `json:"bytes"` // of text, after decompression
	Lines         int64               `json:"lines"`
	Framing       Framing             `json:"framing"`
	SSHDLines     int64               `json:"sshdLines"`
	NotUnderstood int64               `json:"notUnderstood"` // lines of sshd in no known form
	Unframed      int64               `json:"unframed"`      // lines without a syslog header
	Cut           int64               `json:"cut"`           // lines over 64 KiB
	Repeated      int64               `json:"repeated"`      // lines that were read before
	From          *time.Time          `json:"from"`          // of all lines; null without stamps
	To            *time.Time          `json:"to"`
	Silent        []Silence           `json:"silent"` // times over seven days without any line
}

// Silence is a time in which a log holds no line.
type Silence struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func coverageOf(s *source, t *tally) FileCoverage {
	f := FileCoverage{
		Path: s.name, Compression: s.kind, Bytes: t.bytes, Lines: t.lines, Framing: framingOf(t),
		SSHDLines: t.sshd, NotUnderstood: t.notUnderstood, Unframed: t.unframed, Cut: t.long, Repeated: t.repeated,
		Silent: append([]Silence{}, t.silent...),
	}
	if t.from != 0 {
		f.From, f.To = new(at(t.from)), new(at(t.to))
	}
	return f
}

func framingOf(t *tally) Framing {
	switch {
	case t.bare > 0 || t.syslog+t.journal == 0:
		return FramingNone
	case t.journal > t.syslog:
		return FramingJournal
	default:
		return FramingSyslog
	}
}

func at(unix int64) time.Time { return time.Unix(unix, 0).UTC() }
