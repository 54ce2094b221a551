package sshaudit

import (
	"context"
	"errors"
	"io"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// readAhead reads a stream in its own goroutine, so that decompression and the
// scan use two cores.
type readAhead struct {
	full, free chan []byte
	rest       []byte
	buf        []byte
	err        error
	cancelled  <-chan struct{}
}

func newReadAhead(cancelled <-chan struct{}, r io.Reader) *readAhead {
	const buffers, size = 4, 512 << 10
	a := &readAhead{full: make(chan []byte, buffers), free: make(chan []byte, buffers), cancelled: cancelled}
	for range buffers {
		a.free <- make([]byte, size)
	}
	go a.fill(r)
	return a
}

func (a *readAhead) fill(r io.Reader) {
	defer close(a.full)
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.cancelled:
			return
		}
		n, err := io.ReadFull(r, buf[:cap(buf)])
		if n > 0 {
			a.full <- buf[:n]
		}
		if err != nil {
			a.err = err // seen by the reader after full is closed
			return
		}
	}
}

// Read implements io.Reader. After a cancellation it gives context.Canceled.
func (a *readAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.buf != nil {
			a.free <- a.buf
			a.buf = nil
		}
		select {
		case buf, ok := <-a.full:
			if !ok {
				return 0, a.end()
			}
			a.buf, a.rest = buf, buf
		case <-a.cancelled:
			return 0, context.Canceled
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// end is the error at the end of the stream; fill's ReadFull words a short last
// buffer as unexpected.
func (a *readAhead) end() error {
	if a.err == nil || errors.Is(a.err, io.ErrUnexpectedEOF) && !errors.Is(a.err, authlog.ErrCompressed) {
		return io.EOF
	}
	return a.err
}

// wait passes what was not read, until the goroutine has ended: the stream is not
// used after this.
func (a *readAhead) wait() {
	for buf := range a.full {
		a.free <- buf
	}
}
