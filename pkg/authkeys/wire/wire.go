// Package wire reads and writes the fields that SSH's binary formats are made of (RFC 4251 section 5),
// with OpenSSH's limits (sshbuf-getput-basic.c).
package wire

import (
	"bytes"
	"encoding/binary"
)

// maxNumber is the longest number that OpenSSH reads, in bytes (SSHBUF_MAX_BIGNUM).
const maxNumber = 16384 / 8

// Reader takes fields from the front of Rest. The first field that is not there, or is not as it must
// be, sets Bad; all fields after it are zero, so that callers check once. What it returns shares Rest's
// memory.
type Reader struct {
	Rest []byte
	Bad  bool
}

func (r *Reader) take(n int) []byte {
	if r.Bad || n < 0 || n > len(r.Rest) {
		r.Bad, r.Rest = true, nil
		return nil
	}
	field := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return field
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint32 reads four bytes, the most significant first.
func (r *Reader) Uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads eight bytes, the most significant first.
func (r *Reader) Uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Bytes reads a string: its length in four bytes, and its bytes.
func (r *Reader) Bytes() []byte {
	n := r.Uint32()
	if uint64(n) > uint64(len(r.Rest)) {
		r.Bad, r.Rest = true, nil
		return nil
	}
	return r.take(int(n))
}

// Text is sshbuf_get_cstring(): a NUL may only stand at the end, and is not part of the text.
func (r *Reader) Text() string {
	b := r.Bytes()
	b = bytes.TrimSuffix(b, []byte{0})
	if bytes.IndexByte(b, 0) >= 0 {
		r.Bad = true
		return ""
	}
	return string(b)
}

// Number is sshbuf_get_bignum2(): not negative, of limited length, without its leading zeros.
func (r *Reader) Number() []byte {
	b := r.Bytes()
	if len(b) > 0 && b[0]&0x80 != 0 || len(b) > maxNumber+1 || len(b) == maxNumber+1 && b[0] != 0 {
		r.Bad = true
		return nil
	}
	return bytes.TrimLeft(b, "\x00")
}

// Writer appends fields in the wire format.
type Writer []byte

// Bytes appends a string with its length.
func (w *Writer) Bytes(b []byte) {
	*w = binary.BigEndian.AppendUint32(*w, uint32(len(b)))
	*w = append(*w, b...)
}

// Text appends a text with its length.
func (w *Writer) Text(s string) { w.Bytes([]byte(s)) }

// Number appends a number that is not negative, given without leading zeros.
func (w *Writer) Number(b []byte) {
	if len(b) > 0 && b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	w.Bytes(b)
}
