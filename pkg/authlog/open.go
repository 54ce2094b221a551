package authlog

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/opsctl/opsctl/pkg/gunzip"
)

// maxWindow bounds the memory that a compressed log may ask for: zstd's and
// xz's windows come from the file.
const maxWindow = 128 << 20

// Compression names how a stream is packed.
type Compression string

// The compressions, told by a file's first bytes, never by its name.
const (
	Plain Compression = ""
	Gzip  Compression = "gzip"
	XZ    Compression = "xz"
	Zstd  Compression = "zstd"
	Bzip2 Compression = "bzip2"
)

// ErrCompressed wraps what a decompressor says of a damaged or cut file. The
// lines before the damage have been read.
var ErrCompressed = errors.New("damaged compressed file")

// Detect tells a stream's compression from its first bytes, at least six where
// there are so many.
func Detect(head []byte) Compression {
	for _, m := range []struct {
		magic string
		kind  Compression
	}{
		{"\x1f\x8b", Gzip},
		{"\xfd7zXZ\x00", XZ},
		{"\x28\xb5\x2f\xfd", Zstd},
		{"BZh", Bzip2},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	return Plain
}

// Decompress wraps r by what its first bytes say. The reader must be closed;
// closing it does not close r.
func Decompress(r io.Reader) (io.ReadCloser, Compression, error) {
	br := bufio.NewReaderSize(r, 256<<10)
	head, err := br.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, Plain, err
	}
	kind := Detect(head)
	rc, err := decompressor(br, kind)
	if err != nil {
		return nil, kind, fmt.Errorf("%w: %s: %w", ErrCompressed, kind, err)
	}
	if kind != Plain {
		rc = &damaged{ReadCloser: rc, kind: kind}
	}
	return rc, kind, nil
}

func decompressor(r *bufio.Reader, kind Compression) (io.ReadCloser, error) {
	switch kind {
	case Gzip:
		return gunzip.NewReader(r)
	case XZ:
		if err := checkXZ(r); err != nil {
			return nil, err
		}
		zr, err := xz.NewReader(r)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(zr), nil
	case Zstd:
		zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return zr.IOReadCloser(), nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	default:
		return io.NopCloser(r), nil
	}
}

// checkXZ refuses a first block that asks for more memory than maxWindow. The
// filter flags stand at the end of the block header: LZMA2's ID (0x21), its size (1)
// and the dictionary size (the .xz file format, sections 3.1 and 5.3.1).
func checkXZ(r *bufio.Reader) error {
	head, _ := r.Peek(12 + 64)
	if len(head) < 14 {
		return nil // too short: the decompressor says so
	}
	block := head[12:]
	block = block[:min(len(block), 4*(int(block[0])+1))]
	i := bytes.Index(block[1:], []byte{0x21, 1})
	if i < 0 || i+3 >= len(block) {
		return nil
	}
	size := block[i+3] & 0x3f
	if size > 30 { // 2 << (30/2+11) is 128 MiB
		return fmt.Errorf("the dictionary is over %d MiB", maxWindow>>20)
	}
	return nil
}

// damaged marks a decompressor's errors.
type damaged struct {
	io.ReadCloser
	kind Compression
}

func (d *damaged) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %s: %w", ErrCompressed, d.kind, err)
	}
	return n, err
}
