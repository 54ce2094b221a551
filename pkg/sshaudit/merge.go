package sshaudit

import "maps"

// merge appends q, the part of the logs that follows p. p takes over q's memory; q must
// not be used again. merge is associative: (a b) c and a (b c) report the same.
func (p *Partial) merge(q *Partial) {
	if q.pieces != p.pieces {
		q.moveTo(p.pieces)
	}
	maps.Copy(p.names, q.names)
	hosts := make([]int, len(q.hosts))
	for i, h := range q.hosts {
		hosts[i] = p.host([]byte(h.name))
	}
	p.fails.merge(q.fails, hosts)
	for _, l := range q.logins {
		l.host = hosts[l.host]
		p.addLogin(l)
	}
	p.mergeNotices(p.wrong, q.wrong, hosts)
	p.mergeNotices(p.modes, q.modes, hosts)
	for _, b := range q.bursts.live {
		p.mergeBurst(hostAddr{hosts[b.key.host], b.key.addr}, b)
	}
	for i, h := range q.hosts {
		p.mergeHost(hosts[i], h, q.apart)
	}
	p.pruneBursts(q, hosts)
}

func (p *Partial) mergeNotices(to, from map[string]*notice, hosts []int) {
	for _, n := range from {
		n.host = hosts[n.host]
		p.addNotice(to, n)
	}
}

func (p *Partial) pruneBursts(q *Partial, hosts []int) {
	for _, o := range q.bursts.live {
		k := hostAddr{hosts[o.key.host], o.key.addr}
		if b := p.bursts.get(k); b != nil && len(b.times) > 0 {
			b.prune(p.headEnd(k.host), p.hosts[k.host].to, p.burstSlack())
		}
	}
	if len(p.bursts.live) >= p.sweep {
		p.dropIdle()
	}
}

// mergeHost joins the connections that the boundary between the parts cut.
func (p *Partial) mergeHost(i int, right *hostPart, apart bool) {
	h := p.hosts[i]
	if !h.started {
		right.name = h.name
		for _, l := range right.logins() {
			l.host = i
		}
		p.hosts[i] = right
		return
	}
	h.from, h.to = min(h.from, right.from), max(h.to, right.to)
	h.extend(right.read, apart)
	h.lines += right.lines
	h.accepted += right.accepted
	h.withKey += right.withKey
	h.withoutKey += right.withoutKey

	for _, c := range right.head {
		p.joinHead(i, c)
	}
	for _, c := range right.conns.live {
		if c.head {
			p.joinHead(i, c)
			continue
		}
		if l := h.conns.get(c.key); l != nil {
			p.close(i, l)
		}
		h.conns.put(c)
	}
	for key := range right.foundInHead {
		delete(h.found, key)
	}
	for key, f := range right.found {
		h.remember(key, f, right.foundInHead[key] && p.inHead(h, right.start))
	}
	p.sweepConns(i, right.swept)
}

// logins lists the logins that still wait for their proof.
func (h *hostPart) logins() []*login {
	var list []*login
	for _, c := range h.head {
		if c.login != nil {
			list = append(list, c.login)
		}
	}
	return list
}

// joinHead settles a connection of the right part that may have begun in the
// left one.
func (p *Partial) joinHead(i int, r *conn) {
	h := p.hosts[i]
	r.head = p.inHead(h, r.first)
	if l := h.conns.get(r.key); l != nil {
		if p.joins(l, r.addr, r.first, r.user, r.firstIsEnd) {
			h.conns.remove(l)
			l.extend(r)
			r = l
		} else {
			p.close(i, l)
		}
	}
	switch {
	case r.state == accepted:
		p.settleLogin(i, r)
	case r.state == open || r.state == ended && gap(r.last, h.to) <= afterEnd:
		h.conns.put(r)
	default:
		p.end(i, r)
	}
}

// extend appends r, the further course of the connection.
func (c *conn) extend(r *conn) {
	c.last, c.state = r.last, r.state
	if len(c.user) == 0 {
		c.user = r.user
	}
	c.login, c.loginKey, c.loginTime = r.login, r.loginKey, r.loginTime
	if r.state == accepted {
		c.attempts, c.weak = nil, attempt{}
		return
	}
	c.attempts = append(c.attempts, r.attempts...)
	c.setWeak(r.weak)
}

// settleLogin looks for the proof of a login in the left part.
func (p *Partial) settleLogin(i int, c *conn) {
	h := p.hosts[i]
	if c.login != nil {
		c.login.host = i
		proven := p.prove(h, c.login, c.loginKey, c.loginTime)
		if proven || !c.head {
			p.addLogin(c.login)
			c.login = nil
		}
	}
	if c.head {
		h.head = append(h.head, c)
	}
}

// finish settles what still waited for a part before or after this one. The
// partial can be reported then, but not merged any more.
func (p *Partial) finish() {
	for i, h := range p.hosts {
		for n := len(h.conns.live); n > 0; n-- {
			c := h.conns.live[n-1]
			c.head = false
			p.close(i, c)
		}
		head := h.head
		h.head = nil
		for _, c := range head {
			if c.login != nil {
				p.addLogin(c.login)
			}
			if c.state != accepted {
				p.count(i, c)
			}
		}
	}
}
