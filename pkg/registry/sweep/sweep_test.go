package sweep

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

//nolint:unparam // as its like for layers
func revision(repository string, b digest.Digest) string {
	return link(layout.RevisionsDir(repository), b)
}

func layerLink(repository string, b digest.Digest) string {
	return link(layout.LayersDir(repository), b)
}

func TestWhatNothingNeedsGoesAndComesBack(t *testing.T) {
	d := newDisk(t)
	kept, keptConfig, keptLayer := d.image("a", "kept")
	d.tag("a", "v1", kept)
	dead, deadConfig, deadLayer := d.image("a", "dead")
	elsewhere := d.layer("a/nested", "kept layer") // the same blob
	nested, _, nestedLayer := d.image("a/nested", "nested")
	d.tag("a/nested", "v1", nested)
	before := d.files()
	o := d.at0()
	o.DeleteUntagged = false
	if r := d.collect(o); r.Quarantined.Manifests != 0 {
		t.Errorf("untagged went: %+v", r.Quarantined)
	}
	d.undo(before)
	r := d.collect(d.at0())
	d.here("kept", data(kept), data(keptConfig), data(keptLayer), revision("a", kept), layerLink("a", keptLayer), data(nested), data(nestedLayer))
	d.gone("dead", data(dead), data(deadConfig), data(deadLayer), revision("a", dead), layerLink("a", deadLayer), layerLink("a/nested", elsewhere))
	if r.Quarantined.Manifests != 1 || r.Quarantined.Blobs != 3 || r.UndoID == "" || len(r.Problems) > 0 {
		t.Errorf("%+v", *r)
	}
	if again := d.collect(d.at0()); again.UndoID != "" {
		t.Errorf("a second run: %+v", *again)
	}
	d.undo(before)
}

// A tag that comes while blobs go brings back its index, the index its children, and they their layers and links.
func TestARestoredIndexBringsEverything(t *testing.T) {
	for _, at := range []Step{StepMark, StepFence, StepForget, StepRecheck, StepSweep, StepSettle} {
		t.Run(string(at), func(t *testing.T) {
			d := newDisk(t)
			one, oneConfig, oneLayer := d.image("a", "one")
			two, _, twoLayer := d.image("a", "two")
			inner := d.index("a", two)
			top := d.index("a", one, inner)
			signature, _, signatureLayer := d.image("a", "signature", about(one))
			d.tag("a", fallback(one), d.index("a", signature))
			other, _, otherLayer := d.image("a", "other")
			quiet, _, _ := d.image("quiet", "quiet")
			d.tag("quiet", "v1", quiet)
			before := d.files()
			d.ageAll(time.Hour)
			d.collect(during(d.at0(), at, func() { d.tag("a", "again", top) }))
			for _, b := range []digest.Digest{one, oneConfig, oneLayer, two, twoLayer, inner, top, signature, signatureLayer} {
				d.here("blob", data(b))
			}
			d.here("links", revision("a", one), revision("a", two), revision("a", inner), revision("a", top), revision("a", signature),
				layerLink("a", oneLayer), layerLink("a", twoLayer), layerLink("a", signatureLayer), path.Join(layout.TagsDir("a"), fallback(one), "current/link"))
			if at != StepMark { // a link is put back with all that it may belong to
				d.gone("other", data(otherLayer), revision("a", other))
			}
			d.remove(path.Join(layout.TagsDir("a"), "again"))
			d.undo(before)
		})
	}
}

// A link to a blob that is away, in any repository, is a reference.
func TestANewLinkIsAReference(t *testing.T) {
	for _, at := range []Step{StepFence, StepForget, StepRecheck, StepSweep, StepSettle} {
		d := newDisk(t)
		_, _, layer := d.image("a", "dead")
		d.ageAll(time.Hour)
		d.collect(during(d.at0(), at, func() { d.file(layerLink("b", layer), layer.String()) }))
		d.here(string(at), data(layer), layerLink("b", layer))
	}
}

