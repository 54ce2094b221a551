package fsck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// state is what the store has of a blob.
type state int

const (
	there state = iota
	missing
	damaged
	unread // it cannot be told
)

// state says what the store has of a blob.
func (c *Checker) state(d digest.Digest) state {
	_, trouble := c.store.Blob(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case trouble == nil && c.unsound[d]:
		return damaged
	case trouble == nil:
		return there
	case errors.Is(trouble, fs.ErrNotExist):
		return missing
	}
	return unread
}

// without says what is wrong with a blob that something names, "" when nothing is.
func (c *Checker) without(d digest.Digest) string {
	switch c.state(d) {
	case missing:
		return "the store does not have"
	case damaged:
		return "is damaged"
	}
	return ""
}

// links looks at a repository's links of one kind, and calls sound with those that lead somewhere.
func (c *Checker) links(ctx context.Context, base string, sound func(digest.Digest)) {
	for algorithm := range c.folders(base, true, stray) {
		dir := path.Join(base, algorithm)
		for digits := range c.folders(dir, true, stray) {
			if ctx.Err() != nil {
				return
			}
			folder := path.Join(dir, digits)
			d, err := digest.FromHex(algorithm, digits)
			if err != nil {
				c.strange(folder, stray, true)
				continue
			}
			judge := func() *Finding { return c.judgeLink(folder, d) }
			f := judge()
			c.note(f, judge)
			if f == nil {
				if linked, err := c.store.Exists(path.Join(folder, "link")); linked && err == nil {
					sound(d)
				}
			}
		}
	}
}

// judgeLink judges the link in a folder that spells d. A folder without one is what a deletion leaves.
func (c *Checker) judgeLink(folder string, d digest.Digest) *Finding {
	name := path.Join(folder, "link")
	target, err := c.store.LinkFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, layout.ErrEmpty):
		return c.rewrite(c.find(linkEmpty, name, fmt.Sprintf("the link to %v is empty", d)), d)
	case notDigest(err):
		return c.rewrite(c.find(linkMalformed, name, fmt.Sprintf("the link to %v: %v", d, err)), d)
	case err != nil:
		c.cannot(name, err)
		return nil
	case target.Algorithm() != d.Algorithm():
		// The registry links a blob that was pushed by its sha512 under that name too, and names the sha256
		// (registry/storage/linkedblobstore.go, linkBlob): whether both are of the same content is not looked at.
	case target != d:
		return c.find(linkForeign, folder, fmt.Sprintf("the link holds %v", target))
	}
	switch without := c.without(target); {
	case without == "":
		return nil
	case c.away.Contains(target):
		return c.find(linkQuarantine, folder, fmt.Sprintf("it names %v, which lies in quarantine", target))
	default:
		return c.find(linkDangling, folder, fmt.Sprintf("it names %v, which %s", target, without))
	}
}

// notDigest reports whether a link was read, and holds none.
func notDigest(err error) bool {
	return digest.Malformed(err) || errors.Is(err, layout.ErrTooLarge)
}

// rewrite has a finding written anew where the name of its folder says what, and that blob is there and sound.
func (c *Checker) rewrite(f *Finding, d digest.Digest) *Finding {
	f.name = path.Dir(f.name) // the folder goes, unless
	if c.whole(d) {
		f.Repair, f.name, f.text = Rewrite, path.Join(f.name, "link"), d.String()
	}
	return f
}

// whole reports whether a blob is there, and reads it unless that was done.
func (c *Checker) whole(d digest.Digest) bool {
	if c.state(d) != there {
		return false
	}
	if !c.o.Quick {
		return true
	}
	return c.judgeBlob(context.Background(), d, nil, nil) == nil && c.state(d) == there
}

// tags looks at a repository's tags.
func (c *Checker) tags(ctx context.Context, repository string) {
	dir := layout.TagsDir(repository)
	for name := range c.folders(dir, true, stray) {
		if ctx.Err() != nil {
			return
		}
		c.add(func() *Finding { return c.judgeTag(repository, path.Join(dir, name)) })
	}
	c.add(func() *Finding {
		manifests, err := c.store.Exists(path.Dir(dir))
		if err != nil || !manifests {
			return nil
		}
		if tags, err := c.store.Exists(dir); err != nil || tags {
			return nil
		}
		f := c.find(tagsMissing, dir, "the folder is not there")
		f.Repair = Create
		return f
	})
}

// judgeTag judges the tag of a folder.
func (c *Checker) judgeTag(repository, folder string) *Finding {
	name := path.Join(folder, "current/link")
	target, err := c.store.LinkFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if still, err := c.store.Exists(folder); err != nil || !still {
			return nil
		}
		return c.find(tagUnset, folder, "it names no manifest")
	case errors.Is(err, layout.ErrEmpty):
		return c.find(linkEmpty, folder, "the tag's link is empty: what it named cannot be told")
	case notDigest(err):
		return c.find(linkMalformed, folder, fmt.Sprintf("the tag's link: %v", err))
	case err != nil:
		c.cannot(name, err)
		return nil
	}
	switch without := c.without(target); {
	case without != "" && c.away.Contains(target):
		return c.find(linkQuarantine, folder, fmt.Sprintf("it names %v, which lies in quarantine", target))
	case without != "":
		return c.find(tagDangling, folder, fmt.Sprintf("it names %v, which %s", target, without))
	}
	if linked, trouble := c.linked(repository, target); !linked && trouble == nil {
		return c.find(tagUnlinked, folder, fmt.Sprintf("it names %v, which the repository does not link", target))
	}
	return c.orphan(repository, folder, target)
}

// linked reports whether a repository has a manifest; the registry also finds those that are linked as layers.
func (c *Checker) linked(repository string, d digest.Digest) (bool, *layout.Problem) {
	if linked, trouble := c.store.HasRevision(repository, d); linked || trouble != nil {
		return linked, trouble
	}
	return c.store.HasLayer(repository, d)
}
