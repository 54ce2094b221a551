package fsck

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"sync"

	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// errIrregular is of something that is neither a file nor a folder.
var errIrregular = errors.New("neither a folder nor a regular file")

// chunk is how much of a blob is read at a time.
const chunk = 256 << 10

// blobs lists the blobs, and then reads each against its name.
func (c *Checker) blobs(ctx context.Context) error {
	var total int64
	err := c.list(ctx, func(b layout.Blob) error {
		c.report.Blobs++
		total += b.Bytes
		if b.Bytes == 0 {
			c.add(func() *Finding { return c.judgeBlob(context.WithoutCancel(ctx), b.Digest, nil, nil) })
		}
		return nil
	}, true)
	if err != nil || c.o.Quick {
		return err
	}
	rep := c.reporter("reading blobs")
	rep.Start(total)
	defer rep.Done()
	todo := make(chan layout.Blob)
	var wg sync.WaitGroup
	for range max(c.o.Workers, 1) {
		wg.Go(func() {
			buffer := make([]byte, chunk)
			for b := range todo {
				if ctx.Err() == nil {
					c.hash(ctx, b, buffer, rep)
				}
			}
		})
	}
	err = c.list(ctx, func(b layout.Blob) error {
		todo <- b
		return nil
	}, false)
	close(todo)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// hash judges one blob; it counts the first time alone.
func (c *Checker) hash(ctx context.Context, b layout.Blob, buffer []byte, rep progress.Reporter) {
	if b.Bytes == 0 {
		return // judged when it was listed
	}
	f := c.judgeBlob(ctx, b.Digest, buffer, rep)
	c.mu.Lock()
	c.report.Bytes += b.Bytes
	c.mu.Unlock()
	c.note(f, func() *Finding { return c.judgeBlob(context.WithoutCancel(ctx), b.Digest, nil, nil) })
}

// judgeBlob reads a blob against its name, through a buffer unless that is nil. One that has gone is nothing.
func (c *Checker) judgeBlob(ctx context.Context, d digest.Digest, buffer []byte, rep progress.Reporter) *Finding {
	shard, name := layout.BlobDir(d)
	folder := path.Join(shard, name)
	got, n, err := c.sum(ctx, d, buffer, rep)
	switch {
	case errors.Is(err, fs.ErrNotExist), err != nil && ctx.Err() != nil:
		return nil
	case err != nil:
		c.cannot(path.Join(folder, "data"), err)
		return nil
	case got == d.Hex():
		c.mark(d, false)
		return nil
	}
	c.mark(d, true)
	message := fmt.Sprintf("its %d bytes have %s %s", n, d.Algorithm(), got)
	if n == 0 {
		message = "it is empty"
	}
	return c.find(blobDigest, folder, message)
}

func (c *Checker) mark(d digest.Digest, unsound bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.unsound, d)
	if unsound {
		c.unsound[d] = true
	}
}

// sum is the hash of a blob's content in hexadecimal digits.
func (c *Checker) sum(ctx context.Context, d digest.Digest, buffer []byte, rep progress.Reporter) (digits string, bytes int64, err error) {
	content, err := c.store.Content(d)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = content.Close() }()
	h := sha256.New()
	if d.Algorithm() == "sha512" {
		h = sha512.New()
	}
	bytes, err = io.CopyBuffer(h, progress.Reader(&stopping{ctx, content}, rep), buffer)
	return hex.EncodeToString(h.Sum(nil)), bytes, err
}

// stopping ends reading with its context.
type stopping struct {
	ctx  context.Context //nolint:containedctx // a reader has no other way to learn of it
	from io.Reader
}

func (s *stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.from.Read(p)
}

// list calls visit with each blob. The first time what is none is a finding.
func (c *Checker) list(ctx context.Context, visit func(layout.Blob) error, first bool) error {
	for algorithm, shard := range c.shards(first) {
		for digits := range c.folders(shard, first, blobsStray) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			d, err := digest.FromHex(algorithm, digits)
			if err != nil || digits[:2] != path.Base(shard) {
				c.strange(path.Join(shard, digits), blobsStray, first)
				continue
			}
			if err := c.blob(d, visit, first); err != nil {
				return err
			}
		}
	}
	return nil
}

// shards yields the folders that hold blobs, each with its algorithm.
func (c *Checker) shards(note bool) iter.Seq2[string, string] {
	return func(yield func(algorithm, shard string) bool) {
		for algorithm := range c.folders(layout.BlobsDir, note, blobsStray) {
			dir := path.Join(layout.BlobsDir, algorithm)
			if algorithm != "sha256" && algorithm != "sha512" {
				c.strange(dir, blobsStray, note)
				continue
			}
			for prefix := range c.folders(dir, note, blobsStray) {
				shard := path.Join(dir, prefix)
				if raw, err := hex.DecodeString(prefix); err != nil || len(raw) != 1 {
					c.strange(shard, blobsStray, note)
					continue
				}
				if !yield(algorithm, shard) {
					return
				}
			}
		}
	}
}

func (c *Checker) blob(d digest.Digest, visit func(layout.Blob) error, first bool) error {
	b, trouble := c.store.Blob(d)
	if trouble == nil {
		return visit(b)
	}
	if !first {
		return nil
	}
	if !errors.Is(trouble, fs.ErrNotExist) {
		c.problem(trouble)
		return nil
	}
	c.add(func() *Finding {
		shard, name := layout.BlobDir(d)
		folder := path.Join(shard, name)
		if there, err := c.store.Exists(folder); err != nil || !there {
			return nil
		}
		if there, err := c.store.Exists(path.Join(folder, "data")); err != nil || there {
			return nil
		}
		return c.find(blobNoData, folder, "its folder holds no data")
	})
	return nil
}

// folders yields the folders of a folder. When told to, it notes what else is there: files are findings of a rule.
func (c *Checker) folders(dir string, note bool, id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for entry, trouble := range c.store.Entries(dir) {
			switch {
			case trouble != nil:
				if note {
					c.problem(trouble)
				}
			case entry.IsDir():
				if !yield(entry.Name()) {
					return
				}
			case !note:
			case entry.Type().IsRegular():
				c.strange(path.Join(dir, entry.Name()), id, true)
			default:
				c.cannot(path.Join(dir, entry.Name()), errIrregular)
			}
		}
	}
}

// strange is something that no registry wrote.
func (c *Checker) strange(name, id string, note bool) {
	if !note {
		return
	}
	c.add(func() *Finding {
		if there, err := c.store.Exists(name); err != nil || !there {
			return nil
		}
		return c.find(id, name, "no registry writes this")
	})
}
