package test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/server"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// atOnce collects all in one run, as with --grace 0s --settle 0s.
func atOnce(deleteUntagged bool) sweep.Options {
	return sweep.Options{DeleteUntagged: deleteUntagged, PurgeOlderThan: -1, Workers: 2}
}

func (r *realRegistry) collector(o sweep.Options) *sweep.Collector {
	r.t.Helper()
	c := must[*sweep.Collector](r.t)(sweep.Open(r.root, o))
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *realRegistry) collect(o sweep.Options) *sweep.Report {
	r.t.Helper()
	report := must[*sweep.Report](r.t)(r.collector(o).Collect(r.t.Context()))
	for _, trouble := range report.Problems {
		r.t.Error(trouble)
	}
	return report
}

// tree is what a store consists of: each path with its mode, owner, size and sum.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Name() == quarantine.Folder {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return errors.New("no stat")
		}
		line := fmt.Sprintf("%v %d:%d", info.Mode(), stat.Uid, stat.Gid)
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d %x", len(data), sha256.Sum256(data))
		}
		all[strings.TrimPrefix(path, root)] = line
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sameTree(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, line := range want {
		if got[name] != line {
			t.Errorf("%s is %q, was %q", name, got[name], line)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s was not there", name)
		}
	}
}

// fill pushes what a collector has to tell apart: the image that is a signature of what is gone.
func (r *realRegistry) fill() (orphan v1.Image) {
	base := r.random()
	r.image("a/app:v1", r.on(base))
	r.image("a/app:v2", r.on(base))
	r.image("a/app:v2", r.on(base))
	r.image("a/app/nested:v1", r.on(base))
	index := must[v1.ImageIndex](r.t)(random.Index(300, 2, 3))
	r.index("a/dev:multi", index)
	r.index("b/prod:multi", index)
	for _, child := range must[*v1.IndexManifest](r.t)(index.IndexManifest()).Manifests {
		if err := remote.Delete(r.ref("a/dev@" + child.Digest.String())); err != nil {
			r.t.Fatal(err)
		}
	}
	signed := r.image("b/prod:signed", r.random())
	r.sign("b/prod", signed)
	gone := r.image("b/prod:gone", r.random())
	orphan = r.sign("b/prod", gone)
	r.remove("b/prod", gone)
	only := r.image("gutted:v1", r.random())
	r.remove("gutted", only)
	nested := r.image("a:v1", r.random())
	r.remove("a", nested)
	r.abort("a/app")
	r.abort("only/uploads")
	return orphan
}

// with adds an image's manifest, configuration and layers to a set.
func (r *realRegistry) with(set *digest.Set, img v1.Image) {
	r.t.Helper()
	r.take(set, r.digest(img))
	r.take(set, must[v1.Hash](r.t)(img.ConfigName()))
	for _, layer := range must[[]v1.Layer](r.t)(img.Layers()) {
		r.take(set, must[v1.Hash](r.t)(layer.Digest()))
	}
}

// TestCollectLosesNothing: what could be pulled can be, but what hangs on a signature whose subject is gone; the official collector
// then finds nothing more, and undoing brings the same tree.
func TestCollectLosesNothing(t *testing.T) { eachProgram(t, collectLosesNothing) }

func collectLosesNothing(t *testing.T, program string) {
	t.Helper()
	for _, m := range []bool{false, true} {
		t.Run(fmt.Sprint("deleteUntagged ", m), func(t *testing.T) {
			r := startRegistryOf(t, program, "")
			orphan := r.fill()
			before, files := r.pullable(), tree(t, r.root)
			report := r.collect(atOnce(m))
			t.Logf("%+v", *report)
			if report.Quarantined.Blobs == 0 || report.Restored.Blobs != 0 || report.UndoID == "" {
				t.Errorf("%+v", *report)
			}
			after := r.pullable()
			r.nothingLost(before, after, orphan, m)
			args := []string{}
			if m {
				args = append(args, "-m")
			}
			for d := range r.official(args...).Sorted() {
				if !after.Contains(d) {
					t.Errorf("the official collector would still delete %v", d)
				}
			}
			for _, name := range r.catalog() {
				if name == "gutted" || name == "a" {
					t.Errorf("%s is still in the catalogue", name)
				}
			}
			if again := r.collect(atOnce(m)); again.UndoID != "" || again.Quarantined != (sweep.Amount{}) {
				t.Errorf("a second run finds %+v", again.Quarantined)
			}
			undone := must[*sweep.Undone](t)(r.collector(atOnce(m)).Undo(t.Context(), ""))
			if len(undone.Runs) != 1 || undone.Runs[0].Kept != 0 || undone.Runs[0].Restored.Blobs != report.Quarantined.Blobs {
				t.Errorf("%+v", undone)
			}
			sameTree(t, tree(t, r.root), files)
			sameSet(t, "pullable after undo", r.pullable(), before)
		})
	}
}

