package sweep

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// blobs puts the blobs away that nothing has needed for the grace, and notes since when the others have been dead. What a client
// was told meanwhile to be there comes back before anything is synced, which can take seconds: nobody is to find it missing so long.
func (r *run) blobs(ctx context.Context) (err error) {
	if r.report.Incomplete { // what could not be read may need any of them
		return nil
	}
	if err := r.disk(); err != nil {
		return err
	}
	ages, err := r.openAges()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ages.close(err == nil)) }()
	b := &batch{run: r, ages: ages}
	rep := r.reporter("looking at blobs")
	rep.Start(-1)
	defer rep.Done()
	for d, trouble := range r.c.store.Digests() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rep.Add(1)
		if trouble != nil {
			if !errors.Is(trouble, layout.ErrStray) {
				r.report.Problems = append(r.report.Problems, trouble)
			}
			continue
		}
		if err := b.blob(d); err != nil {
			return err
		}
	}
	if err := errors.Join(b.flush(), r.disk()); err != nil || r.set == nil {
		return err
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	return r.c.yard.Sync()
}

// batch is the dead blobs of one shard.
type batch struct {
	run   *run
	ages  *ages
	shard string
	names []string
	sizes map[string]int64
}

func (b *batch) blob(d digest.Digest) error {
	r := b.run
	if r.needed.Contains(d) {
		r.report.Kept.Blobs++
		if r.report.Untagged != nil && !r.tagged.Contains(d) {
			found, _ := r.c.store.Blob(d)
			r.report.Untagged.Blobs++
			r.report.Untagged.Bytes += found.Bytes
		}
		return nil
	}
	found, _ := r.c.store.Blob(d) // one without data has no bytes, and goes as well
	since := b.ages.of(d)
	if since.IsZero() || since.After(r.now) || r.fresh.Contains(d) {
		since = r.now
	}
	switch {
	case r.now.Sub(since) < r.c.o.Grace:
		add(&r.report.Waiting, found.Bytes)
		if until := since.Add(r.c.o.Grace); r.report.WaitingUntil == nil || until.After(*r.report.WaitingUntil) {
			r.report.WaitingUntil = &until
		}
		return b.ages.put(d, since)
	case r.cached(d, since):
		add(&r.report.Cached, found.Bytes)
		return b.ages.put(d, since)
	}
	shard, name := layout.BlobDir(d)
	if shard != b.shard {
		if err := b.flush(); err != nil {
			return err
		}
		b.shard, b.sizes = shard, map[string]int64{}
	}
	b.names = append(b.names, name)
	b.sizes[name] = found.Bytes
	return nil
}

func add(a *Amount, bytes int64) {
	a.Blobs++
	a.Bytes += bytes
}

// cached reports whether a running registry would take the blob for stored although it is away: a manifest that it has seen,
// which it does not look for again (distribution 2.8, blobstore.go, Put).
func (r *run) cached(d digest.Digest, since time.Time) bool {
	running := r.c.o.Running
	if running == nil || !running.Manifests || since.Before(running.Started) {
		return false
	}
	data, trouble := r.c.store.Manifest("", d, mark.ManifestLimit)
	if trouble != nil {
		return false
	}
	_, err := mark.Parse(data)
	return err == nil
}

// flush puts the shard's blobs away, or counts them.
func (b *batch) flush() error {
	names := b.names
	b.names = nil
	count := func(name string) { add(&b.run.report.Quarantined, b.sizes[name]) }
	if len(names) == 0 {
		return nil
	}
	if b.run.set != nil {
		return b.run.set.Take(b.shard, names, count)
	}
	for _, name := range names {
		count(name)
	}
	return nil
}

// ages is the file of dead blobs: a line each, "sha256:<hex> <milliseconds>", in the order of their digests, so that it is read
// and written beside the store's own listing. A blob that has lived in between is not in it.
type ages struct {
	old     *bufio.Scanner
	file    io.Closer
	current digest.Digest
	since   time.Time

	path string
	out  *os.File // nil in a plan
	w    *bufio.Writer
}

func (r *run) openAges() (*ages, error) {
	a := &ages{path: r.c.ages()}
	f, err := os.Open(a.path)
	switch {
	case err == nil:
		a.file, a.old = f, bufio.NewScanner(f)
		a.next()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading when blobs died: %w", err)
	}
	if r.set == nil {
		return a, nil
	}
	// One name, under the lock: a run that is killed leaves no more than one.
	if a.out, err = os.OpenFile(a.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("noting when blobs died: %w", err), a.close(false))
	}
	a.w = bufio.NewWriterSize(a.out, 1<<16)
	return a, nil
}

// next reads a line; one that is not as it should be ends the list, which makes blobs younger and never older.
func (a *ages) next() {
	a.current = digest.Digest{}
	if !a.old.Scan() {
		return
	}
	name, stamp, _ := strings.Cut(a.old.Text(), " ")
	d, err := digest.Parse(name)
	ms, bad := strconv.ParseInt(stamp, 10, 64)
	if err == nil && bad == nil {
		a.current, a.since = d, time.UnixMilli(ms)
	}
}

// of is since when a blob has been dead, zero when that is new. The digests come in their order.
func (a *ages) of(d digest.Digest) time.Time {
	for !a.current.IsZero() && digest.Compare(a.current, d) < 0 {
		a.next()
	}
	if a.current == d {
		return a.since
	}
	return time.Time{}
}

func (a *ages) put(d digest.Digest, since time.Time) error {
	if a.w == nil {
		return nil
	}
	_, err := fmt.Fprintf(a.w, "%v %d\n", d, since.UnixMilli())
	return err
}

// close ends reading, and gives the new list its name when it is whole.
func (a *ages) close(whole bool) error {
	var errs []error
	if a.file != nil {
		errs = append(errs, a.file.Close())
	}
	if a.out == nil {
		return errors.Join(errs...)
	}
	errs = append(errs, a.w.Flush(), a.out.Sync(), a.out.Close())
	err := errors.Join(errs...)
	if !whole || err != nil {
		return errors.Join(err, os.Remove(a.out.Name()))
	}
	return atomicfile.Rename(a.out.Name(), a.path)
}
