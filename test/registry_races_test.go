package test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/server"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// place is one of a collection's.
type place struct {
	step sweep.Step
	n    int // the how many-th time
}

func (p place) String() string {
	if p.n > 1 {
		return fmt.Sprintf("%s %d", p.step, p.n)
	}
	return string(p.step)
}

// places of a collection, as it comes to them.
func places() []place {
	return []place{
		{sweep.StepMark, 1},
		{sweep.StepFence, 1},
		{sweep.StepForget, 1},
		{sweep.StepRecheck, 1},
		{sweep.StepSweep, 1},
		{sweep.StepSettle, 1},
		{sweep.StepSettle, 2},
	}
}

// crossing is a push that is held in the middle.
type crossing struct {
	name string
	// prepare leaves garbage in a repository, of which the push takes something up again.
	prepare func(r *realRegistry, repository string, img v1.Image)
	// gates are the paths at which the registry is held, by what it is about to do there.
	gates func(repository string, d digests) []gatePath
	// push is the part that crosses: an error is what a client is told.
	push func(r *realRegistry, repository string, img v1.Image) error
	// part: the push is not over then.
	part bool
}

type gatePath struct{ name, path string }

// digests are an image's.
type digests struct{ manifest, layer digest.Digest }

// linkFile is in a folder of links.
func linkFile(dir string, d digest.Digest) string {
	return path.Join(dir, d.Algorithm(), d.Hex(), "link")
}

func dataFile(d digest.Digest) string {
	shard, name := layout.BlobDir(d)
	return path.Join(shard, name, "data")
}

// orphan leaves the layers of an image without a manifest.
func orphan(r *realRegistry, repository string, img v1.Image) {
	r.image(repository+":orphan", img)
	r.remove(repository, img)
}

// untagged leaves an image whose tag was overwritten.
func untagged(r *realRegistry, repository string, img v1.Image) {
	r.image(repository+":overwritten", img)
	r.image(repository+":overwritten", r.random())
}

func manifestGates(repository string, d digests) []gatePath {
	return []gatePath{
		{"looks for a layer", linkFile(layout.LayersDir(repository), d.layer)},
		{"looks for the manifest", dataFile(d.manifest)},
		{"looks for the manifest's folder", path.Dir(linkFile(layout.RevisionsDir(repository), d.manifest))},
		{"links the manifest", linkFile(layout.RevisionsDir(repository), d.manifest)},
		{"sets the tag", path.Join(layout.TagsDir(repository), "new/current/link")},
	}
}

func putManifest(r *realRegistry, repository string, img v1.Image) error {
	return remote.Put(r.ref(repository+":new"), img, single()...)
}

func uploadGates(repository string, d digests) []gatePath {
	return append([]gatePath{{"looks for the blob", dataFile(d.layer)}}, linkGates(repository, d)...)
}

// linkGates: once it has seen the blob, the registry makes the link's folder, and then the link.
func linkGates(repository string, d digests) []gatePath {
	link := linkFile(layout.LayersDir(repository), d.layer)
	return []gatePath{{"looks for the link's folder", path.Dir(link)}, {"links the blob", link}}
}

// source is the repository from which a blob is mounted.
func source(repository string) string { return "from/" + repository }

func crossings() []crossing {
	return []crossing{
		{"manifest PUT", orphan, manifestGates, putManifest, false},
		{"identical manifest PUT", untagged, manifestGates, putManifest, false},
		{"upload of an orphan", orphan, uploadGates, upload, true},
		{"upload of a new blob", func(r *realRegistry, repository string, _ v1.Image) { orphan(r, repository, r.random()) }, uploadGates, upload, true},
		{"mount", func(r *realRegistry, repository string, img v1.Image) { orphan(r, source(repository), img) }, func(repository string, d digests) []gatePath {
			at := gatePath{"looks at the source", linkFile(layout.LayersDir(source(repository)), d.layer)}
			return append([]gatePath{at}, uploadGates(repository, d)...)
		}, mount, true},
	}
}

// upload sends an image's layer, whether it is there or not.
func upload(r *realRegistry, repository string, img v1.Image) error {
	resp, err := r.post(repository, "") //nolint:bodyclose // post has closed it
	if err != nil {
		return err
	}
	h, data := r.layer(img)
	return r.send(resp.Header.Get("Location"), h, data)
}

