package sshaudit

import (
	"errors"
	"fmt"
)

var errDamaged = errors.New("its parts contradict each other")

// decoder turns a saved document back into a partial. A document may come from
// anywhere: whatever it says is checked before it is used as an index.
type decoder struct {
	doc    *savedDoc
	p      *Partial
	pieces map[string]*piece
}

func (doc *savedDoc) decode() (*savedPartial, error) {
	d := &decoder{doc: doc, p: newPartial(doc.Grace), pieces: map[string]*piece{}}
	if doc.Level < 0 || doc.Level > coarsest || len(doc.Rows) > maxRows || len(doc.Totals) != int(reasons) {
		return nil, errDamaged
	}
	for _, name := range doc.Names {
		d.p.addrOf([]byte(name))
	}
	for i := range doc.Files {
		d.piece(doc.Files[i].Path)
	}
	for _, h := range doc.Hosts {
		if _, twice := d.p.byName[h.Name]; twice {
			return nil, errDamaged
		}
		d.p.addHost(h.Name)
	}
	for i := range doc.Hosts {
		if err := d.host(i, &doc.Hosts[i]); err != nil {
			return nil, err
		}
	}
	if err := d.counts(); err != nil {
		return nil, err
	}
	s := &savedPartial{p: d.p, files: doc.Files}
	for _, b := range doc.Bad {
		s.bad = append(s.bad, unverifiable{d.pos(b), b.Count, b.Forged})
	}
	return s, nil
}

func (d *decoder) piece(file string) *piece {
	pc, ok := d.pieces[file]
	if !ok {
		pc = d.p.pieces.add(&piece{file: file})
		d.pieces[file] = pc
	}
	return pc
}

// pos keeps line numbers past 32 bits in the piece: saved lines count from the
// file's first.
func (d *decoder) pos(e savedEvidence) pos {
	if e.File == "" || e.Line < 1 {
		return pos{}
	}
	pc := d.piece(e.File)
	if e.Line > 1<<32-1 {
		return pos{d.p.pieces.add(&piece{file: e.File, base: e.Line - 1}).number, 1}
	}
	return pos{pc.number, uint32(e.Line)}
}

func (d *decoder) checkHost(i int) error {
	if i < 0 || i >= len(d.p.hosts) {
		return fmt.Errorf("%w: host %d of %d", errDamaged, i, len(d.p.hosts))
	}
	return nil
}

func (d *decoder) host(i int, s *savedHost) error {
	h := d.p.hosts[i]
	h.started, h.start, h.from, h.to, h.swept = true, s.Start, s.From, s.To, s.Swept
	h.lines = s.Lines
	for _, r := range s.Read {
		read := stretch{from: r.From, to: r.To}
		for _, e := range r.Edges {
			read.edges = append(read.edges, edge{uint32(e[0]), e[1]})
		}
		h.read = append(h.read, read)
	}
	h.accepted, h.withKey, h.withoutKey = s.Accepted, s.WithKey, s.WithoutKey
	for k := range s.Head {
		c, err := d.conn(&s.Head[k])
		if err != nil {
			return err
		}
		h.head = append(h.head, c)
	}
	for k := range s.Open {
		c, err := d.conn(&s.Open[k])
		if err != nil {
			return err
		}
		if h.conns.get(c.key) != nil {
			return errDamaged
		}
		h.conns.put(c)
	}
	for _, f := range s.Found {
		h.remember(foundKey{f.PID, string(f.Fingerprint)}, foundAt{string(f.File), f.Line, f.Time}, false)
	}
	for _, f := range s.InHead {
		key := foundKey{f.PID, string(f.Fingerprint)}
		if h.foundInHead == nil {
			h.found, h.foundInHead = map[foundKey]foundAt{}, map[foundKey]bool{}
		}
		h.foundInHead[key] = true
	}
	return nil
}

