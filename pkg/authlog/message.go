package authlog

import (
	"bytes"
)

// sshd cuts a message for syslog at cutAt bytes ("%.500s", log.c): the end of one that
// long may be text that a client placed there. journald takes trailing spaces off, and
// what reads MESSAGE alone (rsyslog's imjournal, journalctl -o short) never sees them,
// so a name with many spaces behind the forged end makes such a message shorter. That
// concerns the messages of a connection's end, where a name has up to 187 bytes
// (packet.c: 200 with "invalid user "): it takes 65 that are encoded in five each to
// reach the cut, so trimmedAt bytes remain at least. In the others a name has 100
// bytes, encoded in four, and does not reach it.
const (
	cutAt     = 500
	trimmedAt = 400
)

// ParseMessage reads one message of sshd, from its first byte. It never fails:
// a message in no known form gives the kind Unknown. e is overwritten.
func ParseMessage(msg []byte, e *Event) {
	if !parseQuick(msg, e) {
		e.reset()
		parseMessage(msg, e, 2)
	}
}

// parseMessage dispatches on the first byte. Messages nest at most depth deep
// ("message repeated", "error: ").
func parseMessage(msg []byte, e *Event, depth int) {
	if len(msg) == 0 {
		return
	}
	if len(msg) >= cutAt && !has(msg, "message repeated ") {
		parseCut(msg, e)
		return
	}
	msg, preauth := trimPreauth(msg)
	switch msg[0] {
	case 'A':
		parseA(msg, e)
	case 'F':
		if rest, ok := after(msg, "Failed "); ok {
			parseAuth(rest, e, Failed)
		}
	case 'I':
		if rest, ok := after(msg, "Invalid user "); ok {
			parseInvalid(rest, e)
		} else if rest, ok := after(msg, "Illegal user "); ok {
			parseInvalid(rest, e)
		}
	case 'C':
		parseC(msg, e)
	case 'D':
		parseD(msg, e)
	case 'U':
		parseNotAllowed(msg, e)
	case 'P':
		if has(msg, "Postponed ") || has(msg, "Partial ") {
			e.Kind = Noise
		}
	case '[':
		parseSolaris(msg, e, depth)
	case 'm', 'e', 'f':
		parseWrapped(msg, e, depth)
	case '/':
		parseWrongAddr(msg, e)
	case 'T':
		parseTimeout(msg, e)
	}
	switch {
	case e.Kind == Closed && len(msg) >= trimmedAt:
		e.reset()
	case e.Kind == Unknown:
		parseRest(msg, e)
	case preauth && len(e.User) > 0:
		e.User = unvis(e.User)
	}
}

// parseCut reads the front of a message that has lost its end: who logged in, or
// failed, is known where the key's description, which comes last, was what was cut.
// Anything else is left unknown.
func parseCut(msg []byte, e *Event) {
	for _, harmless := range []string{"Accepted certificate ID ", "Postponed ", "Partial ", "Received disconnect from ", "pam_unix(", "debug"} {
		if has(msg, harmless) {
			e.Kind = Noise
			return
		}
	}
	rest, accepted := after(msg, "Accepted ")
	kind := Accepted
	if !accepted {
		rest, _ = after(msg, "Failed ")
		kind = Failed
	}
	if infoAt(rest) < 0 {
		return
	}
	e.keyed = true
	parseAuth(rest, e, kind)
	// A certificate's serial and signer come after its key ID.
	e.Serial, e.CAType, e.CA = 0, nil, nil
}

