package digest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sort"

	"golang.org/x/sys/unix"
)

// page is the number of bytes of a run for which its first record stays in memory.
const page = 4096

// mostRuns is how many sorted files there are before they become one.
const mostRuns = 8

// runs are sorted files of records of one width, which may hold the same record.
type runs struct {
	dir   string
	files []*run
}

// run is a sorted file without a name.
type run struct {
	f     *os.File
	size  int64
	first []byte // the first record of each page
}

// add writes sorted records to a new file.
func (r *runs) add(records []byte, width int) error {
	w, err := r.create()
	if err != nil {
		return err
	}
	for record := range slices.Chunk(records, width) {
		w.write(record)
	}
	return r.finish(w, width)
}

// merge makes one file of all.
func (r *runs) merge(width int) error {
	if len(r.files) < 2 {
		return nil
	}
	w, err := r.create()
	if err != nil {
		return err
	}
	for record, err := range r.sorted(nil, width) {
		if err != nil {
			return errors.Join(err, w.to.f.Close())
		}
		w.write(record)
	}
	former := r.files
	r.files = nil
	if err := r.finish(w, width); err != nil {
		r.files = former
		return err
	}
	for _, f := range former {
		err = errors.Join(err, f.f.Close())
	}
	return err
}

func (r *runs) finish(w *runWriter, width int) error {
	if err := w.buffer.Flush(); err != nil {
		return fmt.Errorf("moving digests to disk: %w", errors.Join(err, w.to.f.Close()))
	}
	r.files = append(r.files, w.to)
	if len(r.files) >= mostRuns {
		return r.merge(width)
	}
	return nil
}

// contains looks a record up in each file: one read of a page.
func (r *runs) contains(record []byte) (bool, error) {
	for _, f := range r.files {
		ok, err := f.contains(record)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (f *run) contains(record []byte) (bool, error) {
	width := len(record)
	// The first page that begins above the record; the one before may hold it.
	n := sort.Search(len(f.first)/width, func(i int) bool { return bytes.Compare(f.first[i*width:(i+1)*width], record) > 0 }) - 1
	if n < 0 {
		return false, nil
	}
	at := int64(n) * page
	var room [page]byte
	buffer := room[:min(page, f.size-at)]
	if _, err := f.f.ReadAt(buffer, at); err != nil {
		return false, fmt.Errorf("reading digests from disk: %w", err)
	}
	_, ok := sort.Find(len(buffer)/width, func(i int) int { return bytes.Compare(record, buffer[i*width:(i+1)*width]) })
	return ok, nil
}

// sorted yields the records of all files and those in memory, each once. A record is valid until the next. An error is the
// last that it yields.
func (r *runs) sorted(memory []byte, width int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		sources := []*source{{from: bufio.NewReader(bytes.NewReader(memory)), record: make([]byte, width)}}
		for _, f := range r.files {
			from := bufio.NewReaderSize(io.NewSectionReader(f.f, 0, f.size), 16*page)
			sources = append(sources, &source{from: from, record: make([]byte, width)})
		}
		for _, s := range sources {
			s.next()
		}
		last := make([]byte, 0, width)
		for {
			s := least(sources)
			switch {
			case s == nil:
				return
			case s.err != nil:
				yield(nil, fmt.Errorf("reading digests from disk: %w", s.err))
				return
			case !bytes.Equal(last, s.record):
				last = append(last[:0], s.record...)
				if !yield(last, nil) {
					return
				}
			}
			s.next()
		}
	}
}

// source is a place that records are read from in order.
type source struct {
	from   *bufio.Reader
	record []byte
	ended  bool
	err    error
}

func (s *source) next() {
	_, s.err = io.ReadFull(s.from, s.record)
	if errors.Is(s.err, io.EOF) {
		s.ended, s.err = true, nil
	}
}

// least is the source with the least record, or with an error; nil when all have ended.
func least(sources []*source) (s *source) {
	for _, other := range sources {
		switch {
		case other.err != nil:
			return other
		case !other.ended && (s == nil || bytes.Compare(other.record, s.record) < 0):
			s = other
		}
	}
	return s
}

// runWriter writes a run, its index beside it. The buffer keeps the first error.
type runWriter struct {
	to     *run
	buffer *bufio.Writer
}

func (r *runs) create() (*runWriter, error) {
	f, err := unnamed(r.dir)
	if err != nil {
		return nil, fmt.Errorf("moving digests to disk: %w", err)
	}
	return &runWriter{&run{f: f}, bufio.NewWriterSize(f, 16*page)}, nil
}

func (w *runWriter) write(record []byte) {
	if w.to.size%page == 0 {
		w.to.first = append(w.to.first, record...)
	}
	_, _ = w.buffer.Write(record) // Flush gives the error
	w.to.size += int64(len(record))
}

func (r *runs) close() (err error) {
	for _, f := range r.files {
		err = errors.Join(err, f.f.Close())
	}
	r.files = nil
	return err
}

// unnamed opens a new file that goes with its last descriptor: O_TMPFILE of open(2), or, where the file system has no such
// thing, a file whose name is taken from it at once.
func unnamed(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	f, err := os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE, 0o600)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	f, err = os.CreateTemp(dir, "digests-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
