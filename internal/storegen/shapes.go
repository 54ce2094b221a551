package storegen

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// single is one repository with many tags: a base that all share, a layer of each one's own, and images that lost their tag.
func (g *generator) single() {
	r := g.repository("team/app")
	for i := range g.o.Tags {
		r.release(1)
		if i%2 == 1 {
			p := r.image(1, nil)
			g.keep(Untagged, p.blobs...)
		}
	}
}

// many is repositories that were pushed to in turns.
func (g *generator) many() {
	var all []*repository
	for i := range g.o.Repositories {
		r := g.repository(name(i))
		r.release(1)
		if i%7 == 0 {
			r.upload()
		}
		all = append(all, r)
	}
	g.repository("only/uploads").upload()
	for i := 0; i < len(all)-1; i += 10 {
		g.crossed(all[i], all[i+1])
	}
	for i := 0; len(g.truth.Blobs) < g.o.Blobs && g.err == nil; i++ {
		all[i%len(all)].push()
	}
	for _, r := range all {
		g.keep(Tagged, r.latest.blobs...)
	}
}

// push does one of what people do to a repository.
func (r *repository) push() {
	g := r.g
	switch n := g.rng.IntN(100); {
	case n < 40:
		r.release(1 + g.rng.IntN(3))
	case n < 60:
		r.moveLatest()
	case n < 75:
		r.multi()
	case n < 83:
		r.sign(r.release(1), Tagged, true)
	case n < 87:
		r.sign(r.release(1), Tagged, false)
	case n < 92:
		r.remove(r.image(2, nil))
	case n < 95:
		gone := r.image(1, nil)
		r.sign(gone, Untagged, true)
		r.remove(gone)
	case n < 98:
		r.put(g.layer(150).data)
	default:
		// What a collection by the registry itself leaves: a link to a layer that is gone.
		r.linkLayer(digest.Of(g.layer(50).data))
	}
}

// crossed pushes one index to two repositories and deletes its children in the first: the second still has all.
func (g *generator) crossed(a, b *repository) {
	index, children := a.multi()
	g.truth.Broken = append(g.truth.Broken, fmt.Sprintf("%s:v%d", a.name, a.tags))
	for _, child := range children {
		for _, d := range child.blobs[1:] {
			b.linkLayer(d)
		}
		g.link(b.folder("_manifests/revisions", child.digest.Algorithm(), child.digest.Hex()), child.digest)
		g.truth.Counts.Manifests++
		a.remove(child)
	}
	g.link(b.folder("_manifests/revisions", index.digest.Algorithm(), index.digest.Hex()), index.digest)
	g.truth.Counts.Manifests++
	b.tag(b.version(), index)
}

func (g *generator) unlink(name string) {
	if g.err == nil {
		g.err = os.Remove(filepath.Join(g.v2, path.Clean(name)))
	}
}
