package authlog

import "bytes"

// parseC reads the messages about a connection that begin with C (packet.c,
// sshd.c).
func parseC(b []byte, e *Event) {
	rest, ok := after(b, "Connection ")
	if !ok {
		return
	}
	switch {
	case has(rest, "from "):
		parseConnectionFrom(rest[5:], e)
	case has(rest, "closed by "):
		parseEnd(rest[10:], e)
	case has(rest, "reset by "):
		parseEnd(rest[9:], e)
	}
}

// parseConnectionFrom reads "ADDR port N on ADDR port N[ rdomain R]", which
// opens a connection, and the errors "ADDR port N: WHY" and "USER ADDR port N timed
// out", which end one.
func parseConnectionFrom(b []byte, e *Event) {
	if i := bytes.Index(b, []byte(" on ")); i > 0 {
		if head, addr, port, ok := portTail(b[:i]); ok && len(head) == 0 {
			e.Kind, e.Port = Opened, port
			e.setAddr(addr)
			return
		}
	}
	b = bytes.TrimSuffix(b, []byte(" timed out"))
	if i := bytes.LastIndex(b, []byte(": ")); i > 0 {
		b = b[:i]
	}
	parseEnd(b, e)
}

// parseEnd reads "[authenticating user U |invalid user U |user U ]ADDR port N[:
// WHY]". A plain "user U" was logged in; its end says nothing here.
func parseEnd(b []byte, e *Event) {
	head, addr, port, ok := portTail(b)
	if !ok {
		return
	}
	switch {
	case len(head) == 0:
		e.Kind = Closed
	case has(head, "authenticating user "):
		e.Kind, e.User = Closed, head[len("authenticating user "):]
	case string(head) == "authenticating user", string(head) == "invalid user":
		e.Kind, e.Invalid = Closed, head[0] == 'i'
	case has(head, "invalid user "):
		e.Kind, e.User, e.Invalid = Closed, head[len("invalid user "):], true
	case has(head, "user "):
		e.Kind = Noise
	default:
		return
	}
	e.setAddr(addr)
	e.Port = port
}

// parseD reads the messages that begin with D: what ended a connection.
func parseD(b []byte, e *Event) {
	if rest, ok := after(b, "Disconnected from "); ok {
		parseEnd(rest, e)
		return
	}
	if rest, ok := after(b, "Did not receive identification string from "); ok {
		parseEnd(rest, e)
		if e.Kind == Unknown {
			e.Kind = Noise
		}
		return
	}
	rest, ok := after(b, "Disconnecting ")
	if !ok {
		if has(b, "Disconnecting: ") {
			e.Kind = Noise
		}
		return
	}
	// "Disconnecting USER ADDR port N: WHY": WHY is sshd's own, and holds no
	// " port "; the name holds no colon.
	if i := bytes.IndexByte(rest, ':'); i > 0 {
		if k := bytes.LastIndex(rest, []byte(" port ")); k >= 0 {
			if c := bytes.IndexByte(rest[k:], ':'); c > 0 {
				i = k + c
			}
		}
		parseEnd(rest[:i], e)
	}
}

// parseNotAllowed reads "User U from ADDR not allowed because WHY" and "User U
// not allowed because WHY" (auth.c, allowed_user).
func parseNotAllowed(b []byte, e *Event) {
	rest, ok := after(b, "User ")
	if !ok {
		return
	}
	i := bytes.LastIndex(rest, []byte(" not allowed because "))
	if i < 0 {
		return
	}
	user := rest[:i]
	if k := bytes.LastIndex(user, []byte(" from ")); k >= 0 {
		user = user[:k]
	}
	e.Kind, e.User = NotAllowed, user
}

// parseTimeout reads "Timeout before authentication for [connection from ]ADDR
// port N" and, since 9.8, "... for connection from ADDR to ADDR, pid = N".
func parseTimeout(b []byte, e *Event) {
	rest, ok := after(b, "Timeout before authentication for ")
	if !ok {
		return
	}
	e.Kind = Noise
	rest, _ = after2(rest, "connection from ")
	if head, addr, port, ok := portTail(bytes.TrimSuffix(rest, []byte("."))); ok && len(head) == 0 {
		e.Kind, e.Port = Closed, port
		e.setAddr(addr)
	}
}

func after2(b []byte, prefix string) ([]byte, bool) {
	if rest, ok := after(b, prefix); ok {
		return rest, true
	}
	return b, false
}

// parseSolaris passes "[ID 800047 auth.info] " (Solaris' syslog).
func parseSolaris(b []byte, e *Event, depth int) {
	if i := bytes.Index(b, []byte("] ")); has(b, "[ID ") && i > 0 && depth > 0 {
		parseMessage(b[i+2:], e, depth-1)
	}
}

// parseWrapped reads messages that hold another: "message repeated N times: [
// MSG]" (rsyslog, syslogd), "error: MSG" and "fatal: MSG" (log.c).
func parseWrapped(b []byte, e *Event, depth int) {
	if depth == 0 {
		return
	}
	for _, level := range []string{"error: ", "fatal: "} {
		if rest, ok := after(b, level); ok {
			parseMessage(rest, e, depth-1)
			if e.Kind == Unknown && has(rest, "PAM: ") {
				e.Kind = Noise
			}
			return
		}
	}
	rest, ok := after(b, "message repeated ")
	if !ok {
		if has(b, "maximum authentication attempts exceeded for ") {
			parseMaxTries(b[len("maximum authentication attempts exceeded for "):], e)
		}
		return
	}
	n, rest, ok := cut(rest)
	times, isNumber := number(n)
	inner, ok2 := after(rest, "times: [ ")
	if !ok || !isNumber || !ok2 || times == 0 || len(inner) == 0 || inner[len(inner)-1] != ']' {
		return
	}
	parseMessage(inner[:len(inner)-1], e, depth-1)
	e.Count = times
}

// parseMaxTries reads "[invalid user ]USER from ADDR port N ssh2" (auth.c,
// auth_maxtries_exceeded): the end of a connection.
func parseMaxTries(b []byte, e *Event) {
	b = bytes.TrimSuffix(b, []byte(" ssh2"))
	if rest, ok := after(b, "invalid user "); ok {
		b, e.Invalid = rest, true
	}
	if user, ok := fromTail(b, e); ok {
		e.Kind, e.User = Closed, user
	}
}