// finish does what comes after: it sends the configuration unless it is there, and the manifest of what the registry has said
// that it has.
func finish(r *realRegistry, repository string, img v1.Image) error {
	config := must[v1.Layer](r.t)(partial.ConfigLayer(img))
	if err := remote.WriteLayer(r.ref(repository+":new").Context(), config, single()...); err != nil {
		return err
	}
	return putManifest(r, repository, img)
}

func (r *realRegistry) post(repository, query string) (*http.Response, error) {
	resp, err := http.Post("http://"+r.addr+"/v2/"+repository+"/blobs/uploads/"+query, "", nil)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp, resp.Body.Close()
}

// layer is an image's only one, with its content.
func (r *realRegistry) layer(img v1.Image) (h v1.Hash, data []byte) {
	layers := must[[]v1.Layer](r.t)(img.Layers())
	content := must[io.ReadCloser](r.t)(layers[0].Compressed())
	defer func() { _ = content.Close() }()
	return must[v1.Hash](r.t)(layers[0].Digest()), must[[]byte](r.t)(io.ReadAll(content))
}

// send is an upload's only request with content.
func (r *realRegistry) send(location string, h v1.Hash, data []byte) error {
	join := "?"
	if strings.Contains(location, "?") {
		join = "&"
	}
	req, err := http.NewRequest(http.MethodPut, location+join+"digest="+h.String(), bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusCreated {
		err = fmt.Errorf("the upload's end is answered with %d", resp.StatusCode)
	}
	return errors.Join(err, resp.Body.Close())
}

// mount asks for an image's layer from another repository, and sends it where that is refused.
func mount(r *realRegistry, repository string, img v1.Image) error {
	h, _ := r.layer(img)
	resp, err := r.post(repository, "?mount="+h.String()+"&from="+source(repository)) //nolint:bodyclose // post has closed it
	if err != nil || resp.StatusCode == http.StatusCreated {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the mount is answered with %d", resp.StatusCode)
	}
	_, data := r.layer(img)
	return r.send(resp.Header.Get("Location"), h, data)
}

// races is a matrix of pushes that cross a collection.
type races struct {
	r       *realRegistry
	options func() sweep.Options
	n       int
	stands  map[string]string // tag to the cell that pushed it
	// How it went: crossed calls, pushes that failed, calls that the registry did not make.
	crossed, failed, passed int
}

// cell has one push begin at a place of a collection, held at a gate, and end at a later place. With kept the repository has
// something that stays; without it goes as a whole.
func (m *races) cell(c crossing, gateNumber int, from, to place, kept bool) {
	r := m.r
	t := r.t
	m.n++
	repository := fmt.Sprintf("team/app%d", m.n)
	img := must[v1.Image](t)(random.Image(200, 1))
	c.prepare(r, repository, img)
	other := r.random()
	orphan(r, repository, other)
	if kept {
		m.stand(repository, "kept", r.random())
	}
	h, _ := r.layer(img)
	d := digests{must[digest.Digest](t)(digest.Parse(r.digest(img).String())), must[digest.Digest](t)(digest.Parse(h.String()))}
	at := c.gates(repository, d)[gateNumber]
	cell := fmt.Sprintf("%s, %s, from %v to %v, kept %v", c.name, at.name, from, to, kept)

	gc := r.hold(m.options())
	if !gc.until(from.step, from.n) {
		t.Fatalf("%s: no such place", cell)
	}
	outcome, err := m.push(c, gc, at.path, repository, img, to)
	tag, stored := repository+":new", err == nil
	// Half of the clients come back when it is over: what they were told is stored has to be there then.
	later := m.n%2 == 0
	if later {
		gc.end()
	}
	if stored && c.part {
		err = finish(r, repository, img)
	}
	if err != nil {
		m.failed++
		outcome += ", failed loudly"
		if stored && later {
			t.Errorf("%s: %s, but what the registry has taken is not there: %v", cell, outcome, err)
		}
		if err := remote.Write(r.ref(tag), img, single()...); err != nil {
			t.Errorf("%s: failed, and once more: %v", cell, err)
		}
	}
	if !later {
		gc.end()
	}
	if outcome == overtaken {
		// A call that takes longer than the whole of it: the next run brings back what it refers to, before it deletes anything.
		r.collect(m.options())
	}
	if err := valid(r.ref(tag)); err != nil {
		t.Errorf("%s: %s, and is broken: %v", cell, outcome, err)
	}
	m.stands[tag] = cell
	// What has gone is not what the registry says that it has.
	m.stand(repository, "other", other)
	if err := valid(r.ref(repository + ":other")); err != nil {
		t.Errorf("%s: pushed afterwards, and broken: %v", cell, err)
	}
	t.Logf("%s: %s", cell, outcome)
}

// overtaken is a push during which a collection has ended.
const overtaken = "crossed all of it"

func (m *races) stand(repository, tag string, img v1.Image) {
	m.r.image(repository+":"+tag, img)
	m.stands[repository+":"+tag] = tag
}

// push is held at a gate until the collection has come to a place, or has ended since it left a repository alone in which
// something is half done.
func (m *races) push(c crossing, gc *held, at, repository string, img v1.Image, to place) (outcome string, err error) {
	g := m.r.gateAt(at)
	pushed := make(chan error, 1)
	go func() { pushed <- c.push(m.r, repository, img) }()
	select {
	case <-g.reached:
		m.crossed++
		outcome = "crossed"
		if !gc.until(to.step, to.n) {
			outcome = overtaken
		}
		g.open()
		return outcome, <-pushed
	case err = <-pushed:
		g.open()
		m.passed++
		return "not held", err
	}
}

// run has each crossing go through the pairs of places that take picks.
func (m *races) run(take func(gate, from, to int, kept bool) bool) {
	m.r.image("quiet/app:1", m.r.random())
	for _, c := range crossings() {
		for gateNumber := range c.gates("any", digests{digest.Of(nil), digest.Of(nil)}) {
			for from := range places() {
				for to := range places() {
					for _, kept := range []bool{false, true} {
						if from < to && take(gateNumber, from, to, kept) {
							m.cell(c, gateNumber, places()[from], places()[to], kept)
						}
					}
				}
			}
		}
	}
	// The runs after it have purged what it put away, so nothing that was needed was there.
	m.r.collect(m.options())
	for tag, cell := range m.stands {
		if err := valid(m.r.ref(tag)); err != nil {
			m.r.t.Errorf("%s: broken after all: %v", cell, err)
		}
	}
	m.r.t.Logf("%d calls crossed, %d were not made, %d of %d pushes failed loudly", m.crossed, m.passed, m.failed, m.n)
	if m.crossed < m.n/3 || m.crossed == 0 {
		m.r.t.Error("too few crossed: this proves nothing")
	}
}

// TestPushesCrossEveryStepOfACollection holds the registry in the middle of a push, at each call that matters, while a
// collection goes from each step to each later one: what was pushed with success can be pulled, and what failed can be repeated at once.
func TestPushesCrossEveryStepOfACollection(t *testing.T) {
	eachProgram(t, pushesCross)
}

func pushesCross(t *testing.T, program string) {
	t.Helper()
	torture := os.Getenv("OPSCTL_TORTURE")
	for name, storage := range map[string]string{"no cache": "", "cache in memory": cached} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			r := startRegistryOf(t, program, storage)
			m := &races{r: r, stands: map[string]string{}, options: func() sweep.Options {
				o := atOnce(true)
				o.Workers, o.Settle, o.PurgeOlderThan = 1, 100*time.Millisecond, 0
				if storage != "" {
					p := must[[]*server.Process](t)(server.Find(r.root))[0]
					o.Running = &sweep.Running{Started: p.Started, Forget: p.Client().Forget, Manifests: p.RemembersManifests()}
				}
				return o
			}}
			m.run(func(gate, from, to int, kept bool) bool {
				switch {
				case torture != "" && torture != "short":
					return true
				case from == 1 && to == 5:
					return kept == (gate%2 == 1)
				}
				return storage == "" && to == from+3 && from != 1 && from == gate%4 && kept == (from < 2)
			})
		})
	}
}
