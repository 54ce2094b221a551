package authlog

import (
	"bytes"
	"strings"
)

// Status says what a line's header told.
type Status uint8

// The statuses of a line.
const (
	Unframed Status = iota // no header that this package knows
	Other                  // a header of another program
	SSHD                   // a header of sshd, sshd-session or sshd-auth
)

// Header is the framing of a syslog line.
type Header struct {
	Time int64  // seconds since 1970, UTC
	Host []byte // as written, may be empty
	PID  uint32
	Msg  []byte // the message, without trailing CR; empty unless the status is SSHD
	// Run numbers the runs of lines with the same host: as long as it stays, Host
	// does. 0 is unknown.
	Run uint64
}

// Parse reads the header of one line without its line feed. h is filled as far
// as the status allows: Time for Other and SSHD, the rest for SSHD. The slices
// point into line.
func (c *Clock) Parse(line []byte, h *Header) Status {
	if len(line) < 20 {
		return Unframed
	}
	first, last := word(line, 0), word(line, 8)
	if first == c.minute.first && last&^secondDigits == c.minute.last {
		if second := quickSecond(last); second <= 60 {
			c.bsdUnix = c.minute.unix + second
			h.Time = c.bsdUnix
			return c.quickTag(line, 16, h)
		}
	}
	return c.parseForm(line, h)
}

// parseForm parses a line that does not begin like the one before.
func (c *Clock) parseForm(line []byte, h *Header) Status {
	switch b := line[0]; {
	case b >= 'A' && b <= 'S':
		return c.parseBSD(line, h)
	case b == '1' || b == '2':
		t, ok := c.quickISO(line)
		if ok {
			h.Time = t
			return c.quickTag(line, isoSize+1, h)
		}
		t, n := c.iso(line)
		if n == 0 || n >= len(line) || line[n] != ' ' {
			return Unframed
		}
		c.keepISO(line, n, t)
		h.Time = t
		if n+1 < len(line) && line[n+1] == ' ' { // macOS: log show --style syslog
			n++
		}
		return c.quickTag(line, n+1, h)
	case b == '<':
		return c.parsePriority(line, h)
	}
	return Unframed
}

func (c *Clock) parseBSD(line []byte, h *Header) Status {
	t, ok := c.bsd(line)
	if !ok {
		return Unframed
	}
	h.Time = t
	return c.quickTag(line, 16, h)
}

// parsePriority reads "<PRI>" and what follows: RFC 5424 when that is a
// version, else one of the forms without priority.
func (c *Clock) parsePriority(line []byte, h *Header) Status {
	end := bytes.IndexByte(line[:min(len(line), 6)], '>')
	if end < 2 {
		return Unframed
	}
	rest := line[end+1:]
	if len(rest) < 3 || rest[0] != '1' || rest[1] != ' ' {
		if len(rest) > 0 && rest[0] == '<' {
			return Unframed
		}
		return c.Parse(rest, h)
	}
	return c.parse5424(rest[2:], h)
}

// parse5424 reads "STAMP HOST APP PID MSGID SD MSG" (RFC 5424, section 6).
func (c *Clock) parse5424(b []byte, h *Header) Status {
	t, n := c.iso(b)
	if n == 0 || n >= len(b) || b[n] != ' ' {
		return Unframed
	}
	h.Time = t
	var host, app, pid []byte
	var ok bool
	if host, b, ok = cut(b[n+1:]); !ok {
		return Unframed
	}
	if app, b, ok = cut(b); !ok {
		return Unframed
	}
	if !isSSHD(app) {
		return Other
	}
	if pid, b, ok = cut(b); !ok {
		return Unframed
	}
	h.PID, ok = number(pid)
	if !ok {
		return Other
	}
	if _, b, ok = cut(b); !ok { // MSGID
		return Unframed
	}
	b, ok = skipStructured(b)
	if !ok {
		return Unframed
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	// rsyslog's %msg% keeps the space that followed the tag; sshd writes none.
	b = bytes.TrimPrefix(b, []byte(" "))
	h.Host, h.Msg, h.Run = nilDash(host), trimCR(b), 0
	return SSHD
}

func nilDash(b []byte) []byte {
	if len(b) == 1 && b[0] == '-' {
		return nil
	}
	return b
}

// skipStructured passes the structured data and one space.
func skipStructured(b []byte) ([]byte, bool) {
	if len(b) > 1 && b[0] == '-' && b[1] == ' ' {
		return b[2:], true
	}
	if len(b) == 0 || b[0] != '[' {
		return nil, false
	}
	quoted := false
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ']':
			if !quoted && i+1 < len(b) && b[i+1] == ' ' {
				return b[i+2:], true
			}
		}
	}
	return nil, false
}