// nothingLost compares what can be pulled: with -m the signature of what is gone may go, with its fallback tag, and nothing else.
func (r *realRegistry) nothingLost(before, after *digest.Set, orphan v1.Image, m bool) {
	r.t.Helper()
	may := &digest.Set{}
	if m {
		r.with(may, orphan)
	}
	var lost []digest.Digest
	for d := range before.Sorted() {
		if !after.Contains(d) && !may.Contains(d) {
			lost = append(lost, d)
		}
	}
	most := 0
	if m {
		most = 1 // the index of the fallback tag
	}
	if len(lost) > most {
		r.t.Errorf("could be pulled before: %v", lost)
	}
	for d := range after.Sorted() {
		if _, err := os.Stat(r.blob(d)); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *realRegistry) blob(d digest.Digest) string {
	shard, name := layout.BlobDir(d)
	return filepath.Join(layout.Dir(r.root), shard, name, "data")
}

func (r *realRegistry) catalog() []string {
	r.t.Helper()
	return must[[]string](r.t)(remote.Catalog(r.t.Context(), r.registry()))
}

// TestARegistryWithACacheForgets: with a cache in memory the registry says that it has what is gone; made to forget, it takes the
// layer again.
func TestARegistryWithACacheForgets(t *testing.T) { eachProgram(t, aRegistryWithACacheForgets) }

func aRegistryWithACacheForgets(t *testing.T, program string) {
	t.Helper()
	r := startRegistryOf(t, program, cached)
	img := r.image("team/app:v1", r.random())
	r.remove("team/app", img)
	found := must[[]*server.Process](t)(server.Find(r.root))
	if len(found) != 1 || !found[0].Remembers() || time.Since(found[0].Started) > time.Minute {
		t.Fatalf("%+v", found)
	}
	layers := must[[]v1.Layer](t)(img.Layers())
	url := "http://" + r.addr + "/v2/team/app/blobs/" + must[v1.Hash](t)(layers[0].Digest()).String()
	status := func() int {
		resp, err := http.Head(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	// Without being told, the registry goes on saying that it has the layer.
	if report := r.collect(atOnce(true)); report.Quarantined.Blobs != 4 || status() != http.StatusOK {
		t.Fatalf("%d blobs, HEAD answers %d: the cache does not show", report.Quarantined.Blobs, status())
	}
	must[*sweep.Undone](t)(r.collector(atOnce(true)).Undo(t.Context(), ""))

	o, manifests := atOnce(true), 0
	if found[0].RemembersManifests() {
		manifests = 1
	}
	o.Running = &sweep.Running{Started: found[0].Started, Forget: found[0].Client().Forget, Manifests: manifests > 0}
	report := r.collect(o)
	if report.Quarantined.Blobs != 4-manifests || report.Cached.Blobs != manifests || status() != http.StatusNotFound {
		t.Errorf("%+v, HEAD answers %d", *report, status())
	}
	r.image("team/app:v2", img)
	if r.pullable().Len() != 4 {
		t.Error("the image cannot be pulled")
	}
}

// TestAGraceKeepsBlobsUntilTheirLinksHaveBeenAway: links go first, blobs by a later run, and not when they were linked meanwhile.
func TestAGraceKeepsBlobsUntilTheirLinksHaveBeenAway(t *testing.T) {
	r := startRegistry(t)
	first, second := r.image("a:v1", r.random()), r.image("a:v2", r.random())
	r.image("a:v3", r.random())
	r.remove("a", first)
	r.remove("a", second)
	now := time.Now()
	o := atOnce(true)
	o.Grace, o.Now = time.Hour, func() time.Time { return now }
	step := func(ahead time.Duration, waiting, quarantined, layers int) {
		t.Helper()
		now = now.Add(ahead)
		report := r.collect(o)
		dead := 0
		for _, row := range report.Repositories {
			dead += row.DeadLayers
		}
		if report.Waiting.Blobs != waiting || report.Quarantined.Blobs != quarantined || dead != layers {
			t.Errorf("after %v: %d wait, %d went, %d links", ahead, report.Waiting.Blobs, report.Quarantined.Blobs, dead)
		}
	}
	step(0, 0, 0, 0)              // all is young
	step(2*time.Hour, 8, 0, 6)    // the links go
	r.image("a:again", second)    // its layers have none and are pushed again
	step(30*time.Minute, 4, 0, 0) // the other image's
	step(31*time.Minute, 0, 4, 0)
	if r.pullable().Len() != 2*4 {
		t.Error("an image is lost")
	}
}