// The registry had the folder, and wrote the link when it had been renamed: it has told a client that it is there.
func TestALinkThatWasWrittenLateComesBack(t *testing.T) {
	d := newDisk(t)
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	dead, _, layer := d.image("a", "dead")
	d.remove(revision("a", dead)) // the folder stays
	d.ageAll(time.Hour)
	late := func(o Options, at Step) {
		folder := d.at(path.Dir(revision("a", dead)))
		f, err := os.Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		in, err := os.OpenRoot(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = in.Close() }()
		_, err = d.open(during(o, at, func() {
			if err := in.WriteFile("link", []byte(dead.String()), 0o644); err != nil {
				t.Error(err)
			}
		})).Collect(t.Context())
		if err != nil {
			t.Error(err)
		}
	}
	late(d.at0(), StepForget)
	d.here("late", revision("a", dead), data(dead), data(layer), layerLink("a", layer))
}

// A run that was killed right after the links had gone has left one that was written late: the next run finds it.
func TestTheNextRunFindsWhatWasWrittenLate(t *testing.T) {
	d := newDisk(t)
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	dead, _, layer := d.image("a", "dead")
	d.ageAll(time.Hour)
	c := d.open(d.at0())
	killed := make(chan struct{})
	c.o = during(c.o, StepRecheck, func() {
		set, err := c.yard.Sets()
		if err != nil || len(set) != 1 {
			t.Error(err)
		}
		at := filepath.Join(set[0].Path("tree"), revision("a", dead))
		if err := os.Chtimes(at, time.Now().Add(time.Second), time.Now().Add(time.Second)); err != nil {
			t.Error(err)
		}
		close(killed)
		select {} // it never goes on
	})
	r := c.begin()
	var err error
	if err = os.MkdirAll(c.yard.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if r.set, err = c.yard.Begin(d.now, Kind); err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.mark(t.Context()) }()
	<-killed
	d.gone("fenced", revision("a", dead))
	o := d.at0()
	o.DeleteUntagged = false
	d.collect(o)
	d.here("late", revision("a", dead), data(dead), data(layer), layerLink("a", layer))
}

func TestASignatureLivesWithItsSubject(t *testing.T) {
	d := newDisk(t)
	subject, _, _ := d.image("a", "subject")
	native, _, nativeLayer := d.image("a", "native", about(subject))
	gone, _, goneLayer := d.image("a", "orphan", about(digest.Of([]byte("gone"))))
	old := digest.Of([]byte("gone as well"))
	listed, _, listedLayer := d.image("a", "listed", about(old))
	d.tag("a", fallback(old), d.index("a", listed))
	d.tag("a", "v1", subject)
	before := d.files()
	r := d.collect(d.at0())
	d.here("about what lives", data(native), data(nativeLayer), revision("a", native))
	d.gone("about what is gone", data(gone), data(goneLayer), data(listed), data(listedLayer), path.Join(layout.TagsDir("a"), fallback(old)))
	if len(r.Repositories) != 1 || r.Repositories[0].DeadTags != 1 {
		t.Errorf("%+v", r.Repositories)
	}
	d.undo(before)
}

// While its fallback tag goes a client writes another: that one stands, and the old one waits for undo.
func TestTheNewerFallbackTagWins(t *testing.T) {
	d := newDisk(t)
	subject, _, _ := d.image("a", "subject")
	old, _, _ := d.image("a", "old", about(subject))
	oldIndex := d.index("a", old)
	d.tag("a", fallback(subject), oldIndex)
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	d.ageAll(time.Hour)
	var newer, newIndex digest.Digest
	d.collect(during(d.at0(), StepSweep, func() {
		newer, _, _ = d.image("a", "newer", about(subject))
		newIndex = d.index("a", newer)
		d.tag("a", fallback(subject), newIndex)
		d.tag("a", "again", subject)
	}))
	current, err := os.ReadFile(d.at(path.Join(layout.TagsDir("a"), fallback(subject), "current/link")))
	if err != nil || string(current) != newIndex.String() {
		t.Errorf("the tag names %s, %v", current, err)
	}
	d.here("newer", data(newer), data(newIndex), data(subject), revision("a", subject))
}

