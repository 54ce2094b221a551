package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"syscall"
	"time"
	"unique"
)

// LineError is a line that was left out.
type LineError struct {
	Path string
	Line int
	Err  error
}

// Error names the place.
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *LineError) Unwrap() error { return e.Err }

// ErrTorn is of a last line without an end: a run was killed while it wrote, or writes now.
var ErrTorn = errors.New("the last line was not written whole")

// maxProblems bounds the lines that are named, of a file that is no history.
const maxProblems = 20

// Read reads the file and those that were moved aside before it, oldest first. Records come by time; problems are the lines
// that were left out, as *LineError, the first 20 of a file. A file that is not there, and has none moved aside, is
// fs.ErrNotExist.
func Read(path string) (records []Record, problems []error, err error) {
	found := false
	for n := Kept; n >= 0; n-- {
		more, bad, err := readFile(rotated(path, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		found = true
		records, problems = append(records, more...), append(problems, bad...)
	}
	if !found {
		return nil, nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	sort.SliceStable(records, func(i, j int) bool { return records[i].At.Compare(records[j].At) < 0 })
	return records, problems, nil
}

func readFile(path string) ([]Record, []error, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, nil, errors.Join(err, fmt.Errorf("%s is not a regular file", path))
	}
	return parse(f, path)
}

// parse reads lines. Of a line that is too long no more than maxLine bytes are held.
func parse(r io.Reader, path string) (records []Record, problems []error, err error) {
	reader := bufio.NewReaderSize(r, 64<<10)
	bad := 0
	problem := func(line int, err error) {
		if bad++; bad <= maxProblems {
			problems = append(problems, &LineError{Path: path, Line: line, Err: err})
		}
	}
	for number := 1; ; number++ {
		line, whole, err := readLine(reader)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, fmt.Errorf("reading %s: %w", path, err)
		}
		ended := errors.Is(err, io.EOF)
		switch {
		case len(bytes.TrimSpace(line)) == 0:
		case ended:
			problem(number, ErrTorn)
		case !whole:
			problem(number, fmt.Errorf("it is longer than %d bytes", maxLine))
		default:
			record, err := decode(line)
			if err != nil {
				problem(number, err)
			} else {
				records = append(records, *record)
			}
		}
		if ended {
			break
		}
	}
	if bad > maxProblems {
		problems = append(problems, fmt.Errorf("%s: %d lines more are no records", path, bad-maxProblems))
	}
	return records, problems, nil
}

// readLine returns a line without its end, whole unless it was longer than maxLine; io.EOF comes with a last line that has no
// end, "" where there is none.
func readLine(r *bufio.Reader) (line []byte, whole bool, err error) {
	whole = true
	for {
		piece, err := r.ReadSlice('\n')
		if len(line)+len(piece) > maxLine {
			whole = false
			line = line[:min(len(line), 64)]
		}
		if whole {
			line = append(line, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(line, []byte("\n")), whole, err
		}
	}
}

// decode reads a record and checks what is computed with.
func decode(line []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("it is no record: %w", err)
	}
	switch {
	case r.Version != version:
		return nil, fmt.Errorf("it is of version %d, not %d", r.Version, version)
	case r.At.Before(time.Unix(0, 0)) || r.At.Year() > 9999:
		return nil, errors.New("its time is out of range")
	}
	if len(r.Tables) > MaxTables {
		return nil, fmt.Errorf("it holds more than %d tables", MaxTables)
	}
	negative := func(sizes []Size) bool {
		return slices.ContainsFunc(sizes, func(s Size) bool { return s.Bytes < 0 || s.Free != nil && *s.Free < 0 })
	}
	if negative(r.Tables) || negative(r.Schemas) ||
		slices.ContainsFunc(r.Mounts, func(m Mount) bool { return m.Size < 0 || m.Used < 0 || m.Free < 0 }) {
		return nil, errors.New("a size in it is negative")
	}
	intern(r.Tables)
	intern(r.Schemas)
	return &r, nil
}

// intern has equal names share their bytes: a history holds each a thousand times.
func intern(sizes []Size) {
	for i := range sizes {
		s := &sizes[i]
		s.Schema, s.Table = unique.Make(s.Schema).Value(), unique.Make(s.Table).Value()
	}
}
