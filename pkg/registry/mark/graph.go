package mark

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// ManifestLimit is the size above which a registry accepts no manifest (distribution, maxManifestBodySize), in bytes.
const ManifestLimit = 4 << 20

// Graph is what one repository refers to. Digests are interned: edges are numbers of four bytes.
type Graph struct {
	Name string
	// Tags that could be read, by name.
	Tags []layout.Tag
	// Damaged reports that a tag or manifest could not be read, so that everything the repository has is kept.
	Damaged bool
	// Problems, by path, are all that was found wrong.
	Problems []*layout.Problem

	ids       map[digest.Digest]uint32
	digests   []digest.Digest
	nodes     map[uint32]*node // the manifests that were read
	revisions []revision       // the manifests that the repository has, by digest
	former    []uint32         // manifests that were put away
	held      []uint32         // what a damaged repository links, by digest
	referrers map[uint32][]uint32
	fallback  map[string]uint32 // the fallback tags, by name
	// formerTags are fallback tags that were put away.
	formerTags []layout.Tag
}

// revision is a manifest that the repository has.
type revision struct {
	id       uint32
	modified time.Time
}

// node is a manifest's edges, in the manifest's order.
type node struct {
	kind     Kind
	children []uint32
	blobs    []uint32
	subject  digest.Digest
}

// Source is what a graph is loaded from: a [layout.Store], or a registry that is read through its API. What its methods
// yield, and what their problems mean, is said there.
type Source interface {
	Tags(repository string) iter.Seq2[layout.Tag, *layout.Problem]
	Revisions(repository string) iter.Seq2[layout.Link, *layout.Problem]
	Layers(repository string) iter.Seq2[layout.Link, *layout.Problem]
	HasLayer(repository string, d digest.Digest) (bool, *layout.Problem)
	Alias(repository string, d digest.Digest) (digest.Digest, *layout.Problem)
	Manifest(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem)
	BlobProblem(d digest.Digest, err error) *layout.Problem
	// TagProblem is nil when the repository has the tag's manifest after all.
	TagProblem(repository, tag string, err error) *layout.Problem
}

// Former is a [Source] that has what was put away as well. It roots nothing, and lives again with what it is about: a child
// with its index, a signature with its subject.
type Former interface {
	FormerTags(repository string) iter.Seq[layout.Tag]
	FormerRevisions(repository string) iter.Seq[digest.Digest]
}

