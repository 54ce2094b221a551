package sshaudit

import (
	"encoding/binary"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// login is a row of logins: those that differ in nothing but their time.
type login struct {
	host        int
	addr        addr
	user        string
	method      string
	keyType     string
	fingerprint string
	isCert      bool
	certID      string
	serial      uint64
	caType, ca  string
	file        string // where sshd said that it found the key
	line        uint32

	count           uint64
	first, last     uint32
	firstAt, lastAt pos
}

func (p *Partial) newLogin(host int, a addr, e *authlog.Event, t uint32, at pos) *login {
	return &login{
		host: host, addr: a, user: p.text(e.User), method: p.text(e.Method), keyType: p.text(e.Type), fingerprint: p.text(e.Fingerprint),
		isCert: e.IsCert, certID: p.text(e.CertID), serial: e.Serial, caType: p.text(e.CAType), ca: p.text(e.CA),
		count: uint64(e.Count), first: t, last: t, firstAt: at, lastAt: at,
	}
}

// maxTexts bounds the texts that are kept to be used again.
const maxTexts = 1 << 12

// text is clip for text that most logins share.
func (p *Partial) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	b = clip(b)
	s, ok := p.texts[string(b)]
	if !ok {
		if len(p.texts) == maxTexts {
			clear(p.texts)
		}
		s = string(b)
		p.texts[s] = s
	}
	return s
}

// proofKey is the fingerprint that a "found at" line of this login names: the
// key's, or its certificate's signer's.
func (l *login) proofKey() string {
	if l.isCert {
		return l.ca
	}
	return l.fingerprint
}

// key composes what makes a row.
func (l *login) key(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(l.host))
	b = binary.BigEndian.AppendUint64(b, l.addr.hi)
	b = binary.BigEndian.AppendUint64(b, l.addr.lo)
	b = binary.AppendUvarint(b, l.serial)
	b = binary.AppendUvarint(b, uint64(l.line))
	for _, s := range []string{l.user, l.method, l.keyType, l.fingerprint, l.certID, l.caType, l.ca, l.file} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// addLogin counts a login, or a row of them.
func (p *Partial) addLogin(l *login) {
	p.scratch = l.key(p.scratch[:0])
	row, ok := p.logins[string(p.scratch)]
	if !ok {
		kept := *l
		p.logins[string(p.scratch)] = &kept
		return
	}
	row.count += l.count
	if l.first < row.first || l.first == row.first && l.firstAt.before(row.firstAt) {
		row.first, row.firstAt = l.first, l.firstAt
	}
	if l.last > row.last || l.last == row.last && row.lastAt.before(l.lastAt) {
		row.last, row.lastAt = l.last, l.lastAt
	}
}

// notice is something that sshd said about a file: a good key from an address
// outside its from=, or modes that StrictModes refuses.
type notice struct {
	host        int
	user        string
	addr        addr
	file        string
	line        uint32
	count       uint64
	first, last uint32
	firstAt     pos
}

// maxNotices bounds each kind of notice. Past it only known rows count on.
const maxNotices = 1 << 14

func (n *notice) key(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(n.host))
	b = binary.BigEndian.AppendUint64(b, n.addr.hi)
	b = binary.BigEndian.AppendUint64(b, n.addr.lo)
	b = binary.AppendUvarint(b, uint64(n.line))
	return append(b, n.user+"\x00"+n.file...)
}

// note counts a notice.
func (p *Partial) note(to map[string]*notice, host int, t uint32, e *authlog.Event, at pos) {
	n := &notice{
		host: host, user: string(clip(e.User)), file: string(clip(e.File)), line: e.Line,
		count: uint64(e.Count), first: t, last: t, firstAt: at,
	}
	if len(e.Addr) > 0 {
		n.addr = p.peer(e)
	}
	p.addNotice(to, n)
}

func (p *Partial) addNotice(to map[string]*notice, n *notice) {
	p.scratch = n.key(p.scratch[:0])
	row, ok := to[string(p.scratch)]
	if !ok {
		if len(to) < maxNotices {
			to[string(p.scratch)] = n
		}
		return
	}
	row.count += n.count
	row.last = max(row.last, n.last)
	if n.first < row.first || n.first == row.first && n.firstAt.before(row.firstAt) {
		row.first, row.firstAt = n.first, n.firstAt
	}
}
