package fsck

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// descriptor is what a manifest says of a blob (image-spec, descriptor.md).
type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      *int64   `json:"size"`
	URLs      []string `json:"urls"`
}

type document struct {
	Config    *descriptor  `json:"config"`
	Layers    []descriptor `json:"layers"`
	Blobs     []descriptor `json:"blobs"`
	Manifests []descriptor `json:"manifests"`
}

// manifest looks at a manifest that a repository links.
func (c *Checker) manifest(repository string, d digest.Digest) {
	if c.state(d) != there {
		return // its link tells of that
	}
	data, trouble := c.store.Manifest(repository, d, mark.ManifestLimit)
	if trouble != nil {
		c.problem(trouble)
		return
	}
	folder := path.Join(layout.RevisionsDir(repository), d.Algorithm(), d.Hex())
	m, err := mark.Parse(data)
	if err != nil {
		c.add(func() *Finding { return c.find(manifestBad, folder, err.Error()) })
		return
	}
	first := c.first(d)
	var doc document
	if json.Unmarshal(data, &doc) != nil || m.Kind == mark.KindSchema1 {
		// Of schema 1, and of what gives its fields other types, the digests are known alone.
		for _, blob := range m.Blobs {
			c.needs(repository, folder, descriptor{Digest: blob.String()}, first)
		}
		return
	}
	if doc.Config != nil {
		c.needs(repository, folder, *doc.Config, first)
	}
	for _, layer := range append(doc.Layers, doc.Blobs...) {
		c.needs(repository, folder, layer, first)
	}
	if first {
		for _, child := range doc.Manifests {
			c.lists(folder, child)
		}
	}
}

// first reports whether a manifest is seen for the first time: what it says of sizes is the same in all repositories.
func (c *Checker) first(d digest.Digest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.Contains(d) {
		return false
	}
	c.read.Add(d)
	return true
}

// needs judges a layer or configuration.
func (c *Checker) needs(repository, folder string, need descriptor, first bool) {
	d, err := digest.Parse(need.Digest)
	if err != nil || elsewhere(need) {
		return
	}
	c.add(func() *Finding {
		at := d // by what it is kept
		if kept, trouble := c.store.Alias(repository, d); !kept.IsZero() && trouble == nil {
			at = kept
		}
		if without := c.without(at); without != "" {
			if c.away.Contains(at) {
				return c.find(linkQuarantine, folder, fmt.Sprintf("the manifest needs %v, which lies in quarantine", d))
			}
			return c.find(layerMissing, folder, fmt.Sprintf("the manifest needs %v, which %s", d, without))
		}
		if linked, trouble := c.store.HasLayer(repository, d); !linked && trouble == nil {
			return c.find(layerUnlinked, folder, fmt.Sprintf("the manifest needs %v, which the repository does not link", d))
		}
		if !first {
			return nil
		}
		return c.size(folder, at, need.Size)
	})
}

// elsewhere reports whether a layer is one that registries need not have (image-spec, layer.md).
func elsewhere(d descriptor) bool {
	return len(d.URLs) > 0 || strings.Contains(d.MediaType, "foreign") || strings.Contains(d.MediaType, "nondistributable")
}

// lists judges an entry of an index.
func (c *Checker) lists(folder string, child descriptor) {
	d, err := digest.Parse(child.Digest)
	if err != nil {
		return
	}
	c.add(func() *Finding {
		if without := c.without(d); without != "" {
			return c.find(childMissing, folder, fmt.Sprintf("the index lists %v, which %s", d, without))
		}
		return c.size(folder, d, child.Size)
	})
}

func (c *Checker) size(folder string, d digest.Digest, said *int64) *Finding {
	blob, trouble := c.store.Blob(d)
	if trouble != nil || said == nil || *said == blob.Bytes {
		return nil
	}
	return c.find(sizeMismatch, folder, fmt.Sprintf("it gives %v %d bytes, which has %d", d, *said, blob.Bytes))
}

// orphan judges a tag that may be a fallback for the referrers API.
func (c *Checker) orphan(repository, folder string, target digest.Digest) *Finding {
	subject, err := digest.Parse(strings.Replace(path.Base(folder), "-", ":", 1))
	if err != nil {
		return nil
	}
	data, trouble := c.store.Manifest(repository, target, mark.ManifestLimit)
	if trouble != nil {
		return nil
	}
	if m, err := mark.Parse(data); err != nil || m.Kind != mark.KindIndex {
		return nil
	}
	if linked, trouble := c.linked(repository, subject); linked || trouble != nil {
		return nil
	}
	return c.find(fallbackOrphan, folder, fmt.Sprintf("%v is gone", subject))
}
