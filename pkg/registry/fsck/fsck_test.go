package fsck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/storegen"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// store is a small one with a tagged image, and what there is to break.
type store struct {
	t    *testing.T
	root string
}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{t, t.TempDir()}
	s.write("repositories/a/_manifests/tags/.keep", "")
	s.remove("repositories/a/_manifests/tags/.keep")
	return s
}

func (s *store) path(name string) string { return filepath.Join(layout.Dir(s.root), name) }

func (s *store) write(name, text string) {
	s.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.path(name)), 0o755), os.WriteFile(s.path(name), []byte(text), 0o644)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) remove(name string) {
	s.t.Helper()
	if err := os.RemoveAll(s.path(name)); err != nil {
		s.t.Fatal(err)
	}
}

func blobPath(d digest.Digest) string {
	shard, name := layout.BlobDir(d)
	return path.Join(shard, name, "data")
}

func layerPath(d digest.Digest) string { return "repositories/a/_layers/sha256/" + d.Hex() + "/link" }

func revisionPath(d digest.Digest) string {
	return "repositories/a/_manifests/revisions/sha256/" + d.Hex() + "/link"
}

func tagPath(tag string) string { return "repositories/a/_manifests/tags/" + tag + "/current/link" }

func (s *store) layer(text string) digest.Digest {
	d := digest.Of([]byte(text))
	s.write(blobPath(d), text)
	s.write(layerPath(d), d.String())
	return d
}

func (s *store) manifest(text string) digest.Digest {
	d := digest.Of([]byte(text))
	s.write(blobPath(d), text)
	s.write(revisionPath(d), d.String())
	return d
}

func (s *store) image(tag, layer string) (manifest, blob digest.Digest) {
	blob = s.layer(layer)
	manifest = s.manifest(fmt.Sprintf(`{"schemaVersion":2,"layers":[{"digest":%q,"size":%d}]}`, blob, len(layer)))
	s.write(tagPath(tag), manifest.String())
	return manifest, blob
}

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).AddDate(50, 0, 0) }