func has(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

func after(b []byte, prefix string) ([]byte, bool) {
	if !has(b, prefix) {
		return nil, false
	}
	return b[len(prefix):], true
}

// trimPreauth drops the mark of the unprivileged child (monitor.c).
func trimPreauth(b []byte) (rest []byte, preauth bool) {
	const mark = " [preauth]"
	if n := len(b); n > len(mark) && b[n-1] == ']' && string(b[n-len(mark):]) == mark {
		return b[:n-len(mark)], true
	}
	return b, false
}

// unvis undoes one of the two vis(3) encodings of a message that the monitor
// logged for its unprivileged child: both encode, so a backslash comes doubled.
func unvis(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	return bytes.ReplaceAll(b, []byte(`\\`), []byte(`\`))
}

// portTail splits "HEAD ADDR port N" from the right. head ends before the
// space that precedes ADDR.
func portTail(b []byte) (head, addr []byte, port uint16, ok bool) {
	i := len(b)
	for i > 0 && b[i-1] >= '0' && b[i-1] <= '9' {
		i--
	}
	n, ok := number(b[i:])
	if !ok || n > 65535 || i < 7 || string(b[i-6:i]) != " port " {
		return nil, nil, 0, false
	}
	b = b[:i-6]
	j := len(b)
	for j > 0 && b[j-1] != ' ' {
		j--
	}
	if j == len(b) {
		return nil, nil, 0, false
	}
	return b[:max(j-1, 0)], b[j:], uint16(n), true
}

// fromTail splits "USER from ADDR port N" from the right: a user name may hold
// the same words, the true ones come last.
func fromTail(b []byte, e *Event) (user []byte, ok bool) {
	if p := quadTail(b, len(b)); p.at >= len(" from ") && string(b[p.at-len(" from "):p.at]) == " from " {
		e.Addr, e.V4, e.IsV4, e.Port = b[p.at:p.end], p.ip, true, p.port
		return b[:p.at-len(" from ")], true
	}
	head, addr, port, ok := portTail(b)
	if !ok {
		return nil, false
	}
	switch {
	case len(head) >= 5 && string(head[len(head)-5:]) == " from":
		user = head[:len(head)-5]
	case string(head) == "from":
		user = nil
	default:
		return nil, false
	}
	e.setAddr(addr)
	e.Port = port
	return user, true
}

// parseAuth reads "METHOD for [invalid user ]USER from ADDR port N ssh2[: INFO]"
// (auth.c, auth_log). sshd cuts a name at its first colon, so the first
// " ssh2: " is never the client's.
func parseAuth(b []byte, e *Event, kind Kind) {
	i := bytes.IndexByte(b, ' ')
	if i <= 0 || !has(b[i:], " for ") {
		return
	}
	method, b := b[:i], b[i+5:]
	var info []byte
	if k := infoAt(b); k >= 0 {
		b, info = b[:k], b[k+7:]
	} else {
		n := len(b) - len(" ssh2")
		if n < 0 || string(b[n:]) != " ssh2" {
			return
		}
		b = b[:n]
	}
	if rest, ok := after(b, "invalid user "); ok {
		b, e.Invalid = rest, true
	} else if rest, ok := after(b, "illegal user "); ok {
		b, e.Invalid = rest, true
	}
	user, ok := fromTail(b, e)
	if !ok {
		return
	}
	e.Kind, e.Method, e.User = kind, method, user
	if len(info) > 0 {
		parseKeyInfo(info, e)
	}
}

// infoAt finds the first " ssh2: ", -1 for none.
func infoAt(b []byte) int {
	if bytes.IndexByte(b, ':') < 0 { // most lines, and much faster
		return -1
	}
	return bytes.Index(b, []byte(" ssh2: "))
}

func parseInvalid(b []byte, e *Event) {
	user, ok := fromTail(b, e)
	if !ok {
		// Before OpenSSH 7.5 the line had no port, and says nothing that the
		// "Failed" line which follows does not.
		if i := bytes.LastIndex(b, []byte(" from ")); i >= 0 && bytes.IndexByte(b[i+6:], ' ') < 0 {
			e.Kind = Noise
		}
		return
	}
	e.Kind, e.User, e.Invalid = InvalidUser, user, true
}

// parseA reads the messages that begin with A.
func parseA(b []byte, e *Event) {
	e.keyed = true
	rest, ok := after(b, "Accepted ")
	if !ok {
		parseRefused(b, e)
		return
	}
	if found, ok := after(rest, "key "); ok {
		parseFoundKey(found, e)
		return
	}
	if found, ok := after(rest, "certificate ID "); ok {
		parseFoundCert(found, e)
		return
	}
	parseAuth(rest, e, Accepted)
}

// parseWrongAddr reads "[FILE:LINE: ]Authentication tried for USER with correct
// key but not from a permitted host (host=H, ip=A[, required=LIST]).".
func parseWrongAddr(b []byte, e *Event) {
	e.keyed = true
	before, after, ok := bytes.Cut(b, []byte("Authentication tried for "))
	if !ok {
		return
	}
	loc, rest := before, after
	k := bytes.Index(rest, []byte(" but not from a permitted host (host="))
	if k < 0 {
		return
	}
	user := rest[:k]
	for _, what := range []string{" with correct key", " with valid certificate"} {
		user = bytes.TrimSuffix(user, []byte(what))
	}
	ip := rest[k:]
	_, after0, ok0 := bytes.Cut(ip, []byte(", ip="))
	if !ok0 {
		return
	}
	addr := after0
	end := bytes.IndexAny(addr, ",)")
	if end < 0 {
		return
	}
	if len(loc) > 2 && !location(bytes.TrimSuffix(loc, []byte(": ")), e) {
		return
	}
	e.Kind, e.User = WrongAddr, user
	e.setAddr(addr[:end])
}

// Bare tells whether a line without any header is a message of sshd, as `sshd -E
// FILE` and `sshd -e` write them.
func Bare(line []byte) bool {
	var e Event
	ParseMessage(trimCR(line), &e)
	switch e.Kind {
	case Unknown:
		return false
	case Noise: // -E and -e end their lines with CR LF (log.c, do_log)
		return line[len(line)-1] == '\r' || has(line, "Server listening on ") || has(line, "debug1: ")
	default:
		return true
	}
}
