package storegen

import (
	"fmt"
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// repository writes the pushes into one.
type repository struct {
	g      *generator
	name   string
	base   []layer
	tags   int
	latest pushed
}

func (g *generator) repository(name string) *repository {
	g.truth.Counts.Repositories++
	return &repository{g: g, name: name, base: g.bases[g.rng.IntN(len(g.bases))]}
}

func (r *repository) folder(parts ...string) string {
	return path.Join("repositories", r.name, path.Join(parts...))
}

// put writes a blob and its layer link.
func (r *repository) put(data []byte) digest.Digest {
	d := r.g.blob(data)
	r.linkLayer(d)
	return d
}

func (r *repository) linkLayer(d digest.Digest) {
	if r.g.link(r.folder("_layers", d.Algorithm(), d.Hex()), d) {
		r.g.truth.Counts.Links++
	}
}

// manifest pushes a manifest, whose parts are there.
func (r *repository) manifest(m manifest, parts []digest.Digest) pushed {
	data := encode(m)
	d := r.g.blob(data)
	if r.g.link(r.folder("_manifests/revisions", d.Algorithm(), d.Hex()), d) {
		r.g.truth.Counts.Manifests++
	}
	return pushed{d, descriptor{MediaType: m.MediaType, Digest: d.String(), Size: len(data)}, append([]digest.Digest{d}, parts...)}
}

// image pushes an image of a base and some layers of its own.
func (r *repository) image(own int, subject *descriptor) pushed {
	layers := append([]layer{}, r.base...)
	if subject != nil {
		layers = nil
	}
	for range own {
		layers = append(layers, r.g.layer(60+r.g.rng.IntN(200)))
	}
	m := manifest{SchemaVersion: 2, MediaType: manifestType, Subject: subject, Annotations: map[string]string{
		"org.opencontainers.image.title": fmt.Sprintf("image \"%d\" of %s", r.g.next(), r.name),
	}}
	p := platform{[]string{"amd64", "arm64", "riscv64"}[r.g.next()%3], "linux"}
	c := config{platform: p, Author: fmt.Sprint(r.g.next())}
	c.RootFS.Type = "layers"
	var parts []digest.Digest
	for _, l := range layers {
		d := r.put(l.data)
		parts = append(parts, d)
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, l.diffID)
		m.Layers = append(m.Layers, descriptor{MediaType: layerType, Digest: d.String(), Size: len(l.data)})
	}
	data := encode(c)
	d := r.put(data)
	m.Config = &descriptor{MediaType: configType, Digest: d.String(), Size: len(data)}
	image := r.manifest(m, append(parts, d))
	image.descriptor.Platform = &p
	return image
}

// index pushes an index of what is there. Its parts are only the index itself.
func (r *repository) index(of ...pushed) pushed {
	m := manifest{SchemaVersion: 2, MediaType: indexType}
	for _, child := range of {
		m.Manifests = append(m.Manifests, child.descriptor)
	}
	return r.manifest(m, nil)
}

// tag sets a tag, as the driver does: the current link, and one in the tag's history.
func (r *repository) tag(name string, p pushed) {
	folder := r.folder("_manifests/tags", name)
	if r.g.link(path.Join(folder, "current"), p.digest) {
		r.g.truth.Counts.Tags++
	} else {
		r.g.file(path.Join(folder, "current/link"), []byte(p.digest.String()))
	}
	r.g.link(path.Join(folder, "index", p.digest.Algorithm(), p.digest.Hex()), p.digest)
}

// version is the next tag of its own.
func (r *repository) version() string {
	r.tags++
	return fmt.Sprintf("v%d", r.tags)
}

// release pushes an image under a tag of its own.
func (r *repository) release(own int) pushed {
	p := r.image(own, nil)
	r.tag(r.version(), p)
	r.g.keep(Tagged, p.blobs...)
	return p
}

// moveLatest pushes an image and sets latest to it: what had it is untagged.
func (r *repository) moveLatest() {
	r.g.keep(Untagged, r.latest.blobs...)
	r.latest = r.image(1+r.g.rng.IntN(2), nil)
	r.tag("latest", r.latest)
}

// multi pushes an index of three images under a tag.
func (r *repository) multi() (index pushed, children []pushed) {
	for range 3 {
		child := r.image(1, nil)
		children = append(children, child)
		r.g.keep(Tagged, child.blobs...)
	}
	index = r.index(children...)
	r.tag(r.version(), index)
	r.g.keep(Tagged, index.blobs...)
	return index, children
}

// sign pushes an image about another one, with its fallback tag or without, as clients do that find the referrers API.
func (r *repository) sign(subject pushed, keep Keep, fallback bool) {
	signature := r.image(1, &subject.descriptor)
	r.g.keep(keep, signature.blobs...)
	if fallback {
		list := r.index(signature)
		r.tag(strings.Replace(subject.digest.String(), ":", "-", 1), list)
		r.g.keep(keep, list.blobs...)
	}
}

// remove deletes a manifest as the API does: the link goes, its folder stays.
func (r *repository) remove(p pushed) {
	r.g.unlink(r.folder("_manifests/revisions", p.digest.Algorithm(), p.digest.Hex(), "link"))
	r.g.truth.Counts.Manifests--
}

// upload leaves an upload that never ended.
func (r *repository) upload() {
	n := r.g.next()
	folder := r.folder("_uploads", fmt.Sprintf("6f2c3a10-0000-4000-8000-%012x", n))
	r.g.file(path.Join(folder, "data"), []byte("half a layer"))
	r.g.file(path.Join(folder, "startedat"), []byte("2024-02-03T04:05:06Z"))
}
