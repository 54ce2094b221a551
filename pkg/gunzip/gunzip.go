// Package gunzip unpacks gzip streams (RFC 1952, RFC 1951) of text that repeats itself,
// as logs do. It is here since unpacking was most of the work of reading packed logs, and no
// library does it fast enough: codes are read from a word of bits, lengths and distances in one
// look, and matches are copied by words.
// Bytes from outside make errors, never panics; memory is fixed, about 200 KiB.
package gunzip

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// The errors of a damaged stream. One that was cut ends with io.ErrUnexpectedEOF.
var (
	ErrHeader   = errors.New("gzip: invalid header")
	ErrChecksum = errors.New("gzip: invalid checksum")
	ErrCorrupt  = errors.New("gzip: corrupt data")
)

const (
	inSize  = 64 << 10
	history = 32 << 10 // how far back a match may reach
	chunk   = 64 << 10 // with the tables and the reader's buffer less than a core's cache
	// slack is what is written behind the limit of the output at most: a match of
	// 258 bytes, copied by words.
	slack = 258 + 32
)

// Reader gives what the members of a gzip stream hold, one after the other.
type Reader struct {
	bits   bitReader
	step   func(*Reader) error
	block  block
	last   bool // the block is the member's last
	stored int  // bytes that are left of a stored block

	out         []byte // history, and what follows it
	given, made int    // places in out: what Read gave, what there is
	summed      int    // ... what the checksum knows
	past        int    // bytes of this member, history at most
	crc, size   uint32
	err         error
}

// NewReader reads the header of the first member. It may read more of r than the stream.
func NewReader(r io.Reader) (*Reader, error) {
	z := &Reader{out: make([]byte, history+chunk+slack), bits: bitReader{r: r, in: make([]byte, inSize)}}
	if err := z.header(); err != nil {
		return nil, err
	}
	return z, nil
}

// Read gives what was unpacked before an error, too, before it gives the error.
func (z *Reader) Read(p []byte) (int, error) {
	for z.given == z.made {
		if z.err != nil {
			return 0, z.err
		}
		z.fill()
	}
	n := copy(p, z.out[z.given:z.made])
	z.given += n
	return n, nil
}

// Close implements io.Closer. There is nothing to close.
func (*Reader) Close() error { return nil }

// fill unpacks until the output is full, or the member ends.
func (z *Reader) fill() {
	if z.made >= history+chunk {
		copy(z.out, z.out[z.made-history:z.made])
		z.made, z.given, z.summed = history, history, history
	}
	for z.made < history+chunk && z.err == nil {
		z.err = z.step(z)
	}
	z.sum()
}

// sum adds to the checksum what it does not know yet.
func (z *Reader) sum() {
	fresh := z.out[z.summed:z.made]
	z.crc = crc32.Update(z.crc, crc32.IEEETable, fresh)
	z.size += uint32(len(fresh))
	z.past = min(z.past+len(fresh), history)
	z.summed = z.made
}

// reach is how far back a match may reach from what has been made.
func (z *Reader) reach() int { return z.past + z.made - z.summed }

// The flags of a header (RFC 1952, section 2.3.1).
const (
	hasSum = 1 << (iota + 1)
	hasExtra
	hasName
	hasComment
	reserved = 0xe0
)

// header reads a member's header. Without a byte of it there is none: io.EOF.
func (z *Reader) header() error {
	h := headerReader{b: &z.bits}
	var b [10]byte
	if n := h.bytes(b[:]); n < len(b) {
		return h.end(n)
	}
	flags := b[3]
	if b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 || flags&reserved != 0 {
		return ErrHeader
	}
	if flags&hasExtra != 0 {
		h.bytes(b[:2])
		for range binary.LittleEndian.Uint16(b[:]) {
			h.bytes(b[:1])
		}
	}
	for _, text := range []byte{hasName, hasComment} {
		if flags&text == 0 {
			continue
		}
		for b[0] = 1; b[0] != 0 && h.err == nil; {
			h.bytes(b[:1])
		}
	}
	want := uint16(h.crc)
	if flags&hasSum != 0 && h.bytes(b[:2]) == 2 && binary.LittleEndian.Uint16(b[:]) != want {
		return ErrHeader
	}
	z.crc, z.size, z.past, z.summed = 0, 0, 0, z.made
	z.step, z.last = (*Reader).begin, false
	return h.end(1)
}

// headerReader sums what it reads.
type headerReader struct {
	b   *bitReader
	crc uint32
	err error
}

// bytes fills p, or gives how many bytes there were.
func (h *headerReader) bytes(p []byte) (n int) {
	for ; n < len(p) && h.err == nil; n++ {
		var c uint64
		if c, h.err = h.b.take(8); h.err != nil {
			break
		}
		p[n] = byte(c)
	}
	h.crc = crc32.Update(h.crc, crc32.IEEETable, p[:n])
	return n
}

// end gives the error of a header of which n bytes were read: at its first one the
// stream may end.
func (h *headerReader) end(n int) error {
	if n == 0 && errors.Is(h.err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return h.err
}

// trailer compares a member's checksum and size, and reads the next one's header.
func (z *Reader) trailer() error {
	z.sum()
	z.bits.align()
	crc, err := z.bits.take(32)
	if err != nil {
		return err
	}
	size, err := z.bits.take(32)
	if err != nil {
		return err
	}
	if crc != uint64(z.crc) || size != uint64(z.size) {
		return ErrChecksum
	}
	return z.header()
}