func (s *store) check(quick bool) (*Checker, *Report) {
	s.t.Helper()
	c, err := Open(s.root, Options{Quick: quick, Workers: 3, Now: now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	r, err := c.Check(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return c, r
}

func found(r *Report) []string {
	all := []string{}
	for _, f := range r.Items {
		all = append(all, f.ID+" "+string(f.Repair))
	}
	slices.Sort(all)
	return all
}

// TestEachFault: what each fault is called, and what is left of it after a repair.
func TestEachFault(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(s *store, m, l digest.Digest)
		want   []string
		left   []string
		slow   bool // a quick check does not find it
	}{
		"nothing": {func(*store, digest.Digest, digest.Digest) {}, nil, nil, false},
		"a layer's content is another": {
			func(s *store, _, l digest.Digest) { s.write(blobPath(l), "eno") },
			[]string{"blob-digest quarantine", "layer-missing ", "link-dangling quarantine"},
			[]string{"layer-missing "},
			true,
		},
		"a manifest is cut short": {
			func(s *store, m, _ digest.Digest) { s.write(blobPath(m), "") },
			[]string{"blob-digest quarantine", "link-dangling quarantine", "tag-dangling quarantine"},
			nil, false,
		},
		"a folder without data": {
			func(s *store, _, l digest.Digest) { s.remove(blobPath(l)) },
			[]string{"blob-no-data quarantine", "layer-missing ", "link-dangling quarantine"},
			[]string{"layer-missing "},
			false,
		},
		"an empty revision link": {func(s *store, m, _ digest.Digest) { s.write(revisionPath(m), "") }, []string{"link-empty rewrite"}, nil, false},
		"an empty layer link":    {func(s *store, _, l digest.Digest) { s.write(layerPath(l), "") }, []string{"link-empty rewrite"}, nil, false},
		"an empty link to what is not there": {
			func(s *store, _, _ digest.Digest) { s.write(layerPath(digest.Of([]byte("x"))), "") }, []string{"link-empty quarantine"}, nil, false,
		},
		"an empty link to what is damaged": {
			func(s *store, _, l digest.Digest) { s.write(layerPath(l), ""); s.write(blobPath(l), "eno") },
			[]string{"blob-digest quarantine", "layer-missing ", "link-empty quarantine"},
			[]string{"layer-missing "},
			true,
		},
		"a link of rubbish": {func(s *store, _, l digest.Digest) { s.write(layerPath(l), "rubbish") }, []string{"link-malformed rewrite"}, nil, false},
		"a link to another": {
			func(s *store, m, l digest.Digest) { s.write(layerPath(l), m.String()) },
			[]string{"link-foreign quarantine"},
			[]string{"layer-unlinked "},
			false,
		},
		"an empty tag":       {func(s *store, _, _ digest.Digest) { s.write(tagPath("w"), "") }, []string{"link-empty quarantine"}, nil, false},
		"a tag of nothing":   {func(s *store, _, _ digest.Digest) { s.write(tagPath("w"), digest.Of(nil).String()) }, []string{"tag-dangling quarantine"}, nil, false},
		"a tag without link": {func(s *store, _, _ digest.Digest) { s.write("repositories/a/_manifests/tags/w/index/x", "") }, []string{"tag-unset quarantine"}, nil, false},
		"a tag of what is not linked": {
			func(s *store, m, _ digest.Digest) { s.remove(path.Dir(revisionPath(m))) }, []string{"tag-unlinked "}, []string{"tag-unlinked "}, false,
		},
		"no folder of tags": {func(s *store, _, _ digest.Digest) { s.remove("repositories/a/_manifests/tags") }, []string{"tags-missing create"}, nil, false},
		"strays": {
			func(s *store, _, _ digest.Digest) {
				s.write("repositories/.DS_Store", "x")
				s.write("blobs/sha256/lost+found/file", "x")
				s.write("blobs/file", "x")
				s.write("repositories/a/_layers/sha256/abc/link", "x")
			},
			[]string{"blobs-stray quarantine", "blobs-stray quarantine", "stray-file quarantine", "stray-file quarantine"},
			nil, false,
		},
		"uploads": {
			func(s *store, _, _ digest.Digest) {
				s.write("repositories/a/_uploads/1/startedat", "2024-01-02T03:04:05Z")
				s.write("repositories/a/_uploads/2/startedat", now().Add(-time.Hour).Format(time.RFC3339))
				s.write("repositories/a/_uploads/3/startedat", "yesterday")
			},
			[]string{"upload-no-start ", "upload-stale quarantine"},
			[]string{"upload-no-start "},
			false,
		},
		"sizes and children": {
			func(s *store, m, l digest.Digest) {
				s.manifest(fmt.Sprintf(`{"layers":[{"digest":%q,"size":7}]}`, l))
				s.manifest(fmt.Sprintf(`{"manifests":[{"digest":%q},{"digest":%q,"size":1}]}`, digest.Of([]byte("x")), m))
				s.manifest("{}")
			},
			[]string{"child-missing ", "manifest-malformed ", "size-mismatch ", "size-mismatch "},
			[]string{"child-missing ", "manifest-malformed ", "size-mismatch ", "size-mismatch "},
			false,
		},
		"a fallback tag of what is gone": {
			func(s *store, m, _ digest.Digest) {
				index := s.manifest(`{"manifests":[]}`)
				s.write(tagPath("sha256-"+digest.Of([]byte("x")).Hex()), index.String())
				s.write(tagPath("sha256-"+m.Hex()), index.String())
			},
			[]string{"fallback-orphan "},
			[]string{"fallback-orphan "},
			false,
		},
		"layers that need not be there": {
			func(s *store, _, _ digest.Digest) {
				s.manifest(fmt.Sprintf(`{"layers":[{"digest":%q,"urls":["http://example.org"]},{"digest":%q,"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar"}]}`, digest.Of(nil), digest.Of([]byte("y"))))
			}, nil, nil, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.image("v0", "another")
			m, l := s.image("v1", "one")
			c.damage(s, m, l)
			checker, r := s.check(false)
			if diff := cmp.Diff(append([]string{}, c.want...), found(r)); diff != "" || r.Problems != nil {
				t.Errorf("found (-want +got):\n%s\n%v", diff, r.Problems)
			}
			if _, quick := s.check(true); !c.slow && !slices.Equal(found(quick), found(r)) {
				t.Errorf("a quick check finds %v", found(quick))
			}
			before := tree(t, s.root)
			id, err := checker.Apply(t.Context(), r, func(plan.Step) {})
			if err != nil || (id != "") != (len(checker.Plan(r).Steps) > 0) {
				t.Fatalf("%q, %v", id, err)
			}
			_, after := s.check(false)
			if diff := cmp.Diff(append([]string{}, c.left...), found(after)); diff != "" || after.Problems != nil {
				t.Errorf("left (-want +got):\n%s\n%v", diff, after.Problems)
			}
			if id != "" {
				undo(t, s, id)
			}
			if diff := cmp.Diff(before, tree(t, s.root)); diff != "" {
				t.Errorf("taken back (-want +got):\n%s", diff)
			}
		})
	}
}

// undo takes a repair back.
func undo(t *testing.T, s *store, id string) {
	t.Helper()
	yard, err := quarantine.Open(layout.Dir(s.root))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = yard.Close() }()
	set, err := yard.Set(id)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := set.RestoreAll(t.Context()); err != nil || done.Kept > 0 {
		t.Error(done, err)
	}
}

