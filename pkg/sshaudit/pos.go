package sshaudit

// piece is a stretch of consecutive lines of one file. base is known once all
// the pieces before it have been read.
type piece struct {
	file   string
	number uint32 // among pieces
	first  bool   // begins at the first byte of its file
	base   int64
}

// pieces numbers the pieces of all the files of a run, in the order of reading. The
// partials of a run share one.
type pieces struct {
	list []*piece // without a number 0
}

func (ps *pieces) add(pc *piece) *piece {
	ps.list = append(ps.list, pc)
	pc.number = uint32(len(ps.list))
	return pc
}

// pos is a line of a piece, 1 being its first; the zero pos is none. It holds no pointer:
// there are many.
type pos struct{ piece, line uint32 }

func (p pos) before(q pos) bool {
	if p.piece == 0 || q.piece == 0 {
		return p.piece != 0
	}
	return p.piece < q.piece || p.piece == q.piece && p.line < q.line
}

// find gives the file and the line, from 1, of a pos that is not zero.
func (ps *pieces) find(p pos) (file string, line int64) {
	pc := ps.list[p.piece-1]
	return pc.file, pc.base + int64(p.line)
}

// moveTo numbers the partial's pieces behind those of another run, and gives how far
// the numbers moved.
func (p *Partial) moveTo(ps *pieces) (by uint32) {
	by = uint32(len(ps.list))
	for _, pc := range p.pieces.list {
		ps.add(pc)
	}
	p.pieces = ps
	if by > 0 {
		p.eachPos(func(at *pos) { at.move(by) })
	}
	return by
}

func (p *pos) move(by uint32) {
	if p.piece != 0 {
		p.piece += by
	}
}

// eachPos visits all that a partial holds.
func (p *Partial) eachPos(visit func(*pos)) {
	for _, l := range p.logins {
		visit(&l.firstAt)
		visit(&l.lastAt)
	}
	for _, notices := range []map[string]*notice{p.wrong, p.modes} {
		for _, n := range notices {
			visit(&n.firstAt)
		}
	}
	for _, b := range p.bursts.live {
		visit(&b.at)
		for i := range b.times {
			visit(&b.times[i].at)
		}
	}
	for _, h := range p.hosts {
		for _, list := range [][]*conn{h.head, h.conns.live} {
			for _, c := range list {
				c.eachPos(visit)
			}
		}
	}
}

func (c *conn) eachPos(visit func(*pos)) {
	visit(&c.weak.at)
	for i := range c.attempts {
		visit(&c.attempts[i].at)
	}
	if c.login != nil {
		visit(&c.login.firstAt)
		visit(&c.login.lastAt)
	}
}
