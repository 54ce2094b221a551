package authlog

// Most messages are of the few forms below, with an IPv4 address. They are read
// here, by words; whatever is odd about one leaves it to parseMessage, which reads
// every form and alone says what is right.

// quickMin is the least length of the messages that are read here.
const quickMin = 34

// parseQuick reads the most frequent forms. It reports false, and leaves e as it was,
// for all else.
func parseQuick(msg []byte, e *Event) bool {
	if len(msg) < quickMin || len(msg) >= trimmedAt {
		return false
	}
	switch string(msg[:8]) {
	case "Failed p":
		return string(msg[8:20]) == "assword for " && quickFailed(msg, e)
	case "Connecti":
		switch string(msg[8:20]) {
		case "on closed by":
			return msg[20] == ' ' && quickEnd(msg, 21, e)
		case "on reset by ":
			return quickEnd(msg, 20, e)
		}
	case "Disconne":
		return string(msg[8:18]) == "cted from " && quickEnd(msg, 18, e)
	case "Invalid ":
		return string(msg[8:13]) == "user " && quickInvalid(msg, e)
	case "Received":
		return string(msg[8:25]) == " disconnect from " && e.quick(Noise)
	case "pam_unix":
		return msg[8] == '(' && e.quick(Noise)
	}
	return false
}

// quick begins an event; it reports true.
func (e *Event) quick(kind Kind) bool {
	if e.keyed {
		*e = Event{}
	}
	e.Kind, e.Count, e.Invalid = kind, 1, false
	e.User, e.Addr, e.Method, e.Port = nil, nil, nil, 0
	e.V4, e.IsV4 = 0, false
	return true
}

// set fills an event; the fields about keys stay empty.
func (e *Event) set(kind Kind, invalid bool, user, method, addr []byte, p peer) {
	if e.keyed {
		*e = Event{}
	}
	e.Kind, e.Count, e.Invalid = kind, 1, invalid
	e.User, e.Addr, e.Method = user, addr, method
	e.Port, e.V4, e.IsV4 = p.port, p.ip, true
}

// quickFailed reads "Failed password for [invalid user ]USER from ADDR port N ssh2".
// With a colon in USER, " ssh2: " may be in it.
func quickFailed(msg []byte, e *Event) bool {
	end := len(msg) - len(" ssh2")
	if string(msg[end:]) != " ssh2" {
		return false
	}
	p := quadTail(msg, end)
	user, invalid := 20, isInvalidUser(msg, 20)
	if invalid {
		user = 33
	}
	stop := p.at - len(" from ")
	if stop < user || string(msg[stop:p.at]) != " from " || !lacks(':', msg, user, stop) || string(msg[20:28]) == "illegal " {
		return false
	}
	e.set(Failed, invalid, msg[user:stop], msg[7:15], msg[p.at:p.end], p)
	return true
}

// quickInvalid reads "Invalid user USER from ADDR port N".
func quickInvalid(msg []byte, e *Event) bool {
	p := quadTail(msg, len(msg))
	stop := p.at - len(" from ")
	if stop < 13 || string(msg[stop:p.at]) != " from " {
		return false
	}
	e.set(InvalidUser, true, msg[13:stop], nil, msg[p.at:p.end], p)
	return true
}

// quickEnd reads "[authenticating user U |invalid user U |user U ]ADDR port N[ [preauth]]"
// from msg[i] on. A backslash in U may stand for itself twice.
func quickEnd(msg []byte, i int, e *Event) bool {
	end := len(msg)
	if msg[end-1] == ']' {
		end -= len(" [preauth]")
		if string(msg[end:]) != " [preauth]" {
			return false
		}
	}
	if len(msg) < i+len("authenticating user ") {
		return false
	}
	p := quadTail(msg, end)
	user, known := i+len("authenticating user "), isAuthenticatingUser(msg, i)
	invalid := isInvalidUser(msg, i)
	if invalid {
		user = i + len("invalid user ")
	}
	switch {
	case p.at == i:
		e.set(Closed, false, nil, nil, msg[p.at:p.end], p)
		return true
	case p.at > i+len("user ") && string(msg[i:i+len("user ")]) == "user ":
		e.set(Noise, false, nil, nil, msg[p.at:p.end], p)
		return true
	case known == invalid, p.at <= user, !lacks('\\', msg, user, p.at-1):
		return false
	}
	e.set(Closed, invalid, msg[user:p.at-1], nil, msg[p.at:p.end], p)
	return true
}

// The words of "invalid user " and "authenticating user ", the last ones overlapping.
const (
	invalid0        = 0x2064696c61766e69 // "invalid "
	invalid5        = 0x2072657375206469 // "id user "
	authenticating0 = 0x69746e6568747561 // "authenti"
	authenticating8 = 0x7520676e69746163 // "cating u"
	authenticatingC = 0x207265737520676e // "ng user "
)

// isInvalidUser tells whether b[i:] begins with "invalid user ". No branch: half of the
// names are invalid, and nothing says which.
func isInvalidUser(b []byte, i int) bool {
	return (word(b, i)^invalid0)|(word(b, i+5)^invalid5) == 0
}

func isAuthenticatingUser(b []byte, i int) bool {
	return (word(b, i)^authenticating0)|(word(b, i+8)^authenticating8)|(word(b, i+12)^authenticatingC) == 0
}

// lacks tells that b[from:to] has at most 16 bytes and does not hold the byte c. Nor
// may the 16 bytes before it.
func lacks(c byte, b []byte, from, to int) bool {
	return to-from <= 16 && among(c, word(b, to-8))|among(c, word(b, to-16)) == 0
}