// tree is what a folder holds, without the quarantine: modes and contents by name.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Name() == quarantine.Folder {
			return filepath.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if !entry.IsDir() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += " " + string(data)
		}
		all[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhatWasMendedMeanwhileIsLeftAlone: a tag that was pushed again between the check and the repair stays.
func TestWhatWasMendedMeanwhileIsLeftAlone(t *testing.T) {
	s := newStore(t)
	m, l := s.image("v1", "one")
	s.write(tagPath("v2"), "")
	s.write(blobPath(l), "eno")
	c, r := s.check(false)
	s.write(tagPath("v2"), m.String())
	s.write(blobPath(l), "one")
	before := tree(t, s.root)
	if id, err := c.Apply(t.Context(), r, func(plan.Step) {}); id != "" || err != nil {
		t.Error(id, err)
	}
	if diff := cmp.Diff(before, tree(t, s.root)); diff != "" {
		t.Error(diff)
	}
}

// TestWhatWasWrittenSinceARepairStays: taking a repair back leaves a link that was written anew after it.
func TestWhatWasWrittenSinceARepairStays(t *testing.T) {
	s := newStore(t)
	_, l := s.image("v1", "one")
	s.write(layerPath(l), "")
	c, r := s.check(false)
	id, err := c.Apply(t.Context(), r, func(plan.Step) {})
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(s.path(layerPath(l)), later, later); err != nil {
		t.Fatal(err)
	}
	before := tree(t, s.root)
	yard, err := quarantine.Open(layout.Dir(s.root))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = yard.Close() }()
	set, err := yard.Set(id)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := set.RestoreAll(t.Context()); err != nil || done.Kept != 1 {
		t.Error(done, err)
	}
	if diff := cmp.Diff(before, tree(t, s.root)); diff != "" {
		t.Error(diff)
	}
}

// TestARepairThatFailsIsTakenBack: the steps before the one that fails are undone.
func TestARepairThatFailsIsTakenBack(t *testing.T) {
	s := newStore(t)
	m, l := s.image("v1", "one")
	s.write(tagPath("v2"), "")
	s.write(revisionPath(m), "")
	s.write(layerPath(l), "")
	c, r := s.check(false)
	before := tree(t, s.root)
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	id, err := c.Apply(ctx, r, func(plan.Step) {
		if steps++; steps == 3 {
			cancel()
		}
	})
	if id != "" || !errors.Is(err, context.Canceled) || steps != 3 {
		t.Error(id, err, steps)
	}
	if diff := cmp.Diff(before, tree(t, s.root)); diff != "" {
		t.Error(diff)
	}
}

// TestGeneratedStoresAreSound: a store as registries write it, with leftovers of all kinds, has no finding but those.
func TestGeneratedStoresAreSound(t *testing.T) {
	s := &store{t, t.TempDir()}
	truth, err := storegen.Write(s.root, storegen.Options{Seed: 3, Blobs: 600})
	if err != nil {
		t.Fatal(err)
	}
	_, r := s.check(false)
	if r.Blobs != truth.Counts.Blobs || r.Bytes != truth.Counts.Bytes || r.Problems != nil {
		t.Errorf("%d blobs of %d, %d bytes of %d, %v", r.Blobs, truth.Counts.Blobs, r.Bytes, truth.Counts.Bytes, r.Problems)
	}
	for _, f := range r.Items {
		switch f.ID {
		case linkDangling: // what collections by the registry leave
			if !strings.Contains(f.Path, "/_layers/") {
				t.Errorf("%+v", f)
			}
		case uploadStale, fallbackOrphan:
		default:
			t.Errorf("%+v", f)
		}
	}
	if len(r.Items) == 0 {
		t.Error("nothing was left over")
	}
}
