package fsck

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// repositories looks at all of them, some at a time.
func (c *Checker) repositories(ctx context.Context) error {
	names := make(chan string)
	var wg sync.WaitGroup
	for range max(c.o.Workers, 1) {
		wg.Go(func() {
			for name := range names {
				if ctx.Err() == nil {
					c.repository(ctx, name)
				}
			}
		})
	}
	for name, trouble := range c.store.Repositories() {
		switch {
		case ctx.Err() != nil:
		case trouble == nil:
			c.report.Repositories++
			names <- name
		case errors.Is(trouble, layout.ErrStray):
			c.strange(c.within(trouble.Path), stray, true)
		default:
			c.problem(trouble)
		}
	}
	close(names)
	wg.Wait()
	return context.Cause(ctx)
}

// within is a problem's path, relative to the store's folder.
func (c *Checker) within(name string) string {
	return strings.TrimPrefix(name, c.store.Problem(".", nil).Path+"/")
}

func (c *Checker) repository(ctx context.Context, name string) {
	c.tags(ctx, name)
	c.links(ctx, layout.RevisionsDir(name), func(d digest.Digest) { c.manifest(name, d) })
	c.links(ctx, layout.LayersDir(name), func(digest.Digest) {})
	c.uploads(ctx, name)
}

func (c *Checker) uploads(ctx context.Context, repository string) {
	dir := layout.UploadsDir(repository)
	for id := range c.folders(dir, true, stray) {
		if ctx.Err() != nil {
			return
		}
		c.add(func() *Finding { return c.judgeUpload(repository, id) })
	}
}

// judgeUpload judges one upload.
func (c *Checker) judgeUpload(repository, id string) *Finding {
	folder := path.Join(layout.UploadsDir(repository), id)
	upload, trouble := c.store.Upload(repository, id)
	last := upload.Started
	if upload.Modified.After(last) {
		last = upload.Modified
	}
	age := c.o.Now().Sub(last)
	switch there, err := c.store.Exists(folder); {
	case err != nil || !there:
		return nil
	case trouble != nil:
		if age < time.Hour {
			return nil // it may be just beginning
		}
		return c.find(uploadNoStart, folder, trouble.Error())
	case age <= Stale:
		return nil
	}
	return c.find(uploadStale, folder, fmt.Sprintf("begun %s, %d bytes", upload.Started.UTC().Format(time.RFC3339), upload.Bytes))
}
