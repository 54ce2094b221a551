package sshaudit

import (
	"slices"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// connKey holds the process id and the source port of a connection. At LogLevel
// INFO no line says that a connection begins, and process ids are reused: host,
// process, port and address together, within the grace time, name one. The
// address stands in conn: two of one key are never alive at once.
type connKey uint64

func keyOf(pid uint32, port uint16) connKey { return connKey(pid)<<16 | connKey(port) }

// connState is where a connection stands after its last line.
type connState uint8

const (
	open connState = iota
	ended
	accepted
)

// attempt is one refused attempt, or several in one line.
type attempt struct {
	time, count uint32
	reason      Reason
	at          pos
}

// conn is a connection before its login. Its attempts count once it is known
// not to end in a login.
type conn struct {
	next  *conn // see connTable
	place int

	key      connKey
	addr     addr
	user     []byte
	attempts []attempt
	// weak is a failure that counts only where no attempt was logged: an invalid
	// user's name, or a user who left without having got in.
	weak attempt

	first, last uint32
	state       connState
	head        bool // may have begun before the part's first line
	firstIsEnd  bool // its first line was already an ending
	login       *login
	loginKey    foundKey // what would prove the login's file and line
	loginTime   uint32
}

// foundKey names a key that sshd found in a file for the process that is to
// accept it. The line has no port.
type foundKey struct {
	pid         uint32
	fingerprint string
}

type foundAt struct {
	file string
	line uint32
	time uint32
}

// joins tells whether a line (or a connection of a later part) that first shows
// at t continues c.
func (p *Partial) joins(c *conn, from addr, t uint32, user []byte, isEnd bool) bool {
	if c.addr != from {
		return false
	}
	if c.state == ended && (!isEnd || gap(c.last, t) > afterEnd) {
		return false
	}
	// An ending's user is the connection's, but sshd words long or odd names
	// differently there.
	return gap(c.last, t) <= p.grace && (isEnd || len(user) == 0 || len(c.user) == 0 || string(clip(user)) == string(c.user))
}

// maxText bounds the text that one line may add. sshd cuts a name at 100 bytes,
// which vis(3) makes 400 at most.
const maxText = 1024

func clip(b []byte) []byte { return b[:min(len(b), maxText)] }

// touch takes a line of a connection that is not (yet) a login.
func (p *Partial) touch(host int, t, pid uint32, e *authlog.Event, at pos) {
	h := p.hosts[host]
	key, from := keyOf(pid, e.Port), p.peer(e)
	isEnd := e.Kind == authlog.Closed
	c := h.conns.get(key)
	if c != nil && (e.Kind == authlog.Opened || !p.joins(c, from, t, e.User, isEnd)) {
		p.close(host, c)
		c = nil
	}
	if c == nil {
		if !p.worthKeeping(h, t, e) {
			return
		}
		c = p.newConn(h, key, from, t)
		c.firstIsEnd = isEnd
		c.head = c.head && e.Kind != authlog.Opened
	}
	c.last = t
	if len(c.user) == 0 {
		c.user = append(c.user, clip(e.User)...)
	}
	switch e.Kind {
	case authlog.Failed:
		if r, ok := reasonOf(e); ok {
			c.attempts = append(c.attempts, attempt{t, e.Count, r, at})
		} else if e.Invalid {
			c.setWeak(attempt{t, 1, ReasonInvalidUser, at})
		}
	case authlog.InvalidUser:
		c.setWeak(attempt{t, 1, ReasonInvalidUser, at})
	case authlog.Closed:
		c.state = ended
		if len(e.User) > 0 || e.Invalid {
			c.setWeak(attempt{t, 1, endReason(e), at})
		}
	}
}

// worthKeeping spares the table connections that can never count: scanners that
// name no user.
func (p *Partial) worthKeeping(h *hostPart, t uint32, e *authlog.Event) bool {
	switch e.Kind {
	case authlog.Opened:
		return p.inHead(h, t)
	case authlog.Closed:
		return len(e.User) > 0 || e.Invalid
	}
	return true
}

func (c *conn) setWeak(a attempt) {
	if c.weak.reason == ReasonNone {
		c.weak = a
	}
}

func (p *Partial) newConn(h *hostPart, key connKey, from addr, t uint32) *conn {
	var c *conn
	if n := len(p.freed); n > 0 {
		c, p.freed = p.freed[n-1], p.freed[:n-1]
		*c = conn{user: c.user[:0], attempts: c.attempts[:0]}
	} else {
		c = &conn{}
	}
	c.key, c.addr, c.first, c.last, c.head = key, from, t, t, p.inHead(h, t)
	h.conns.put(c)
	return c
}

// accept takes a login: the attempts of its connection were not failures.
func (p *Partial) accept(host int, t, pid uint32, e *authlog.Event, at pos) {
	h := p.hosts[host]
	h.countAccepted(e)
	key, from := keyOf(pid, e.Port), p.peer(e)
	l := p.newLogin(host, from, e, t, at)
	proof := foundKey{pid, l.proofKey()}
	proven := p.prove(h, l, proof, t)

	c := h.conns.get(key)
	if c != nil && !p.joins(c, from, t, e.User, false) {
		p.close(host, c)
		c = nil
	}
	if c == nil {
		if !p.inHead(h, t) {
			p.addLogin(l)
			return
		}
		c = p.newConn(h, key, from, t)
	}
	h.conns.remove(c)
	if !c.head {
		p.addLogin(l)
		p.free(c)
		return
	}
	c.attempts, c.weak = c.attempts[:0], attempt{}
	c.state, c.last = accepted, t
	if len(c.user) == 0 {
		c.user = append(c.user, clip(e.User)...)
	}
	if proven || proof.fingerprint == "" {
		p.addLogin(l)
	} else {
		c.login, c.loginKey, c.loginTime = l, proof, t
	}
	h.head = append(h.head, c)
}

func (h *hostPart) countAccepted(e *authlog.Event) {
	h.accepted += uint64(e.Count)
	if string(e.Method) != "publickey" {
		return
	}
	if len(e.Fingerprint) > 0 || e.IsCert {
		h.withKey++
	} else {
		h.withoutKey++
	}
}

// find remembers in which file a process found a key.
func (p *Partial) find(host int, t, pid uint32, e *authlog.Event) {
	h := p.hosts[host]
	key := foundKey{pid, string(e.Fingerprint)}
	h.remember(key, foundAt{string(e.File), e.Line, t}, p.inHead(h, t))
}

// remember keeps where a key was found. Most hosts of a large log never need the
// maps.
func (h *hostPart) remember(key foundKey, f foundAt, inHead bool) {
	if h.found == nil {
		h.found, h.foundInHead = map[foundKey]foundAt{}, map[foundKey]bool{}
	}
	h.found[key] = f
	if inHead {
		h.foundInHead[key] = true
	}
}

// prove gives a login the file and line that its process found the key in.
func (p *Partial) prove(h *hostPart, l *login, key foundKey, t uint32) bool {
	f, ok := h.found[key]
	if !ok || key.fingerprint == "" || gap(f.time, t) > p.grace {
		return false
	}
	delete(h.found, key)
	l.file, l.line = f.file, f.line
	return true
}

// close ends a connection that did not become a login. One that may have begun
// earlier waits for the part before this one.
func (p *Partial) close(host int, c *conn) {
	h := p.hosts[host]
	h.conns.remove(c)
	p.end(host, c)
}

// end is close for a connection that is not in the table.
func (p *Partial) end(host int, c *conn) {
	h := p.hosts[host]
	if c.head {
		if c.state == open {
			c.state = ended
		}
		h.head = append(h.head, c)
		return
	}
	p.count(host, c)
	p.free(c)
}

// count adds a closed connection's failures.
func (p *Partial) count(host int, c *conn) {
	if len(c.attempts) == 0 {
		if c.weak.reason == ReasonNone {
			return
		}
		c.attempts = append(c.attempts, c.weak)
	}
	k := failKey{user: c.user}
	k.host, k.addr.hi, k.addr.lo = uint32(host), c.addr.hi, c.addr.lo
	// Most connections fail for one reason: those attempts make one addition.
	for from := 0; from < len(c.attempts); {
		a := &c.attempts[from]
		n, first, last, to := uint64(a.count), a.time, a.time, from+1
		for ; to < len(c.attempts) && c.attempts[to].reason == a.reason; to++ {
			b := &c.attempts[to]
			n, first, last = n+uint64(b.count), min(first, b.time), max(last, b.time)
		}
		k.reason = a.reason
		p.fail(&k, n, first, last)
		from = to
	}
	p.addBurst(host, c)
}

func (p *Partial) fail(k *failKey, n uint64, first, last uint32) {
	if p.log != nil {
		p.log.add(k, n, first, last)
	} else {
		p.fails.add(*k, n, first, last)
	}
}

func (p *Partial) free(c *conn) {
	if len(p.freed) < 1024 && cap(c.user) <= 512 {
		p.freed = append(p.freed, c)
	}
}

// sweepConns closes the connections that no line at t or later can continue.
func (p *Partial) sweepConns(host int, t uint32) {
	h := p.hosts[host]
	h.swept = t
	crowded := len(h.conns.live) > maxOpen
	for _, c := range slices.Backward(h.conns.live) {
		// Closing one moves the last to its place: that one was looked at.
		if p.over(c, t, crowded) {
			p.close(host, c)
		}
	}
	for k, f := range h.found {
		if t > f.time+p.grace+sweepEvery {
			delete(h.found, k)
		}
	}
}

// maxOpen is how many open connections a host may have before a clock that was set
// back closes those of the time before.
const maxOpen = 1 << 16

// over tells whether a connection was silent for longer than any may be. A line out
// of order, of an earlier time, closes none, unless the table is crowded.
func (p *Partial) over(c *conn, t uint32, crowded bool) bool {
	limit := p.grace
	if c.state == ended {
		limit = afterEnd
	}
	if crowded {
		return gap(c.last, t) > limit+sweepEvery
	}
	return t > c.last+limit+sweepEvery
}