// What cannot be read keeps all of its repository, is reported, and the rest goes on.
func TestADamagedRepositoryIsLeftAlone(t *testing.T) {
	for name, damage := range map[string]func(d *disk, tagged, dead digest.Digest) string{
		"an empty tag": func(d *disk, _, _ digest.Digest) string {
			at := path.Join(layout.TagsDir("a"), "v1/current/link")
			d.file(at, "")
			return at
		},
		"an empty revision link": func(d *disk, _, dead digest.Digest) string {
			d.file(revision("a", dead), "")
			return revision("a", dead)
		},
		"a manifest that is none": func(d *disk, tagged, _ digest.Digest) string {
			d.file(data(tagged), "{")
			return data(tagged)
		},
		"a manifest that is not there": func(d *disk, tagged, _ digest.Digest) string {
			d.remove(data(tagged))
			return data(tagged)
		},
		"a tag that is a link": func(d *disk, _, _ digest.Digest) string {
			if err := os.Symlink("v1", d.at(path.Join(layout.TagsDir("a"), "v2"))); err != nil {
				d.t.Fatal(err)
			}
			return path.Join(layout.TagsDir("a"), "v2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			tagged, _, layer := d.image("a", "tagged")
			dead, _, deadLayer := d.image("a", "dead")
			d.tag("a", "v1", tagged)
			other, _, otherLayer := d.image("b", "other")
			kept, _, _ := d.image("b", "kept")
			d.tag("b", "v1", kept)
			at := damage(d, tagged, dead)
			d.ageAll(time.Hour)
			r := d.collect(d.at0())
			d.here("damaged", data(layer), data(deadLayer), layerLink("a", layer), layerLink("a", deadLayer), path.Dir(revision("a", dead)))
			d.gone("beside it", data(other), data(otherLayer))
			if !strings.Contains(problems(r), at) || r.Incomplete {
				t.Errorf("%s is not among %s, or incomplete %v", at, problems(r), r.Incomplete)
			}
		})
	}
}

// Where repositories may not have been seen, no blob goes; links of those that were seen do.
func TestAnIncompleteStoreKeepsItsBlobs(t *testing.T) {
	d := newDisk(t)
	_, _, layer := d.image("a", "dead")
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	if err := os.Symlink("/nowhere", d.at("repositories/elsewhere")); err != nil {
		t.Fatal(err)
	}
	r := d.collect(d.at0())
	d.here("blobs", data(layer))
	d.gone("links", layerLink("a", layer))
	if !r.Incomplete || r.Quarantined.Blobs != 0 || !strings.Contains(problems(r), "repositories/elsewhere") {
		t.Errorf("%+v", *r)
	}
	// Neither is anything deleted.
	d.image("a", "more")
	o := d.at0()
	o.PurgeOlderThan = 0
	if r := d.collect(o); r.Freed != (Amount{}) {
		t.Errorf("freed %+v", r.Freed)
	}
}

func TestOddStores(t *testing.T) {
	for name, lay := range map[string]func(d *disk){
		"empty":                     func(*disk) {},
		"no folders":                func(d *disk) { d.remove("repositories"); d.remove("blobs") },
		"no tags":                   func(d *disk) { d.remove(layout.TagsDir("a")) },
		"stray folder among blobs":  func(d *disk) { d.folder("blobs/sha256/zz/what"); d.folder("blobs/sha256/ab/short") },
		"stray file among blobs":    func(d *disk) { d.file("blobs/sha256/lost+found", "x") },
		"stray file of a link":      func(d *disk) { d.file(layout.LayersDir("a")+"/sha256/README", "x") },
		"blob without data":         func(d *disk) { d.folder(path.Dir(data(digest.Of([]byte("empty"))))) },
		"repository without a part": func(d *disk) { d.folder("repositories/nothing/in/it") },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			_, _, layer := d.image("a", "dead")
			lay(d)
			before := d.files()
			r := d.collect(d.at0())
			if r.Incomplete {
				t.Errorf("%+v", *r)
			}
			if before["/repositories"] != "" {
				d.gone("dead", data(layer))
			}
			d.undo(before)
		})
	}
}

func TestTheRootMayBeALink(t *testing.T) {
	d := newDisk(t)
	_, _, layer := d.image("a", "dead")
	before := d.files()
	to := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(d.root, to); err != nil {
		t.Fatal(err)
	}
	d.root, to = to, d.root
	if r := d.collect(d.at0()); r.Quarantined.Blobs != 3 {
		t.Errorf("%+v", *r)
	}
	d.gone("dead", data(layer))
	d.root = to
	d.undo(before)
}

