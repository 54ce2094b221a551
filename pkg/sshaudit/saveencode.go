package sshaudit

import (
	"slices"
)

// encode mirrors the partial as it stands, unfinished connections included.
func (c *Collection) encode() *savedDoc {
	p := c.p
	doc := &savedDoc{Kind: savedKind, Version: savedVersion, Grace: p.grace, Level: p.fails.level, Totals: p.fails.totals[:], Files: c.files}
	for _, h := range p.hosts {
		doc.Hosts = append(doc.Hosts, p.encodeHost(h))
	}
	for _, name := range p.names {
		doc.Names = append(doc.Names, name)
	}
	slices.Sort(doc.Names)
	for i := range p.fails.n {
		doc.Rows = append(doc.Rows, p.encodeRow(p.fails.row(i)))
	}
	for _, l := range p.logins {
		doc.Logins = append(doc.Logins, *p.encodeLogin(l))
	}
	for _, n := range p.wrong {
		doc.Wrong = append(doc.Wrong, p.encodeNotice(n))
	}
	for _, n := range p.modes {
		doc.Modes = append(doc.Modes, p.encodeNotice(n))
	}
	for _, b := range p.bursts.live {
		s := savedBurst{Host: b.key.host, Addr: p.addrText(b.key.addr), Detected: b.detected, At: p.encodePos(b.at)}
		for _, t := range b.times {
			s.Times = append(s.Times, savedTry{Time: t.time, Count: t.count, At: p.encodePos(t.at)})
		}
		doc.Bursts = append(doc.Bursts, s)
	}
	for _, u := range c.bad {
		e := p.encodePos(u.at)
		e.Count, e.Forged = u.count, u.forged
		doc.Bad = append(doc.Bad, e)
	}
	return doc
}

func (p *Partial) encodePos(at pos) savedEvidence {
	if at.piece == 0 {
		return savedEvidence{}
	}
	file, line := p.pieces.find(at)
	return savedEvidence{File: file, Line: line}
}

func (p *Partial) encodeHost(h *hostPart) savedHost {
	s := savedHost{
		Name: h.name, Start: h.start, From: h.from, To: h.to, Swept: h.swept, Lines: h.lines,
		Accepted: h.accepted, WithKey: h.withKey, WithoutKey: h.withoutKey,
	}
	for _, r := range h.read {
		saved := savedStretch{From: r.from, To: r.to}
		for _, e := range r.edges {
			saved.Edges = append(saved.Edges, [2]uint64{uint64(e.time), e.hash})
		}
		s.Read = append(s.Read, saved)
	}
	for _, c := range h.head {
		s.Head = append(s.Head, p.encodeConn(c))
	}
	for _, c := range h.conns.live {
		s.Open = append(s.Open, p.encodeConn(c))
	}
	for k, f := range h.found {
		s.Found = append(s.Found, savedFound{savedProof{k.pid, []byte(k.fingerprint)}, []byte(f.file), f.line, f.time})
	}
	for k := range h.foundInHead {
		s.InHead = append(s.InHead, savedProof{k.pid, []byte(k.fingerprint)})
	}
	return s
}

func (p *Partial) encodeConn(c *conn) savedConn {
	s := savedConn{
		Addr: p.addrText(c.addr), PID: uint32(c.key >> 16), Port: uint16(c.key), User: c.user, Weak: p.encodeTry(c.weak),
		First: c.first, Last: c.last, State: c.state, Head: c.head, FirstIsEnd: c.firstIsEnd,
	}
	for _, a := range c.attempts {
		s.Attempts = append(s.Attempts, p.encodeTry(a))
	}
	if c.login != nil {
		s.Login, s.LoginTime = p.encodeLogin(c.login), c.loginTime
		s.Proof = &savedProof{c.loginKey.pid, []byte(c.loginKey.fingerprint)}
	}
	return s
}

func (p *Partial) encodeTry(a attempt) savedTry {
	return savedTry{a.time, a.count, a.reason, p.encodePos(a.at)}
}

func (p *Partial) encodeRow(r *failRow) savedRow {
	return savedRow{
		Host: r.host, Addr: p.addrText(r.addr), User: p.fails.user(r), Reason: r.reason, Collapsed: r.collapsed, Bits: r.bits,
		Count: r.count, First: r.first, Last: r.last,
	}
}

func (p *Partial) encodeLogin(l *login) *savedLogin {
	s := &savedLogin{
		Host: l.host, Addr: p.addrText(l.addr), IsCert: l.isCert, Serial: l.serial, Line: l.line, Count: l.count,
		First: l.first, Last: l.last, FirstAt: p.encodePos(l.firstAt), LastAt: p.encodePos(l.lastAt),
	}
	for i, t := range l.text() {
		s.Text[i] = []byte(*t)
	}
	return s
}

// text lists the fields of a login that are text, in the order of savedLogin.
func (l *login) text() [8]*string {
	return [8]*string{&l.user, &l.method, &l.keyType, &l.fingerprint, &l.certID, &l.caType, &l.ca, &l.file}
}

func (p *Partial) encodeNotice(n *notice) savedNotice {
	return savedNotice{
		Host: n.host, Addr: p.addrText(n.addr), User: []byte(n.user), File: []byte(n.file), Line: n.line, Count: n.count,
		First: n.first, Last: n.last, FirstAt: p.encodePos(n.firstAt),
	}
}
