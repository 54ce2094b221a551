package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

// append writes one record and waits until it is on disk. What a failed write left
// is cut off again; as nobody knows what the disk holds after a failed fsync(2),
// the journal takes nothing more after an error.
func (j *Journal) append(rec record) error {
	if err := j.check(rec); err != nil {
		return fmt.Errorf("writing the journal %s: %w", j.path, err)
	}
	raw, err := encode(rec)
	if err == nil && (len(raw) > maxRecord || j.size+int64(len(raw)) > maxFile) {
		err = fmt.Errorf("a record of %d bytes after %d is too long", len(raw), j.size)
	}
	if err == nil {
		err = j.openForWriting()
	}
	if err != nil {
		return fmt.Errorf("writing the journal %s: %w", j.path, err)
	}
	if _, err = j.file.WriteAt(raw, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = cause(err)
		return fmt.Errorf("writing the journal %s: %w", j.path, errors.Join(j.broken, cause(j.file.Truncate(j.size))))
	}
	// What is kept is what a reader would get, not what the caller may change.
	if rec, err = decode(raw[:len(raw)-1]); err != nil {
		return fmt.Errorf("writing the journal %s: %w", j.path, err)
	}
	j.apply(rec, raw)
	return nil
}

// openForWriting opens the file once, makes its name last, and cuts a torn tail off.
func (j *Journal) openForWriting() (err error) {
	switch {
	case j.broken != nil:
		return j.broken
	case j.file != nil:
		return nil
	}
	f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return cause(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return cause(err)
	}
	if !j.unchanged(info) {
		return ErrChanged
	}
	if info.Size() > j.size {
		if err := f.Truncate(j.size); err != nil {
			return cause(err)
		}
	}
	if err := syncFolder(j.folder()); err != nil {
		return err
	}
	j.file = f
	return nil
}

// unchanged says whether the file is the one that was read, at the length it had.
func (j *Journal) unchanged(info fs.FileInfo) bool {
	if j.read == nil {
		return info.Mode().IsRegular() && info.Size() == 0
	}
	return os.SameFile(info, j.read) && info.Size() == j.read.Size()
}

// compact writes the file anew without its oldest runs, once it holds twice what is
// to be kept. Unfinished runs and the last one always stay.
func (j *Journal) compact() error {
	if len(j.runs) <= 2*j.keep.runs && j.size <= 2*j.keep.bytes {
		return nil
	}
	// Nothing may have been appended by others meanwhile: it would be lost.
	if err := j.openForWriting(); err != nil {
		return fmt.Errorf("compacting the journal %s: %w", j.path, err)
	}
	kept := &Journal{path: j.path, now: j.now, keep: j.keep}
	stay := j.staying()
	var data []byte
	for _, l := range j.lines {
		if stay[l.run] {
			data = append(data, l.raw...)
		}
	}
	if err := kept.parse(data); err != nil {
		return err
	}
	if err := atomicfile.Write(j.path, data, 0o600); err != nil {
		return fmt.Errorf("compacting the journal: %w", err)
	}
	return j.adopt(kept)
}

// staying are the runs that compaction keeps: the newest within both limits.
func (j *Journal) staying() map[*Run]bool {
	bytes := make(map[*Run]int64, len(j.runs))
	for _, l := range j.lines {
		bytes[l.run] += int64(len(l.raw))
	}
	stay := make(map[*Run]bool, j.keep.runs)
	var total int64
	for n := range j.runs {
		r := j.runs[len(j.runs)-1-n]
		total += bytes[r]
		stay[r] = n == 0 || r.Status == Unfinished || n < j.keep.runs && total <= j.keep.bytes
	}
	return stay
}

// adopt goes on with the file that compaction wrote. Runs that callers hold stay
// the same values.
func (j *Journal) adopt(kept *Journal) error {
	old := j.file
	j.file = nil
	info, err := os.Lstat(j.path)
	if err := errors.Join(err, old.Close()); err != nil {
		j.broken = err
		return fmt.Errorf("compacting the journal: %w", err)
	}
	for i, r := range kept.runs {
		kept.runs[i] = j.find(r.ID)
	}
	for i, l := range kept.lines {
		kept.lines[i].run = j.find(l.run.ID)
	}
	j.runs, j.lines, j.size, j.read = kept.runs, kept.lines, kept.size, info
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// cause is an error without the path that the caller's message names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
