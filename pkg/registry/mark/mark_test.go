package mark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// builder lays down a store as a registry would.
type builder struct {
	t   *testing.T
	dir string
}

func newBuilder(t *testing.T) *builder {
	t.Helper()
	b := &builder{t, t.TempDir()}
	b.mkdir("repositories")
	return b
}

func (b *builder) path(name string) string { return filepath.Join(b.dir, "docker/registry/v2", name) }

func (b *builder) mkdir(name string) {
	b.t.Helper()
	if err := os.MkdirAll(b.path(name), 0o755); err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) write(name, text string) {
	b.t.Helper()
	b.mkdir(filepath.Dir(name))
	if err := os.WriteFile(b.path(name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) remove(name string) {
	b.t.Helper()
	if err := os.Remove(b.path(name)); err != nil {
		b.t.Fatal(err)
	}
}

func dataPath(d digest.Digest) string {
	return "blobs/" + d.Algorithm() + "/" + d.Hex()[:2] + "/" + d.Hex() + "/data"
}

func revisionPath(repository string, d digest.Digest) string {
	return "repositories/" + repository + "/_manifests/revisions/" + d.Algorithm() + "/" + d.Hex() + "/link"
}

func tagPath(repository, tag string) string {
	return "repositories/" + repository + "/_manifests/tags/" + tag + "/current/link"
}

func (b *builder) layer(repository, text string) digest.Digest {
	b.t.Helper()
	d := digest.Of([]byte(text))
	b.write(dataPath(d), text)
	b.write("repositories/"+repository+"/_layers/"+d.Algorithm()+"/"+d.Hex()+"/link", d.String())
	return d
}

func (b *builder) manifest(repository, text string) digest.Digest {
	b.t.Helper()
	d := digest.Of([]byte(text))
	b.write(dataPath(d), text)
	b.write(revisionPath(repository, d), d.String())
	return d
}

func (b *builder) tag(repository, tag string, d digest.Digest) {
	b.write(tagPath(repository, tag), d.String())
}

func (b *builder) image(repository, layer, more string) (manifest, blob digest.Digest) {
	blob = b.layer(repository, layer)
	return b.manifest(repository, fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q}]%s}`, blob, more)), blob
}

func (b *builder) index(repository string, children ...digest.Digest) digest.Digest {
	var entries []string
	for _, d := range children {
		entries = append(entries, fmt.Sprintf(`{"digest":%q}`, d))
	}
	return b.manifest(repository, `{"schemaVersion":2,"manifests":[`+strings.Join(entries, ",")+`]}`)
}

func subject(d digest.Digest) string { return fmt.Sprintf(`,"subject":{"digest":%q}`, d) }

func (b *builder) mark(opts Options) *Result {
	b.t.Helper()
	store, err := layout.Open(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	result, err := Store(b.t.Context(), store, opts)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// lives wants exactly these digests.
func lives(t *testing.T, r *Result, want ...digest.Digest) {
	t.Helper()
	slices.SortFunc(want, digest.Compare)
	if diff := cmp.Diff(fmt.Sprint(slices.Compact(want)), fmt.Sprint(slices.Collect(r.Live.Sorted()))); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}
}

var tagged = Options{Roots: Roots{DeleteUntagged: true}, Workers: 3}

func TestUntaggedManifestsStayUnlessAskedFor(t *testing.T) {
	b := newBuilder(t)
	m1, l1 := b.image("a", "one", "")
	m2, l2 := b.image("a", "two", "")
	b.tag("a", "v1", m1)
	b.layer("a", "orphan")
	lives(t, b.mark(Options{}), m1, l1, m2, l2)
	lives(t, b.mark(tagged), m1, l1)
}

func TestWhatOneRepositoryDeletedAnotherKeeps(t *testing.T) {
	b := newBuilder(t)
	c1, l1 := b.image("a/dev", "one", "")
	c2, l2 := b.image("a/dev", "two", "")
	b.image("b/prod", "one", "")
	b.image("b/prod", "two", "")
	index := b.index("a/dev", c1, c2)
	b.index("b/prod", c1, c2)
	b.tag("a/dev", "v1", index)
	b.tag("b/prod", "v1", index)
	b.remove(revisionPath("a/dev", c1))
	b.remove(revisionPath("a/dev", c2))
	lives(t, b.mark(tagged), index, c1, c2, l1, l2)
	b.remove(tagPath("b/prod", "v1"))
	b.mkdir("repositories/b/prod/_manifests/tags")
	if err := os.RemoveAll(b.path("repositories/b/prod/_manifests/tags/v1")); err != nil {
		t.Fatal(err)
	}
	lives(t, b.mark(tagged), index)
}

func TestReferrersLiveWithTheirSubject(t *testing.T) {
	b := newBuilder(t)
	m, l := b.image("a", "one", "")
	r, rl := b.image("a", "signature", subject(m))
	rr, rrl := b.image("a", "signature of it", subject(r))
	gone, _ := b.image("a", "two", "")
	b.image("a", "signature of two", subject(gone))
	b.tag("a", "v1", m)
	lives(t, b.mark(tagged), m, l, r, rl, rr, rrl)
}

func TestFallbackTagsLiveWithTheirSubject(t *testing.T) {
	b := newBuilder(t)
	m, l := b.image("a", "one", "")
	r, rl := b.image("a", "signature", subject(m))
	list := b.index("a", r)
	b.tag("a", "v1", m)
	b.tag("a", "sha256-"+m.Hex(), list)
	gone := digest.Of([]byte("gone"))
	lost, _ := b.image("a", "signature of what is gone", subject(gone))
	b.tag("a", "sha256-"+gone.Hex(), b.index("a", lost))
	lives(t, b.mark(tagged), m, l, r, rl, list)

	// An image under such a name is an image.
	other, ol := b.image("a", "three", "")
	b.tag("a", "sha256-"+digest.Of([]byte("x")).Hex(), other)
	lives(t, b.mark(tagged), m, l, r, rl, list, other, ol)
}

func TestDamageKeepsAllOfItsRepositoryAndNothingElse(t *testing.T) {
	for name, damage := range map[string]func(b *builder, m digest.Digest) string{
		"a zero-length tag": func(b *builder, _ digest.Digest) string {
			b.write(tagPath("a", "v0"), "")
			return tagPath("a", "v0")
		},
		"a tag of garbage": func(b *builder, _ digest.Digest) string {
			b.write(tagPath("a", "v0"), "sha256:x")
			return tagPath("a", "v0")
		},
		"a zero-length revision": func(b *builder, m digest.Digest) string {
			b.write(revisionPath("a", m), "")
			return revisionPath("a", m)
		},
		"a manifest that is none": func(b *builder, m digest.Digest) string {
			b.write(dataPath(m), "{}")
			return dataPath(m)
		},
		"an empty manifest": func(b *builder, m digest.Digest) string {
			b.write(dataPath(m), "")
			return dataPath(m)
		},
		"a manifest that is not there": func(b *builder, m digest.Digest) string {
			b.remove(dataPath(m))
			return dataPath(m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder(t)
			m, l := b.image("a", "one", "")
			untagged, ul := b.image("a", "two", "")
			orphan := b.layer("a", "orphan")
			b.tag("a", "v1", m)
			nested, nl := b.image("a/b", "nested", "")
			b.image("a/b", "untagged in the other", "")
			b.tag("a/b", "v1", nested)
			at := damage(b, m)
			r := b.mark(tagged)
			lives(t, r, m, l, untagged, ul, orphan, nested, nl)
			if len(r.Problems) != 1 || !strings.HasSuffix(r.Problems[0].Path, at) || r.Incomplete {
				t.Errorf("%v, want one about %s", r.Problems, at)
			}
		})
	}
}

func TestBlobsThatAnIndexListsAreKept(t *testing.T) {
	b := newBuilder(t)
	layer, under := b.layer("a", "cache"), b.layer("a", "below")
	child := b.layer("a", fmt.Sprintf(`{"layers":[{"digest":%q}]}`, under))
	unlinked := digest.Of([]byte("elsewhere"))
	index := b.manifest("a", fmt.Sprintf(`{"manifests":[{"digest":%q,"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"},
		{"digest":%q},{"digest":%q}]}`, layer, child, unlinked))
	b.tag("a", "v1", index)
	r := b.mark(tagged)
	lives(t, r, index, layer, child, under)
	if r.Problems != nil {
		t.Error(r.Problems)
	}
}

func TestATagWithoutARevisionLinkIsReportedAndKept(t *testing.T) {
	b := newBuilder(t)
	m, l := b.image("a", "one", "")
	b.image("a", "untagged", "")
	b.tag("a", "v1", m)
	b.remove(revisionPath("a", m))
	r := b.mark(tagged)
	lives(t, r, m, l)
	if len(r.Problems) != 1 || !strings.HasSuffix(r.Problems[0].Path, tagPath("a", "v1")) {
		t.Error(r.Problems)
	}
}

// Where the folder of revisions cannot be read, which children an index still has is not known: all are kept.
func TestAnUnreadableFolderOfRevisionsKeepsTheChildren(t *testing.T) {
	b := newBuilder(t)
	m, l := b.image("a", "one", "")
	index := b.index("a", m)
	b.tag("a", "v1", index)
	revisions := b.path("repositories/a/_manifests/revisions/sha256")
	if err := errors.Join(os.Rename(revisions, revisions+"-moved"), os.Symlink("sha256-moved", revisions)); err != nil {
		t.Fatal(err)
	}
	lives(t, b.mark(tagged), index, m, l)
}

func TestSchema1AndArtifacts(t *testing.T) {
	b := newBuilder(t)
	l1, l2 := b.layer("a", "one"), b.layer("a", "two")
	m1 := b.manifest("a", fmt.Sprintf(`{"schemaVersion":1,"fsLayers":[{"blobSum":%q}],"history":[]}`, l1))
	m2 := b.manifest("a", fmt.Sprintf(`{"mediaType":%q,"blobs":[{"digest":%q}]}`, artifactType, l2))
	b.tag("a", "v1", m1)
	b.tag("a", "v2", m2)
	lives(t, b.mark(tagged), l1, l2, m1, m2)
}

func TestAnEmptyStoreAndStrays(t *testing.T) {
	b := newBuilder(t)
	b.mkdir("repositories/only/_uploads/1")
	b.write("repositories/.DS_Store", "x")
	r := b.mark(Options{})
	lives(t, r)
	if r.Incomplete || len(r.Problems) != 1 {
		t.Error(r.Incomplete, r.Problems)
	}
	if err := os.Symlink("only", b.path("repositories/link")); err != nil {
		t.Fatal(err)
	}
	if !b.mark(Options{}).Incomplete {
		t.Error("a linked repository is not seen, and the result says it is complete")
	}
}

func TestTheOutcomeDoesNotDependOnTheWorkers(t *testing.T) {
	b := newBuilder(t)
	for i := range 40 {
		name := fmt.Sprintf("r%d/x", i%20)
		m, _ := b.image(name, fmt.Sprint("layer ", i), "")
		b.tag(name, fmt.Sprint("v", i), m)
		b.write(tagPath(name, fmt.Sprint("w", i)), "")
	}
	want := b.mark(Options{})
	got := b.mark(Options{Workers: 8})
	lives(t, got, slices.Collect(want.Live.Sorted())...)
	if !slices.Equal(got.Repositories, want.Repositories) || fmt.Sprint(got.Problems) != fmt.Sprint(want.Problems) || len(got.Problems) != 40 {
		t.Error("rows or problems differ")
	}
}

func TestMarkingEndsWithItsContext(t *testing.T) {
	b := newBuilder(t)
	b.image("a", "one", "")
	store, err := layout.Open(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if r, err := Store(ctx, store, Options{}); !errors.Is(err, stop) || r != nil {
		t.Error(r, err)
	}
}

func TestChainSaysWhatKeepsABlob(t *testing.T) {
	b := newBuilder(t)
	m, l := b.image("a", "one", "")
	index := b.index("a", m)
	b.tag("a", "v1", index)
	store, err := layout.Open(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	g, err := Load(t.Context(), store, "a")
	if err != nil {
		t.Fatal(err)
	}
	want := []Step{{"tag", "v1", index}, {"index", "", index}, {"image", "", m}, {"blob", "", l}}
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(g.Live(Roots{DeleteUntagged: true}).Chain(l))); diff != "" {
		t.Error(diff)
	}
	if g.Live(Roots{DeleteUntagged: true}).Chain(digest.Of([]byte("other"))) != nil {
		t.Error("a chain to what is not there")
	}
}

func FuzzParse(f *testing.F) {
	d := digest.Of(nil).String()
	for _, seed := range []string{
		`{"schemaVersion":2,"config":{"digest":"` + d + `"},"layers":[{"digest":"` + d + `"}],"subject":{"digest":"` + d + `"}}`,
		`{"manifests":[{"digest":"` + d + `","mediaType":"x"}]}`, `{"fsLayers":[{"blobSum":"` + d + `"}]}`,
		`{"blobs":[]}`, `{"layers":null}`, `[]`, `{"config":{"digest":"sha256:"}}`,
	} {
		f.Add([]byte(seed))
	}
	written, err := filepath.Glob("../../../testdata/registry/store/docker/registry/v2/blobs/sha256/*/*/data")
	if err != nil || len(written) == 0 {
		f.Fatal("no blobs of a real registry", err)
	}
	for _, name := range written {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrManifest) {
				t.Errorf("%v is no ErrManifest", err)
			}
			return
		}
		if m.Kind == "" || slices.ContainsFunc(m.Blobs, digest.Digest.IsZero) {
			t.Errorf("%+v", m)
		}
	})
}
