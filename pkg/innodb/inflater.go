package innodb

import (
	"bytes"
	"compress/zlib"
	"io"
)

// inflater unpacks one zlib stream after the other with the same memory, of which a stream needs 40 KiB.
type inflater struct {
	in   bytes.Reader
	z    io.ReadCloser
	text bytes.Buffer
}

// keptText is how large a buffer may be that waits for the next document.
const keptText = 1 << 20

// open begins a stream. It is read until the next call; what is behind it stays unread in x.in.
func (x *inflater) open(b []byte) (io.Reader, error) {
	x.in.Reset(b)
	if z, ok := x.z.(zlib.Resetter); ok {
		return x.z, z.Reset(&x.in, nil)
	}
	z, err := zlib.NewReader(&x.in)
	if err != nil {
		return nil, err
	}
	x.z = z
	return z, nil
}

// document unpacks at most limit bytes, which are good until the next call. Memory grows with what is there, not with what is
// promised.
func (x *inflater) document(b []byte, limit uint32) ([]byte, error) {
	z, err := x.open(b)
	if err != nil {
		return nil, err
	}
	if x.text.Cap() > keptText {
		x.text = bytes.Buffer{}
	}
	x.text.Reset()
	_, err = x.text.ReadFrom(io.LimitReader(z, int64(limit)))
	return x.text.Bytes(), err
}

// length is how far a stream goes, and how many bytes come out of it.
func (x *inflater) length(b []byte) (n, inflated int, ok bool) {
	z, err := x.open(b)
	if err != nil {
		return 0, 0, false
	}
	out, err := io.Copy(io.Discard, io.LimitReader(z, 1<<17))
	return len(b) - x.in.Len(), int(out), err == nil
}
