package sweep

import (
	"path"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// What comes to a repository after it was judged, or to one that was not there, keeps its blobs: they do not even go and come back.
func TestWhatComesAfterMarkingDoesNotGo(t *testing.T) {
	for _, at := range []Step{StepFence, StepForget, StepRecheck} {
		d := newDisk(t)
		kept, _, _ := d.image("a", "kept")
		d.tag("a", "v1", kept)
		_, _, dead := d.image("a", "dead")
		d.ageAll(time.Hour)
		away := ""
		o := during(d.at0(), at, func() {
			fresh, _, _ := d.image("new", "pushed meanwhile")
			d.tag("new", "v1", fresh)
			d.file(layerLink("b", dead), dead.String())
		})
		step := o.Step
		o.Step = func(s Step) {
			if s == StepSettle && away == "" {
				away = "seen"
				d.here("before the store settles", data(dead))
			}
			step(s)
		}
		r := d.collect(o)
		if away == "" || r.Restored.Blobs != 0 {
			t.Errorf("%s: %+v", at, r.Restored)
		}
	}
}

// A manifest that is pushed again while blobs go is whole again before the store settles.
func TestWhatIsPushedWhileBlobsGoIsBackAtOnce(t *testing.T) {
	d := newDisk(t)
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	dead, config, layer := d.image("a", "dead")
	d.ageAll(time.Hour)
	o := during(d.at0(), StepSweep, func() {
		d.file(revision("a", dead), dead.String())
		d.tag("a", "again", dead)
	})
	step, settles := o.Step, 0
	o.Step = func(s Step) {
		if s == StepSettle && settles == 0 {
			d.here("before the store settles", data(dead), data(config), data(layer), layerLink("a", layer))
		}
		if s == StepSettle {
			settles++
		}
		step(s)
	}
	if r := d.collect(o); settles == 0 || r.Restored.Blobs != 3 {
		t.Errorf("%d times, %+v", settles, r.Restored)
	}
}

// A repository that cannot be read whole may refer to anything that is away: nothing is deleted until it can.
func TestNothingIsDeletedWhileARepositoryIsDamaged(t *testing.T) {
	d := newDisk(t)
	kept, _, _ := d.image("a", "kept")
	d.tag("a", "v1", kept)
	d.image("b", "dead")
	d.ageAll(time.Hour)
	d.collect(d.at0())
	link := path.Join(layout.TagsDir("a"), "v1/current/link")
	d.file(link, "")
	purge := func() *Report {
		r, err := d.open(d.at0()).Purge(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := purge(); !r.Unpurged || r.Freed != (Amount{}) || r.Held.Blobs == 0 {
		t.Errorf("%+v", *r)
	}
	d.file(link, kept.String())
	if r := purge(); r.Unpurged || r.Freed.Blobs == 0 || r.Held.Blobs != 0 {
		t.Errorf("%+v", *r)
	}
}
