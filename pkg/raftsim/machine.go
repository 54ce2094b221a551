package raftsim

import (
	"encoding/binary"
)

// machine is what the log is applied to: registers, and for each client what was answered last, so that a request that was sent twice
// is done once (the Raft dissertation, section 6.3).
type machine struct {
	keys     []register
	sessions []session
}

// register is a key's value, and where in the log it was written.
type register struct{ value, index uint64 }

// session is the last request of a client's that was applied. A client that does not know what became of a request goes on in a
// new one, and what comes late of the former is not applied.
type session struct{ number, seq, index uint64 }

func newMachine(keys, clients int) *machine {
	return &machine{make([]register, keys), make([]session, clients)}
}

// command is a write. Its value is unique in a run.
type command struct {
	client       int
	session, seq uint64
	key          int
	value        uint64
}

const commandBytes = 5 * 8

func (c *command) encode() []byte {
	b := make([]byte, 0, commandBytes)
	for _, v := range [...]uint64{c.value, uint64(c.client), c.session, c.seq, uint64(c.key)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func decodeCommand(b []byte) (c command, ok bool) {
	if len(b) != commandBytes {
		return c, false
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return command{int(at(1)), at(2), at(3), int(at(4)), at(0)}, true
}

// apply does a write, unless it was done before; index is where it stands, or stood the first time.
func (m *machine) apply(c command, index uint64) (at uint64, applied bool) {
	s := &m.sessions[c.client]
	switch {
	case c.session < s.number || c.session == s.number && c.seq < s.seq:
		return 0, false
	case c.session == s.number && c.seq == s.seq:
		return s.index, true
	}
	*s = session{c.session, c.seq, index}
	m.keys[c.key] = register{c.value, index}
	return index, true
}

// encode is the machine in a snapshot, with the checker's sum of the log that it was made from.
func (m *machine) encode(chain uint64) []byte {
	b := make([]byte, 0, 8*(3+2*len(m.keys)+3*len(m.sessions)))
	for _, v := range [...]uint64{chain, uint64(len(m.keys)), uint64(len(m.sessions))} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, r := range m.keys {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, r.value), r.index)
	}
	for _, s := range m.sessions {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, s.number), s.seq), s.index)
	}
	return b
}

func decodeMachine(b []byte) (m *machine, chain uint64) {
	next := func() (v uint64) {
		v, b = binary.LittleEndian.Uint64(b), b[8:]
		return v
	}
	chain = next()
	m = newMachine(int(next()), int(next()))
	for i := range m.keys {
		m.keys[i] = register{next(), next()}
	}
	for i := range m.sessions {
		m.sessions[i] = session{next(), next(), next()}
	}
	return m, chain
}