func (d *decoder) conn(s *savedConn) (*conn, error) {
	if s.State > accepted || s.Weak.Reason >= reasons {
		return nil, errDamaged
	}
	c := &conn{
		key: keyOf(s.PID, s.Port), addr: d.p.addrOf([]byte(s.Addr)), user: s.User, weak: d.try(s.Weak),
		first: s.First, last: s.Last, state: s.State, head: s.Head, firstIsEnd: s.FirstIsEnd, loginTime: s.LoginTime,
	}
	for _, a := range s.Attempts {
		if a.Reason == ReasonNone || a.Reason >= reasons {
			return nil, errDamaged
		}
		c.attempts = append(c.attempts, d.try(a))
	}
	if s.Login != nil && s.Proof != nil {
		l, err := d.login(s.Login)
		if err != nil {
			return nil, err
		}
		c.login, c.loginKey = l, foundKey{s.Proof.PID, string(s.Proof.Fingerprint)}
	}
	return c, nil
}

func (d *decoder) try(s savedTry) attempt { return attempt{s.Time, s.Count, s.Reason, d.pos(s.At)} }

func (d *decoder) login(s *savedLogin) (*login, error) {
	if err := d.checkHost(s.Host); err != nil {
		return nil, err
	}
	l := &login{
		host: s.Host, addr: d.p.addrOf([]byte(s.Addr)), isCert: s.IsCert, serial: s.Serial, line: s.Line, count: s.Count,
		first: s.First, last: s.Last, firstAt: d.pos(s.FirstAt), lastAt: d.pos(s.LastAt),
	}
	for i, t := range l.text() {
		*t = string(s.Text[i])
	}
	return l, nil
}

func (d *decoder) notices(to map[string]*notice, list []savedNotice) error {
	for i := range list {
		s := &list[i]
		if err := d.checkHost(s.Host); err != nil {
			return err
		}
		n := &notice{
			host: s.Host, user: string(s.User), file: string(s.File), line: s.Line, count: s.Count,
			first: s.First, last: s.Last, firstAt: d.pos(s.FirstAt),
		}
		if s.Addr != noAddr {
			n.addr = d.p.addrOf([]byte(s.Addr))
		}
		d.p.addNotice(to, n)
	}
	return nil
}

// noAddr is how the zero addr is written.
const noAddr = "::"

// counts restores what does not depend on the order of lines.
func (d *decoder) counts() error {
	for i := range d.doc.Logins {
		l, err := d.login(&d.doc.Logins[i])
		if err != nil {
			return err
		}
		d.p.addLogin(l)
	}
	if err := d.notices(d.p.wrong, d.doc.Wrong); err != nil {
		return err
	}
	if err := d.notices(d.p.modes, d.doc.Modes); err != nil {
		return err
	}
	d.p.fails.level = d.doc.Level
	for i := range d.doc.Rows {
		if err := d.row(&d.doc.Rows[i]); err != nil {
			return err
		}
	}
	// Rows of coarse levels cannot tell the totals of all reasons apart; they
	// were saved beside them.
	copy(d.p.fails.totals[:], d.doc.Totals)
	for _, b := range d.doc.Bursts {
		if err := d.checkHost(b.Host); err != nil {
			return err
		}
		o := newBurst()
		o.detected, o.at = b.Detected, d.pos(b.At)
		for _, t := range b.Times {
			o.insert(timeCount{t.Time, t.Count, d.pos(t.At)})
		}
		key := hostAddr{b.Host, d.p.addrOf([]byte(b.Addr))}
		if d.p.bursts.get(key) != nil {
			return errDamaged
		}
		d.p.bursts.put(key, o)
	}
	return nil
}

func (d *decoder) row(r *savedRow) error {
	if err := d.checkHost(int(r.Host)); err != nil {
		return err
	}
	if r.Reason == ReasonNone || r.Reason >= reasons || r.Bits > 128 || r.Collapsed > collapseUser|collapseAddr || len(r.User) > maxText {
		return errDamaged
	}
	k := failKey{failID{host: r.Host, reason: r.Reason, collapsed: r.Collapsed, bits: r.Bits}, r.User}
	if r.Addr != noAddr {
		k.addr = d.p.addrOf([]byte(r.Addr))
	}
	d.p.fails.insert(&k, r.Count, r.First, r.Last)
	return nil
}

// moveTo is [Partial.moveTo], for what stands beside the partial too.
func (s *savedPartial) moveTo(ps *pieces) {
	by := s.p.moveTo(ps)
	for i := range s.bad {
		s.bad[i].at.move(by)
	}
}
