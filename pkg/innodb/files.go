package innodb

import (
	"errors"
	"io"
)

// Part is a file of a tablespace that has several: ibdata1, ibdata2.
type Part struct {
	Reader io.ReaderAt
	Size   int64
}

// Join reads the files of a tablespace as one, in their order (innodb_data_file_path). Each is a whole number of pages.
func Join(parts ...Part) (r io.ReaderAt, size int64) {
	for _, p := range parts {
		size += p.Size
	}
	return joined(parts), size
}

type joined []Part

// ReadAt reads across the ends of files.
func (j joined) ReadAt(b []byte, at int64) (n int, err error) {
	for _, p := range j {
		if at >= p.Size {
			at -= p.Size
			continue
		}
		want := b[n:]
		if left := p.Size - at; int64(len(want)) > left {
			want = want[:left]
		}
		got, err := p.Reader.ReadAt(want, at)
		n += got
		if got < len(want) || n == len(b) {
			if got == len(want) && errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		at = 0
	}
	return n, io.EOF
}