func TestSHA512(t *testing.T) {
	d := newDisk(t)
	long := func(pair string) digest.Digest {
		b, err := digest.Parse("sha512:" + strings.Repeat(pair, 64))
		if err != nil {
			t.Fatal(err)
		}
		d.file(data(b), pair)
		d.file(layerLink("a", b), b.String())
		return b
	}
	live, dead := long("0a"), long("0b")
	m := d.manifest("a", map[string]any{"layers": []entry{descriptor(live, layerType)}, "config": descriptor(live, "x")})
	d.tag("a", "v1", m)
	before := d.files()
	d.collect(d.at0())
	d.here("live", data(live), layerLink("a", live))
	d.gone("dead", data(dead), layerLink("a", dead))
	d.undo(before)
}

func TestUploads(t *testing.T) {
	o := func(d *disk) Options {
		o := d.at0()
		o.Grace = time.Hour
		return o
	}
	for _, c := range []struct {
		name         string
		ago          time.Duration
		upload, dead bool // stay
	}{
		{"under way", time.Minute, true, true},
		{"idle", 24 * time.Hour, true, false},
		{"given up", StaleUpload + time.Hour, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDisk(t)
			_, _, layer := d.image("a", "dead")
			d.ageAll(2 * StaleUpload)
			d.upload("a", "u1", c.ago)
			before := d.files()
			d.collect(o(d))
			if d.has(path.Join(layout.UploadsDir("a"), "u1/data")) != c.upload || d.has(layerLink("a", layer)) != c.dead {
				t.Errorf("upload %v, link %v", d.has(path.Join(layout.UploadsDir("a"), "u1")), d.has(layerLink("a", layer)))
			}
			d.undo(before)
		})
	}
	// One without the time of its start is one that begins.
	d := newDisk(t)
	_, _, layer := d.image("a", "dead")
	d.ageAll(2 * time.Hour)
	d.folder(path.Join(layout.UploadsDir("a"), "u1"))
	d.collect(o(d))
	d.here("beginning", layerLink("a", layer), path.Join(layout.UploadsDir("a"), "u1"))
}

func TestYoungLinksStay(t *testing.T) {
	d := newDisk(t)
	_, _, old := d.image("a", "old")
	d.ageAll(2 * time.Hour)
	youngManifest, _, young := d.image("a", "young")
	uploaded := d.layer("a", "pushed, and its manifest is to come")
	o := d.at0()
	o.Grace = time.Hour
	r := d.collect(o)
	d.here("no manifest yet", layerLink("a", uploaded), data(uploaded))
	d.here("young", layerLink("a", young), revision("a", youngManifest), data(young))
	d.gone("old", layerLink("a", old))
	d.here("its blob waits", data(old))
	if r.Waiting.Blobs != 3 || r.WaitingUntil == nil || !r.WaitingUntil.Equal(d.now.Add(time.Hour)) {
		t.Errorf("%+v, until %v", r.Waiting, r.WaitingUntil)
	}
}

// A blob goes when its links have been away for the grace, also when it has died before.
func TestAgesAreThoseOfTheLastDeath(t *testing.T) {
	d := newDisk(t)
	o := d.at0()
	o.Grace = time.Hour
	m, _, layer := d.image("a", "dead")
	d.ageAll(2 * time.Hour)
	d.collect(o)
	d.here("waits", data(m), data(layer))
	d.now = d.now.Add(30 * time.Minute)
	// It lives and dies again between two runs: the times in the list are those of the first death.
	d.file(revision("a", m), m.String())
	d.file(layerLink("a", layer), layer.String())
	d.age(revision("a", m), 2*time.Hour)
	d.age(layerLink("a", layer), 2*time.Hour)
	d.now = d.now.Add(40 * time.Minute)
	d.collect(o)
	d.gone("fenced", revision("a", m), layerLink("a", layer))
	d.here("waits again", data(m), data(layer))
	d.now = d.now.Add(59 * time.Minute)
	d.collect(o)
	d.here("still", data(m), data(layer))
	d.now = d.now.Add(2 * time.Minute)
	d.collect(o)
	d.gone("at last", data(m), data(layer))
}

