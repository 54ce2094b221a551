package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/opsctl/opsctl/pkg/progress"
)

// defaultMaxBytes bounds an archive: Prometheus', the largest, takes 120 MB.
const defaultMaxBytes = 1 << 30

// Archive is a Source of one file that the user has, whatever the asset's name.
type Archive struct {
	// Path is the file.
	Path string
	// SHA256 is what the user says its sum is; when it is "" the asset's decides.
	SHA256 string
	// Progress may be nil. It counts bytes.
	Progress progress.Reporter
}

// Get implements Source. The file is copied while it is verified: what is unpacked
// later are the bytes that had the sum, whoever may write to the original.
func (a *Archive) Get(ctx context.Context, asset Asset, dir string) (File, error) {
	if err := asset.check(); err != nil {
		return File{}, err
	}
	want, err := wanted(a.Path, asset.SHA256, a.SHA256)
	if err != nil {
		return File{}, err
	}
	in, size, err := openRegular(a.Path, defaultMaxBytes)
	if err != nil {
		return File{}, err
	}
	rep := progress.OrNop(a.Progress)
	rep.Start(size)
	defer rep.Done()
	f, err := copyVerified(ctx, progress.Reader(in, rep), want, a.Path, dir, asset.File)
	return f, errors.Join(err, in.Close())
}

// openRegular opens a file, no pipe and no device, that is not larger than limit.
func openRegular(path string, limit int64) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the archive: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("reading %s: it is not a regular file", path)
	case info.Size() > limit:
		err = fmt.Errorf("reading %s: %w: %d bytes, more than %d", path, ErrTooLarge, info.Size(), limit)
	default:
		return f, info.Size(), nil
	}
	return nil, 0, errors.Join(err, f.Close())
}

// copyVerified lands the content of r in dir as name.
func copyVerified(ctx context.Context, r io.Reader, want, origin, dir, name string) (f File, err error) {
	l, err := land(dir, name)
	if err != nil {
		return File{}, err
	}
	defer func() {
		if err = l.finish(err, false); err != nil {
			f = File{}
		}
	}()
	if f, ok, err := l.take(want); ok || err != nil {
		return f, err
	}
	if err := l.begin(false); err != nil {
		return File{}, err
	}
	if _, err := io.Copy(l, &contextReader{ctx: ctx, r: io.LimitReader(r, defaultMaxBytes+1)}); err != nil {
		return File{}, fmt.Errorf("copying %s: %w", origin, err)
	}
	if l.size > defaultMaxBytes {
		return File{}, fmt.Errorf("reading %s: %w: more than %d bytes", origin, ErrTooLarge, defaultMaxBytes)
	}
	if err := l.verify(want, origin); err != nil {
		return File{}, err
	}
	return l.commit(want, origin)
}

// contextReader ends with the context's error once that is over.
type contextReader struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call.
	r   io.Reader
}

// Read implements io.Reader.
func (c *contextReader) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