func cut(b []byte) (field, rest []byte, ok bool) {
	before, after, ok := bytes.Cut(b, []byte{' '})
	if !ok {
		return nil, nil, false
	}
	return before, after, true
}

func isSSHD(app []byte) bool {
	switch string(app) {
	case "sshd", "sshd-session", "sshd-auth":
		return true
	}
	return false
}

// splitTag reads "HOST TAG[PID]: MSG".
func (c *Clock) splitTag(b []byte, h *Header) Status {
	i := len(c.host) - 1
	if i < 0 || len(b) <= i || string(b[:i+1]) != string(c.host) {
		if i = bytes.IndexByte(b, ' '); i < 0 {
			return Unframed
		}
		c.host = append(c.host[:0], b[:i+1]...)
		c.words = newHostWords(c.host)
		c.run++
	}
	h.Run = c.run
	tag := b[i+1:]
	// By far most lines of other programs end here.
	if len(tag) < 6 || string(tag[:4]) != "sshd" {
		return c.oddTag(b, i, h)
	}
	j := 4
	if tag[4] == '-' {
		if j = bytes.IndexByte(tag[:min(len(tag), 14)], '['); j < 0 || !isSSHD(tag[:j]) {
			return Other
		}
	}
	if tag[j] != '[' {
		return Other
	}
	pid, k := uint32(0), j+1
	for ; k < len(tag) && k < j+11 && tag[k] >= '0' && tag[k] <= '9'; k++ {
		pid = pid*10 + uint32(tag[k]-'0')
	}
	if k == j+1 || k+2 >= len(tag) || tag[k] != ']' || tag[k+1] != ':' {
		return Other
	}
	k += 2
	if tag[k] == ' ' {
		k++
	}
	h.Host, h.PID, h.Msg = b[:i], pid, trimCR(tag[k:])
	return SSHD
}

// oddTag reads the forms in which the tag does not follow the host: no host at
// all, and "FACILITY.LEVEL" before the tag (busybox). Nothing but a true facility and
// level is passed over: the text after another program's tag is not the tag.
func (c *Clock) oddTag(b []byte, space int, h *Header) Status {
	host, rest := b[:space], b[space+1:]
	if b[0] != 's' && (len(rest) == 0 || rest[0] < 'a' || rest[0] > 'u') {
		return Other // most programs end here, without a look at the whole word
	}
	if bytes.HasPrefix(host, []byte("sshd")) {
		host, rest = nil, b
	} else {
		word, after, ok := bytes.Cut(rest[:min(len(rest), 32)], []byte(" "))
		if !ok || !bytes.HasPrefix(after, []byte("sshd")) || !isPriority(string(word)) {
			return Other
		}
		rest = rest[len(word)+1:]
	}
	pid, msg, ok := tagPID(rest)
	if !ok {
		return Other
	}
	h.Host, h.PID, h.Msg, h.Run = host, pid, trimCR(msg), 0
	return SSHD
}

// isPriority tells whether a word is "FACILITY.LEVEL" (syslog(3), without LOG_).
func isPriority(word string) bool {
	facility, level, ok := strings.Cut(word, ".")
	if !ok {
		return false
	}
	switch facility {
	case "auth", "authpriv", "daemon", "user", "syslog", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7":
	default:
		return false
	}
	switch level {
	case "emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug":
		return true
	}
	return false
}

// tagPID reads "TAG[PID]: MSG".
func tagPID(b []byte) (pid uint32, msg []byte, ok bool) {
	tag, rest, ok := bytes.Cut(b, []byte("["))
	if !ok || !isSSHD(tag) {
		return 0, nil, false
	}
	digits, msg, ok := bytes.Cut(rest, []byte("]: "))
	if !ok {
		return 0, nil, false
	}
	pid, ok = number(digits)
	return pid, msg, ok
}

func trimCR(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		return b[:n-1]
	}
	return b
}

// number reads a decimal number that fills b.
func number(b []byte) (uint32, bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return uint32(n), n < 1<<32
}
