package pubkey

import (
	"bytes"
	"encoding/binary"
)

// maxBignum is the longest number that OpenSSH reads, in bytes (SSHBUF_MAX_BIGNUM).
const maxBignum = 16384 / 8

// reader takes fields from the front of data. The first field that is not there sets bad; all
// fields after it are zero, so that callers check once.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.data) {
		r.bad, r.data = true, nil
		return nil
	}
	field := r.data[:n:n]
	r.data = r.data[n:]
	return field
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) bytes() []byte {
	n := r.uint32()
	if uint64(n) > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	return r.take(int(n))
}

// text is sshbuf_get_cstring(): a NUL may only stand at the end, and is not part of the text.
func (r *reader) text() string {
	b := r.bytes()
	b = bytes.TrimSuffix(b, []byte{0})
	if bytes.IndexByte(b, 0) >= 0 {
		r.bad = true
		return ""
	}
	return string(b)
}

// number is sshbuf_get_bignum2(): not negative, of limited length, without its leading zeros.
func (r *reader) number() []byte {
	b := r.bytes()
	if len(b) > 0 && b[0]&0x80 != 0 || len(b) > maxBignum+1 || len(b) == maxBignum+1 && b[0] != 0 {
		r.bad = true
		return nil
	}
	return bytes.TrimLeft(b, "\x00")
}

// writer appends fields in the wire format.
type writer []byte

func (w *writer) bytes(b []byte) {
	*w = binary.BigEndian.AppendUint32(*w, uint32(len(b))) //nolint:gosec // fields of a key that was read
	*w = append(*w, b...)
}

func (w *writer) text(s string) { w.bytes([]byte(s)) }

func (w *writer) number(b []byte) {
	if len(b) > 0 && b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	w.bytes(b)
}
