package remote

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// repository is what a view has read of one.
type repository struct {
	name                    string
	tagsOnce, manifestsOnce sync.Once
	tags                    []tag
	order                   []digest.Digest // the manifests that there are, as they were found

	mu sync.Mutex
	// manifests wait for their reader, who is the only one.
	manifests map[digest.Digest]read
	absent    map[digest.Digest]bool // children that the repository lacks
}

type tag struct {
	layout.Tag
	trouble *layout.Problem
}

// read is a manifest, or why there is none.
type read struct {
	data    []byte
	trouble *layout.Problem
}

// take is the manifest that waits, if one does.
func (p *repository) take(d digest.Digest) ([]byte, *layout.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.manifests[d]
	delete(p.manifests, d)
	return found.data, found.trouble
}

// readTags lists the tags and asks what each names.
func (p *repository) readTags(v *View) {
	for name, err := range v.r.tagNames(v.ctx, p.name) {
		switch {
		case err == nil:
			p.tags = append(p.tags, tag{Tag: layout.Tag{Name: name}})
		case !notThere(err):
			p.tags = append(p.tags, tag{trouble: v.problem(p.name, err)})
		}
	}
	parallel(v.ctx, p.tags, func(t *tag) {
		if t.trouble != nil {
			return
		}
		var err error
		if t.Digest, err = v.r.head(v.ctx, p.name, t.Name, mark.ManifestLimit); err != nil {
			t.trouble = v.problem(p.name+":"+t.Name, err)
		}
	})
}

// found is a manifest that something leads to.
type found struct {
	digest digest.Digest
	child  bool // an index leads to it
	read
	more []found
}

// readManifests reads all manifests that the tags lead to, a generation at a time.
func (p *repository) readManifests(v *View) {
	p.tagsOnce.Do(func() { p.readTags(v) })
	p.manifests, p.absent = map[digest.Digest]read{}, map[digest.Digest]bool{}
	seen := map[digest.Digest]bool{}
	add := func(generation, some []found) []found {
		for _, f := range some {
			if !seen[f.digest] {
				seen[f.digest] = true
				generation = append(generation, f)
			}
		}
		return generation
	}
	var generation []found
	for _, t := range p.tags {
		if t.trouble == nil {
			generation = add(generation, []found{{digest: t.Digest}})
		}
	}
	for len(generation) > 0 && v.ctx.Err() == nil {
		parallel(v.ctx, generation, func(f *found) { p.readManifest(v, f) })
		var next []found
		for _, f := range generation {
			if f.data == nil && f.trouble == nil {
				p.absent[f.digest] = true
				continue
			}
			p.manifests[f.digest] = f.read
			p.order = append(p.order, f.digest)
			next = add(next, f.more)
		}
		generation = next
	}
}

// readManifest reads one, and finds what it leads to. A child that is not there has neither data nor trouble.
func (p *repository) readManifest(v *View, f *found) {
	m, err := v.r.get(v.ctx, p.name, f.digest.String(), mark.ManifestLimit)
	if err != nil {
		if !f.child || !notThere(err) {
			f.trouble = v.problem(at(p.name, f.digest), err)
		}
		return
	}
	f.data = m.data
	v.learn(f.digest, content{p.name, int64(len(m.data)), true})
	f.more = p.descend(v, m.data)
	list, err := v.r.referrersOf(v.ctx, p.name, f.digest, mark.ManifestLimit)
	if err == nil && list != nil {
		f.more = append(f.more, p.descend(v, list)...)
	}
}

// descend takes down the sizes that a manifest says and returns the manifests that it lists. What is wrong with it the
// reader of the graph will say.
func (p *repository) descend(v *View, data []byte) (more []found) {
	parsed, err := mark.Parse(data)
	if err != nil {
		return nil
	}
	for _, child := range parsed.Children {
		if child.Manifest {
			more = append(more, found{digest: child.Digest, child: true})
		}
	}
	sizes := sizesIn(data)
	for _, d := range parsed.Blobs {
		size, said := sizes[d.String()]
		if !said {
			size = -1
		}
		v.learn(d, content{p.name, size, false})
	}
	return more
}

// sizesIn are the sizes in bytes that the descriptors of a manifest say. A layer that is fetched from elsewhere is none of
// the registry's, so its size says nothing.
func sizesIn(data []byte) map[string]int64 {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      *int64 `json:"size"`
	}
	var m struct {
		Config    descriptor   `json:"config"`
		Layers    []descriptor `json:"layers"`
		Blobs     []descriptor `json:"blobs"`
		Manifests []descriptor `json:"manifests"`
	}
	sizes := map[string]int64{}
	if json.Unmarshal(data, &m) != nil {
		return sizes
	}
	for _, all := range [][]descriptor{{m.Config}, m.Layers, m.Blobs, m.Manifests} {
		for _, d := range all {
			elsewhere := strings.Contains(d.MediaType, "foreign") || strings.Contains(d.MediaType, "nondistributable")
			if d.Size != nil && *d.Size >= 0 && !elsewhere {
				sizes[d.Digest] = *d.Size
			}
		}
	}
	return sizes
}

// parallel works on all items, some at a time, until the context ends.
func parallel[T any](ctx context.Context, items []T, work func(*T)) {
	next := make(chan *T)
	var wg sync.WaitGroup
	for range min(perRepository, len(items)) {
		wg.Go(func() {
			for item := range next {
				work(item)
			}
		})
	}
	defer wg.Wait()
	defer close(next)
	for i := range items {
		select {
		case next <- &items[i]:
		case <-ctx.Done():
			return
		}
	}
}