// A list of ages that is cut short or mangled makes blobs younger, never older.
func TestAMangledListOfAges(t *testing.T) {
	for name, mangle := range map[string]func(text string) string{
		"none": func(string) string { return "" }, "cut": func(s string) string { return s[:len(s)/3] },
		"binary": func(string) string { return "\x00\xff\n\n\x01" }, "long": func(s string) string { return strings.Repeat("x", 1<<17) + "\n" + s },
		"words for times": func(s string) string { return strings.ReplaceAll(s, " ", " x") }, "reversed": func(s string) string {
			lines := strings.Split(strings.TrimSpace(s), "\n")
			for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
				lines[i], lines[j] = lines[j], lines[i]
			}
			return strings.Join(lines, "\n") + "\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			o := d.at0()
			o.Grace = time.Hour
			m, config, layer := d.image("a", "dead")
			kept, _, keptLayer := d.image("a", "kept")
			d.tag("a", "v1", kept)
			d.ageAll(2 * time.Hour)
			d.collect(o)
			list := d.open(o).ages()
			text, err := os.ReadFile(list)
			if err != nil || strings.Count(string(text), "\n") != 3 {
				t.Fatalf("%s, %v", text, err)
			}
			if err := os.WriteFile(list, []byte(mangle(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			d.now = d.now.Add(59 * time.Minute)
			d.collect(o)
			d.here("young", data(m), data(config), data(layer))
			d.now = d.now.Add(2 * time.Hour)
			d.collect(o)
			d.gone("old", data(m), data(config), data(layer))
			d.here("kept", data(keptLayer))
		})
	}
}

// A purge marks first, and brings back what is referred to.
func TestPurgeRestoresWhatIsReferredTo(t *testing.T) {
	d := newDisk(t)
	m, config, layer := d.image("a", "again")
	_, _, other := d.image("a", "other")
	d.collect(d.at0())
	d.gone("both", data(layer), data(other))
	d.tag("a", "v1", m) // a push that the registry has answered from its cache
	r, err := d.open(d.at0()).Purge(t.Context(), 0)
	if err != nil || r.Freed.Blobs != 3 || r.Restored.Blobs != 3 {
		t.Errorf("%+v, %v", *r, err)
	}
	d.here("again", data(m), data(config), data(layer), revision("a", m), layerLink("a", layer))
	if again := d.collect(d.at0()); again.Held != (Amount{}) {
		t.Errorf("%+v", again.Held)
	}
}

// A collection that is told to end brings back what is referred to, and says what it has done.
func TestACollectionThatIsStopped(t *testing.T) {
	for _, at := range []Step{StepFence, StepForget, StepRecheck, StepSweep, StepSettle} {
		t.Run(string(at), func(t *testing.T) {
			d := newDisk(t)
			m, _, layer := d.image("a", "again")
			d.ageAll(time.Hour)
			before := d.files()
			ctx, cancel := stoppable(t)
			o := during(d.at0(), at, func() { d.tag("a", "v1", m); cancel() })
			o.Settle = time.Hour
			r, err := d.open(o).Collect(ctx)
			if err == nil || r == nil {
				t.Errorf("%+v, %v", r, err)
			}
			d.here("again", data(m), data(layer), layerLink("a", layer), revision("a", m))
			d.remove(layout.TagsDir("a"))
			d.undo(before)
		})
	}
}

// A running registry is told of each layer whose link went. What it does not forget comes back, and is reported.
func TestARegistryThatDoesNotForget(t *testing.T) {
	d := newDisk(t)
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	dead, config, layer := d.image("a", "dead")
	d.ageAll(time.Hour)
	var mu sync.Mutex
	told := map[digest.Digest]bool{}
	o := d.at0()
	o.Running = &Running{Started: d.now.Add(-time.Hour), Manifests: true, Forget: func(_ context.Context, repository string, b digest.Digest) error {
		mu.Lock()
		defer mu.Unlock()
		told[b] = repository == "a"
		if d.has(layerLink("a", b)) {
			t.Errorf("%v is to be forgotten, and is there", b)
		}
		if b == layer {
			return errors.New("it remembers")
		}
		return nil
	}}
	r := d.collect(o)
	if len(told) != 2 || !told[config] || !told[layer] || r.Cached.Blobs != 1 || !strings.Contains(problems(r), layer.Hex()) {
		t.Errorf("told of %v, %+v, %s", told, *r, problems(r))
	}
	d.here("not forgotten", layerLink("a", layer), data(layer))
	d.here("a manifest that it has seen", data(dead))
	d.gone("forgotten", layerLink("a", config), data(config))
	// Once it was restarted it has seen nothing.
	o.Running.Started = d.now.Add(time.Minute)
	d.now = d.now.Add(2 * time.Minute)
	o.Running.Forget = func(context.Context, string, digest.Digest) error { return nil }
	d.collect(o)
	d.gone("after a restart", data(layer))
}
