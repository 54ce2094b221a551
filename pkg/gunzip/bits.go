package gunzip

import (
	"errors"
	"io"
)

// bitReader gives the bits of a stream, the lowest of a byte first. word holds at least
// count bits; above those it may hold some more of the byte at pos.
type bitReader struct {
	r        io.Reader
	in       []byte
	pos, end int
	word     uint64
	count    uint
	eof      bool
	err      error // what ended the input, if not its end
}

// unread gives back the whole bytes that are in word.
func (b *bitReader) unread() {
	b.pos -= int(b.count >> 3)
	b.count &= 7
	b.word &= 1<<b.count - 1
}

// align passes the rest of a byte.
func (b *bitReader) align() {
	b.word >>= b.count & 7
	b.count &^= 7
}

// more reads on.
func (b *bitReader) more() {
	b.unread()
	b.end = copy(b.in, b.in[b.pos:b.end])
	b.pos = 0
	for range 100 {
		n, err := b.r.Read(b.in[b.end:])
		b.end += n
		if err != nil {
			b.eof = true
			if !errors.Is(err, io.EOF) {
				b.err = err
			}
			return
		}
		if n > 0 {
			return
		}
	}
	b.eof, b.err = true, io.ErrNoProgress
}

// feed adds a byte to word.
func (b *bitReader) feed() error {
	for b.pos == b.end {
		if b.eof {
			return b.cut()
		}
		b.more()
	}
	b.word |= uint64(b.in[b.pos]) << b.count
	b.pos++
	b.count += 8
	return nil
}

// take gives the next n bits, 32 at most.
func (b *bitReader) take(n uint) (uint64, error) {
	for b.count < n {
		if err := b.feed(); err != nil {
			return 0, err
		}
	}
	v := b.word & (1<<n - 1)
	b.pass(n)
	return v, nil
}

func (b *bitReader) pass(n uint) {
	b.word >>= n
	b.count -= n
}

// code reads a code, without its extra bits. The input may end right behind it.
func (b *bitReader) code(t *table) (entry, error) {
	for {
		e := t.find(b.word)
		if n := e.code(); n > 0 && n <= b.count && e&isFurther == 0 {
			b.pass(n)
			return e, nil
		}
		if b.count >= maxCode {
			return 0, ErrCorrupt
		}
		if err := b.feed(); err != nil {
			return 0, err
		}
	}
}

// extra reads what follows a code.
func (b *bitReader) extra(e entry) (int, error) {
	n, err := b.take(e.taken() - e.code())
	return e.value() + int(n), err
}

// cut gives the error of an input that ends too early.
func (b *bitReader) cut() error {
	if b.err != nil {
		return b.err
	}
	return io.ErrUnexpectedEOF
}