// Load reads a repository's tags, its revision links and each manifest once. It enters the folder of layer links only
// when the repository is damaged. The error is the context's.
func Load(ctx context.Context, source Source, repository string) (*Graph, error) {
	l := loader{store: source, has: map[uint32]bool{}, g: &Graph{
		Name: repository, ids: map[digest.Digest]uint32{}, nodes: map[uint32]*node{}, referrers: map[uint32][]uint32{},
		fallback: map[string]uint32{},
	}}
	l.readRevisions(ctx)
	l.readTags(ctx)
	if former, ok := source.(Former); ok {
		l.readFormer(ctx, former)
	}
	for _, r := range l.g.revisions {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		l.readManifest(ctx, r.id)
	}
	for _, tag := range l.g.Tags {
		l.readManifest(ctx, l.intern(tag.Digest))
	}
	if l.g.Damaged {
		l.readLayers(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.finish()
	return l.g, nil
}

type loader struct {
	store Source
	g     *Graph
	has   map[uint32]bool // the revisions
}

func (l *loader) intern(d digest.Digest) uint32 {
	id, ok := l.g.ids[d]
	if !ok {
		id = uint32(len(l.g.digests))
		l.g.ids[d] = id
		l.g.digests = append(l.g.digests, d)
	}
	return id
}

// note records a problem. One that hides something of the repository's makes it damaged; a stray file hides nothing.
func (l *loader) note(trouble *layout.Problem) {
	if trouble == nil {
		return
	}
	l.g.Problems = append(l.g.Problems, trouble)
	if !errors.Is(trouble, layout.ErrStray) {
		l.g.Damaged = true
	}
}

func (l *loader) readRevisions(ctx context.Context) {
	for link, trouble := range l.store.Revisions(l.g.Name) {
		if ctx.Err() != nil {
			return
		}
		l.note(trouble)
		if !link.Digest.IsZero() {
			id := l.intern(link.Digest)
			l.has[id] = true
			l.g.revisions = append(l.g.revisions, revision{id, link.Modified})
		}
	}
	slices.SortFunc(l.g.revisions, func(a, b revision) int { return digest.Compare(l.g.digests[a.id], l.g.digests[b.id]) })
}

// readFormer reads what was put away; what cannot be read there stays away.
func (l *loader) readFormer(ctx context.Context, source Former) {
	type unread struct {
		n *node
		m Manifest
	}
	var all []unread
	for d := range source.FormerRevisions(l.g.Name) {
		id := l.intern(d)
		if l.has[id] || ctx.Err() != nil {
			continue
		}
		data, trouble := l.store.Manifest(l.g.Name, d, ManifestLimit)
		if trouble != nil {
			continue
		}
		m, err := Parse(data)
		if err != nil {
			continue
		}
		n := &node{}
		l.has[id], l.g.nodes[id] = true, n
		l.g.former = append(l.g.former, id)
		all = append(all, unread{n, m})
	}
	for _, u := range all {
		l.connect(u.n, u.m)
	}
	for tag := range source.FormerTags(l.g.Name) {
		if l.g.Weak(tag) {
			l.g.formerTags = append(l.g.formerTags, tag)
		}
	}
}

func (l *loader) readTags(ctx context.Context) {
	for tag, trouble := range l.store.Tags(l.g.Name) {
		if ctx.Err() != nil {
			return
		}
		l.note(trouble)
		if trouble == nil {
			l.g.Tags = append(l.g.Tags, tag)
		}
	}
	sort.SliceStable(l.g.Tags, func(i, j int) bool { return l.g.Tags[i].Name < l.g.Tags[j].Name })
}

// readManifest reads one manifest, unless it has been, and the children that only its index leads to.
func (l *loader) readManifest(ctx context.Context, id uint32) {
	pending := []uint32{id}
	for len(pending) > 0 && ctx.Err() == nil {
		id := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if l.g.nodes[id] != nil {
			continue
		}
		n := &node{}
		l.g.nodes[id] = n
		data, trouble := l.store.Manifest(l.g.Name, l.g.digests[id], ManifestLimit)
		if trouble != nil {
			l.note(trouble)
			continue
		}
		m, err := Parse(data)
		if err != nil {
			l.note(l.store.BlobProblem(l.g.digests[id], err))
			continue
		}
		pending = append(pending, l.connect(n, m)...)
	}
}

// connect fills in a manifest's edges and returns the children that have to be read for it.
func (l *loader) connect(n *node, m Manifest) (unread []uint32) {
	n.kind, n.subject = m.Kind, m.Subject
	for _, blob := range m.Blobs {
		n.blobs = append(n.blobs, l.intern(blob))
		kept, trouble := l.store.Alias(l.g.Name, blob)
		l.note(trouble)
		if !kept.IsZero() {
			n.blobs = append(n.blobs, l.intern(kept))
		}
	}
	for _, child := range m.Children {
		id := l.intern(child.Digest)
		switch {
		case l.has[id]:
		case l.g.Damaged:
			// Which manifests the repository has is not known for certain.
			unread = append(unread, id)
		default:
			// The registry finds manifests below _layers as well (registry.go, manifestLinkPathFns), and build caches list
			// layers in an index. A child that the repository has in neither place was deleted there, and cannot be pulled.
			linked, trouble := l.store.HasLayer(l.g.Name, child.Digest)
			l.note(trouble)
			switch {
			case !linked:
				continue
			case !child.Manifest:
				n.blobs = append(n.blobs, id)
				continue
			}
			unread = append(unread, id)
		}
		n.children = append(n.children, id)
	}
	return unread
}

// readLayers takes down all that a damaged repository links.
func (l *loader) readLayers(ctx context.Context) {
	for link, trouble := range l.store.Layers(l.g.Name) {
		if ctx.Err() != nil {
			return
		}
		l.note(trouble)
		if !link.Digest.IsZero() {
			l.g.held = append(l.g.held, l.intern(link.Digest))
			if !link.Target.IsZero() && link.Target != link.Digest {
				l.g.held = append(l.g.held, l.intern(link.Target))
			}
		}
	}
	l.sort(l.g.held)
}

func (l *loader) finish() {
	for _, r := range l.g.revisions {
		l.refer(r.id)
	}
	for _, id := range l.g.former {
		l.refer(id)
	}
	for _, tag := range l.g.formerTags {
		l.g.fallback[tag.Name] = l.g.ids[tag.Digest]
	}
	for i := range l.g.Tags {
		tag := &l.g.Tags[i]
		switch id := l.g.ids[tag.Digest]; {
		case l.g.Weak(*tag):
			l.g.fallback[tag.Name] = id
		case !l.has[id]:
			if trouble := l.store.TagProblem(l.g.Name, tag.Name, errDangling); trouble != nil {
				l.g.Problems = append(l.g.Problems, trouble)
			}
		}
	}
	slices.SortFunc(l.g.Problems, func(a, b *layout.Problem) int { return cmp.Compare(a.Path, b.Path) })
}

// refer takes down what a manifest is about.
func (l *loader) refer(id uint32) {
	if subject, ok := l.g.ids[l.g.nodes[id].subject]; ok {
		l.g.referrers[subject] = append(l.g.referrers[subject], id)
	}
}

// errDangling is about a tag that cannot be pulled; what it names is kept.
var errDangling = errors.New("the repository has no link to this manifest")

func (l *loader) sort(ids []uint32) {
	slices.SortFunc(ids, func(a, b uint32) int { return digest.Compare(l.g.digests[a], l.g.digests[b]) })
}

// Weak reports whether a tag is a fallback for the referrers API (distribution-spec, "Referrers Tag Schema"): it has the
// form of one and names an index. Such a tag roots nothing: it lives while its subject does. An image under a tag of this
// form is an image.
func (g *Graph) Weak(tag layout.Tag) bool {
	id, known := g.ids[tag.Digest]
	if !known {
		return false
	}
	n := g.nodes[id]
	return n != nil && n.kind == KindIndex && fallbackForm(tag.Name)
}

func fallbackForm(name string) bool {
	algorithm, digits, ok := strings.Cut(name, "-")
	if !ok || algorithm != "sha256" && algorithm != "sha512" || len(digits) != fallbackDigits {
		return false
	}
	return strings.Trim(digits, "0123456789abcdef") == ""
}

// fallbackDigits is the length to which the schema cuts a hash.
const fallbackDigits = 64

// fallbackName is the name that the schema gives the fallback tag of a subject.
func fallbackName(d digest.Digest) string { return d.Algorithm() + "-" + d.Hex()[:fallbackDigits] }

// Revisions are the manifests that the repository has.
func (g *Graph) Revisions(yield func(digest.Digest) bool) {
	for _, r := range g.revisions {
		if !yield(g.digests[r.id]) {
			return
		}
	}
}
