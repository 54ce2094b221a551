package sshaudit

import (
	"hash/maphash"
	"math/bits"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// The rules of the join. All are seconds.
const (
	// DefaultGrace is sshd's default LoginGraceTime: how long a connection may
	// stay silent before its next line belongs to another one.
	DefaultGrace = 120
	// afterEnd is how long the further lines of an ended connection may take.
	afterEnd = 10
	// sweepEvery bounds how late a silent connection is closed.
	sweepEvery = 60
	// burstSpan and burstSize define a brute-force burst: so many failures of
	// one address on one host within that time.
	burstSpan = 600
	burstSize = 20
)

// Partial is what a stretch of log lines says. Merge joins two of them.
type Partial struct {
	grace  uint32
	pieces *pieces
	edges  bool // keep what a later run may meet again; see Options.Save
	apart  bool // of a file that shares no line with those before; see stretch
	hosts  []*hostPart
	byName map[string]int
	last   int    // index of the host of the last line
	run    uint64 // of the last line; see authlog.Header.Run

	fails  *failTable
	log    *failLog // takes the failures in place of fails; may be nil
	bursts burstTable
	sieve  *burstSieve // takes the failures before bursts; nil but while lines are read
	sweep  int         // size of bursts at which the idle ones are dropped
	logins map[string]*login
	wrong  map[string]*notice // good keys from addresses outside from=
	modes  map[string]*notice // files that StrictModes refused
	names  map[uint64]string  // host names by their hash, where addr holds one
	seed   maphash.Seed
	salt   salt

	scratch []byte            // composes map keys
	texts   map[string]string // see text
	freed   []*conn
	idle    []*burst    // dropped, to be used again
	tries   []timeCount // composes what goes to bursts
}

type hostAddr struct {
	host int
	addr addr
}

// salt makes the places of keys in tables unknown to who chooses the keys: an IPv6
// network has addresses enough to pick those that collide.
type salt uint64

func (s salt) ofAddr(k hostAddr) uint64 {
	return s.spread(k.addr.lo ^ s.spread(k.addr.hi+uint64(k.host)))
}

// spread mixes the bits of a word, so that its lower ones depend on all.
func (s salt) spread(x uint64) uint64 {
	hi, lo := bits.Mul64(x^uint64(s), 0xd6e8feb86659fd93)
	return hi ^ lo
}

// hostPart is what the lines of one host say that depends on their order.
type hostPart struct {
	name        string
	started     bool
	start       uint32 // time of the first line
	from, to    uint32 // least and greatest time
	lines       uint64
	read        []stretch // what was read of the host; only with Partial.edges
	accepted    uint64    // Accepted lines; with none, a log may hide logins (LogLevel)
	withKey     uint64    // ... of publickey logins that name the key
	withoutKey  uint64    // ... that do not
	swept       uint32
	conns       connTable
	head        []*conn // ended connections that may have begun before the first line
	found       map[foundKey]foundAt
	foundInHead map[foundKey]bool
}

func newPartial(grace uint32) *Partial {
	return newPartialLike(&Partial{grace: grace, seed: maphash.MakeSeed(), pieces: &pieces{}})
}

// newPartialLike makes an empty partial of the same run, whose tables the other one can
// take over.
func newPartialLike(o *Partial) *Partial {
	mix := salt(maphash.Bytes(o.seed, nil))
	return &Partial{
		grace: o.grace, pieces: o.pieces, byName: map[string]int{}, last: -1,
		fails: newFailTable(o.seed), bursts: burstTable{salt: mix}, salt: mix, sweep: minIdle,
		logins: map[string]*login{}, wrong: map[string]*notice{}, modes: map[string]*notice{},
		names: map[uint64]string{}, texts: map[string]string{}, seed: o.seed,
	}
}

// host finds the host of a line.
func (p *Partial) host(name []byte) int {
	if p.last >= 0 && string(name) == p.hosts[p.last].name {
		return p.last
	}
	i, ok := p.byName[string(name)]
	if !ok {
		i = p.addHost(string(name))
	}
	p.last = i
	return i
}

func (p *Partial) addHost(name string) int {
	i := len(p.hosts)
	p.hosts = append(p.hosts, &hostPart{
		name: name, conns: connTable{salt: p.salt},
	})
	p.byName[name] = i
	return i
}

// add takes one event of a host. Its slices are not kept.
func (p *Partial) add(hd *authlog.Header, e *authlog.Event, at pos) {
	if hd.Run == 0 || hd.Run != p.run {
		p.host(hd.Host)
		p.run = hd.Run
	}
	i := p.last
	h := p.hosts[i]
	t := uint32(max(hd.Time, 0))
	if p.edges {
		p.scratch = lineKey(p.scratch[:0], hd)
		h.line(edge{t, stableHash(p.scratch)})
	}
	h.see(t)
	if t > h.swept+sweepEvery || len(h.conns.live) > maxOpen && h.lines%maxOpen == 0 {
		p.sweepConns(i, t)
	}
	if e.Kind <= authlog.Noise {
		return
	}
	switch e.Kind {
	case authlog.Accepted:
		p.accept(i, t, hd.PID, e, at)
	case authlog.Failed, authlog.InvalidUser, authlog.Closed, authlog.Opened:
		p.touch(i, t, hd.PID, e, at)
	case authlog.Found:
		p.find(i, t, hd.PID, e)
	case authlog.WrongAddr:
		p.note(p.wrong, i, t, e, at)
	case authlog.BadModes:
		p.note(p.modes, i, t, e, at)
	}
}

func (h *hostPart) see(t uint32) {
	h.lines++
	if !h.started {
		h.started, h.start, h.from, h.to, h.swept = true, t, t, t, t
		return
	}
	h.from, h.to = min(h.from, t), max(h.to, t)
}

// inHead tells whether a connection first seen at t may have begun before the
// part's first line.
func (p *Partial) inHead(h *hostPart, t uint32) bool { return gap(t, h.start) <= 2*p.grace }

func gap(a, b uint32) uint32 {
	if a > b {
		return a - b
	}
	return b - a
}
