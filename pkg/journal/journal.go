// Package journal keeps an append-only record of runs that change a host: what a
// run meant to do, which of its steps it began and ended, and whether the whole was
// found good. It is what undoing reads, and what repairs a host after a run was
// killed. A record is on disk before the method that wrote it returns; a last
// record that was torn by a crash is recognised by its checksum and passed over.
//
// The package has no lock of its own: whoever appends holds the host's lock
// (package lockfile) from before Open.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

const (
	// maxRecord bounds one line, maxFile what Open reads.
	maxRecord = 16 << 20
	maxFile   = 1 << 30
)

// Journal is an opened journal file. It is not for several goroutines at once.
type Journal struct {
	path string
	now  func() time.Time
	keep limits

	runs []*Run
	// lines are the whole records, in the file's order.
	lines []line
	// size is what the whole records take; a torn tail begins there.
	size int64
	// read is the file as it was read, nil when there was none.
	read fs.FileInfo
	// file is open once something was appended.
	file *os.File
	// broken is the error after which nothing more may be appended.
	broken error
}

type line struct {
	run *Run
	raw []byte
}

// limits bound what compaction keeps.
type limits struct {
	runs  int
	bytes int64
}

// DamagedError is of a journal that holds a line nobody wrote so. Its last line
// alone may be torn.
type DamagedError struct {
	Path string
	// Line counts from 1.
	Line int
	Err  error
}

// Error names file and line.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("journal %s is damaged: line %d: %v", e.Path, e.Line, e.Err)
}

// Unwrap gives what is wrong with the line.
func (e *DamagedError) Unwrap() error { return e.Err }

// ErrChanged is of a journal that another process wrote to since it was opened.
var ErrChanged = errors.New("was changed by another process since it was opened")

// Open reads the journal at path; where there is no file it is empty. Nothing is
// opened for writing before the first Begin. now is the clock of the records.
func Open(path string, now func() time.Time) (*Journal, error) {
	j := &Journal{path: path, now: now, keep: limits{runs: 100, bytes: 16 << 20}}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	data, err := j.readAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading the journal %s: %w", path, err)
	}
	if err := j.parse(data); err != nil {
		return nil, err
	}
	return j, nil
}

func (j *Journal) readAll(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, atomicfile.ErrNotRegular
	case info.Size() > maxFile:
		return nil, fmt.Errorf("holds %d bytes, more than %d", info.Size(), maxFile)
	}
	j.read = info
	// No more than what Stat saw: what is being appended now is not ours to read.
	return io.ReadAll(io.NewSectionReader(f, 0, info.Size()))
}

// parse takes the whole records of data, and leaves a torn tail.
func (j *Journal) parse(data []byte) error {
	for number := 1; len(data) > 0; number++ {
		raw, rest, whole := bytes.Cut(data, []byte("\n"))
		rec, err := decode(raw)
		if (!whole || errors.Is(err, errChecksum)) && len(rest) == 0 && torn(raw) {
			return nil
		}
		if err == nil {
			err = j.check(rec)
		}
		if !whole && err == nil {
			err = errors.New("has no line feed")
		}
		if err != nil {
			return &DamagedError{Path: j.path, Line: number, Err: err}
		}
		j.apply(rec, data[:len(raw)+1])
		data = rest
	}
	return nil
}

// torn says whether the bytes at the file's end can be what a crash left of a
// record: its beginning, or zeros where a block was not written. Anything else is
// not ours to cut off.
func torn(tail []byte) bool {
	for i := range min(len(tail), len(lineStart)) {
		if tail[i] != lineStart[i] && tail[i] != 0 {
			return false
		}
	}
	return true
}

func (j *Journal) check(rec record) error {
	run := j.find(rec.Run)
	if rec.Kind == kindBegun && run == nil {
		return checkID(rec.Run, j.Last())
	}
	return run.check(rec)
}

// apply adds a checked record, and the bytes that are on disk for it.
func (j *Journal) apply(rec record, raw []byte) {
	run := j.find(rec.Run)
	if run == nil {
		run = &Run{
			ID: rec.Run, Args: rec.Args, Plan: rec.Plan, Begun: rec.Time, Status: Unfinished, journal: j,
		}
		j.runs = append(j.runs, run)
	}
	run.apply(rec)
	j.lines = append(j.lines, line{run: run, raw: raw})
	j.size += int64(len(raw))
}

func (j *Journal) find(id string) *Run {
	i, ok := slices.BinarySearchFunc(j.runs, id, func(r *Run, id string) int { return strings.Compare(r.ID, id) })
	if !ok {
		return nil
	}
	return j.runs[i]
}

// Runs are all runs that the journal still has, the oldest first.
func (j *Journal) Runs() []*Run { return slices.Clone(j.runs) }

// Last is the run that began last, nil when there was none.
func (j *Journal) Last() *Run {
	if len(j.runs) == 0 {
		return nil
	}
	return j.runs[len(j.runs)-1]
}

// Unfinished are the runs that neither committed nor were aborted, the oldest
// first: they were killed, or are the caller's own.
func (j *Journal) Unfinished() []*Run {
	var left []*Run
	for _, r := range j.runs {
		if r.Status == Unfinished {
			left = append(left, r)
		}
	}
	return left
}

// Begin records that a run begins. args is the command line without secrets, plan
// any JSON. The first Begin creates the file, with mode 0600 in a folder that must
// exist, and cuts a torn tail off. When it has grown long the oldest runs that are
// not unfinished are dropped from it.
func (j *Journal) Begin(args []string, plan json.RawMessage) (*Run, error) {
	if err := j.compact(); err != nil {
		return nil, err
	}
	now := j.now().UTC()
	id, err := nextID(now, j.Last())
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", j.path, err)
	}
	if err := j.append(record{Run: id, Kind: kindBegun, Time: now, Args: slices.Clone(args), Plan: plan}); err != nil {
		return nil, err
	}
	return j.Last(), nil
}

// Close closes the file, if anything was appended.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	f := j.file
	j.file = nil
	j.broken = fs.ErrClosed
	return f.Close()
}

// folder is where the journal lies.
func (j *Journal) folder() string { return filepath.Dir(j.path) }
