package authlog

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// MaxLine is the longest line, in bytes, that a Lines gives whole. Of a longer
// one it gives the first MaxLine bytes and passes the rest.
const MaxLine = 64 << 10

// bufSize keeps the working set inside a core's cache while reads stay large.
const bufSize = 128 << 10

// Lines reads the lines of a stream, or those that start inside a range of it.
// Memory is one buffer, however long a line is.
type Lines struct {
	r        io.Reader // nil: the buffer is mapped
	mapped   *mapping
	buf      []byte
	pos, end int
	stop     int64 // place in buf from which no further line may start, perhaps far behind its end
	eof      bool
	err      error
	skip     bool // the rest of an over-long line is to be passed

	// Long counts the lines that were cut.
	Long int64
	// Read counts the bytes of the lines given so far, line feeds included.
	Read int64
}

// NewLines reads all the lines of r.
func NewLines(r io.Reader) *Lines {
	return &Lines{r: r, buf: make([]byte, bufSize), stop: math.MaxInt64}
}

// NewRange reads those lines of a file of size bytes whose first byte lies in
// [from, to).
func NewRange(r io.ReaderAt, from, to, size int64) *Lines {
	start := max(from-1, 0)
	l := &Lines{
		r: io.NewSectionReader(r, start, size-start), stop: to - start,
		// A buffer that exceeds the rest of the file is never full.
		buf: make([]byte, min(bufSize, size-start+1)),
	}
	l.first(from)
	return l
}

// first passes the end of the line before a range that begins at from.
func (l *Lines) first(from int64) {
	if from > 0 {
		l.next()
		l.Read, l.Long = 0, 0
	}
}

// Next gives the next line without its line feed; false at the end or after a
// read error (see Err). The line is valid until the next call.
func (l *Lines) Next() ([]byte, bool) {
	if int64(l.pos) < l.stop {
		rest := l.buf[l.pos:l.end]
		if i := bytes.IndexByte(rest, '\n'); uint(i) <= MaxLine { // which -1 is not
			l.pos += i + 1
			l.Read += int64(i) + 1
			return rest[:i], true
		}
		return l.next()
	}
	return nil, false
}

// next gives the next line, or what there is of it, also at the end of the buffer and
// behind the end of the range.
func (l *Lines) next() ([]byte, bool) {
	for {
		i := bytes.IndexByte(l.buf[l.pos:l.end], '\n')
		switch {
		case i >= 0:
			line := l.buf[l.pos : l.pos+i]
			l.consume(i + 1)
			if l.skip {
				l.skip = false
				if int64(l.pos) >= l.stop {
					return nil, false
				}
				continue
			}
			return l.cut(line), true
		case l.eof:
			return l.last()
		case l.r == nil:
			l.slide()
			continue
		case l.pos == 0 && l.end == len(l.buf):
			return l.overlong()
		}
		l.fill()
	}
}

func (l *Lines) consume(n int) {
	l.pos += n
	l.Read += int64(n)
}

func (l *Lines) cut(line []byte) []byte {
	if len(line) > MaxLine {
		l.Long++
		return line[:MaxLine]
	}
	return line
}

// last gives what stands behind the last line feed.
func (l *Lines) last() ([]byte, bool) {
	line := l.buf[l.pos:l.end]
	if len(line) == 0 || l.skip {
		l.consume(len(line))
		return nil, false
	}
	l.consume(len(line))
	return l.cut(line), true
}

// overlong handles a line that fills the whole buffer: its beginning is given
// once, the rest passed.
func (l *Lines) overlong() ([]byte, bool) {
	l.consume(l.end)
	if l.skip {
		// Still inside the same line: nothing new has started.
		l.stop = max(l.stop-int64(l.end), min(l.stop, 1))
		l.pos, l.end = 0, 0
		return l.next()
	}
	l.skip = true
	l.Long++
	line := l.buf[:MaxLine]
	l.pos, l.end = len(l.buf), len(l.buf)
	return line, true
}

func (l *Lines) fill() {
	if l.pos > 0 {
		copy(l.buf, l.buf[l.pos:l.end])
		l.end -= l.pos
		l.stop -= int64(l.pos)
		l.pos = 0
	}
	for range 100 {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		if err != nil {
			l.eof = true
			if !errors.Is(err, io.EOF) {
				l.err = err
			}
			return
		}
		if n > 0 {
			return
		}
	}
	l.eof, l.err = true, io.ErrNoProgress
}

// Err gives the error that ended the reading, nil at the end of the stream.
func (l *Lines) Err() error { return l.err }
