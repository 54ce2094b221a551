package sweep

import (
	"context"
	"errors"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// run is one collection under way. Without a set it is a plan.
type run struct {
	c      *Collector
	report *Report
	now    time.Time
	set    *quarantine.Set

	// fenced: all dead links are away, and what is referred to from now on is needed.
	fenced bool
	// damaged: a scan has found a repository that cannot be read whole.
	damaged bool

	mu     sync.Mutex
	needed *digest.Set // blobs that stay
	tagged *digest.Set // blobs that deleting untagged manifests would leave
	fresh  *digest.Set // blobs whose links this run has put away
}

func (c *Collector) begin() *run {
	return &run{
		c: c, now: c.o.Now(), needed: digest.NewSet(""), tagged: digest.NewSet(""), fresh: digest.NewSet(""),
		report: &Report{
			DeleteUntagged: c.o.DeleteUntagged, Repositories: []Row{}, Problems: []*layout.Problem{}, Seconds: []Phase{},
		},
	}
}

// close gives up what the sets have on disk.
func (r *run) close() error { return errors.Join(r.needed.Close(), r.tagged.Close(), r.fresh.Close()) }

// disk is the first error of the sets' files: what they say since then is not to be acted on.
func (r *run) disk() error { return errors.Join(r.needed.Err(), r.tagged.Err(), r.fresh.Err()) }

// phase times a part of the run.
func (r *run) phase(name string, do func() error) error {
	begun := time.Now()
	err := do()
	r.report.Seconds = append(r.report.Seconds, Phase{name, time.Since(begun).Seconds()})
	return err
}

// finish completes the report with what lies in quarantine.
func (r *run) finish() (*Report, error) {
	rep := r.report
	if err := r.close(); err != nil {
		return rep, err
	}
	sort.SliceStable(rep.Repositories, func(i, j int) bool { return rep.Repositories[i].Name < rep.Repositories[j].Name })
	mark.SortProblems(rep.Problems)
	rep.Problems = slices.CompactFunc(rep.Problems, func(a, b *layout.Problem) bool { return a.Path == b.Path })
	sets, err := r.c.yard.Sets()
	if err != nil {
		return rep, err
	}
	for _, set := range sets {
		empty, err := r.dropEmpty(set)
		if err != nil {
			return rep, err
		}
		if empty {
			continue
		}
		if err := weigh(set, &rep.Held); err != nil {
			return rep, err
		}
		if until := set.Begun.Add(r.c.o.PurgeOlderThan); rep.HeldUntil == nil && r.c.o.PurgeOlderThan >= 0 {
			rep.HeldUntil = &until
		}
		if r.set != nil && set.ID == r.set.ID {
			rep.UndoID = set.ID
		}
	}
	return rep, nil
}

// dropEmpty deletes the run's own set when it holds nothing.
func (r *run) dropEmpty(set *quarantine.Set) (bool, error) {
	if r.set == nil || set.ID != r.set.ID {
		return false, nil
	}
	empty, err := set.Empty()
	if err != nil || !empty {
		return false, err
	}
	return true, set.Purge()
}

func (r *run) reporter(phase string) progress.Reporter {
	if r.c.o.Progress == nil {
		return progress.OrNop(nil)
	}
	return progress.OrNop(r.c.o.Progress(phase))
}

// mark judges each repository, and fences what is dead in it when this is no plan.
func (r *run) mark(ctx context.Context) error {
	o := r.c.o
	rep := r.reporter("marking repositories")
	rep.Start(-1)
	defer rep.Done()
	j := &judge{
		store: r.c.store, now: r.now, cutoff: r.now.Add(-o.Grace), aged: o.Grace > 0,
		roots:   mark.Roots{DeleteUntagged: o.DeleteUntagged, Keep: o.Keep},
		compare: r.set == nil && !o.DeleteUntagged,
	}
	if j.aged {
		j.roots.Since = j.cutoff
	}
	if r.report.Incomplete { // a scan before has found that
		return nil
	}
	listing, err := mark.Each(ctx, r.c.store, o.Workers, func(g *mark.Graph) error {
		rep.Add(1)
		v := j.repository(g)
		if r.set != nil && len(v.parts) > 0 {
			var err error
			if v, err = r.lull(ctx, j, v); err == nil {
				err = r.fence(ctx, v)
			}
			if err != nil {
				return err
			}
		}
		r.take(v)
		return nil
	})
	r.report.Problems = append(r.report.Problems, listing.Problems...)
	r.report.Incomplete = r.report.Incomplete || listing.Incomplete
	if r.set != nil {
		err = errors.Join(err, r.c.yard.Sync())
	}
	return err
}

// take adds a repository to the report and to the sets of blobs.
func (r *run) take(v *verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range v.needed {
		r.needed.Add(d)
	}
	for _, d := range v.tagged {
		r.tagged.Add(d)
	}
	if r.set != nil && r.c.o.Grace > 0 {
		for _, d := range v.fenced {
			r.fresh.Add(d)
		}
	}
	r.report.Kept.Manifests += v.row.Manifests
	r.report.Quarantined.Manifests += v.row.DeadManifests
	r.report.Problems = append(r.report.Problems, v.problems...)
	r.report.Incomplete = r.report.Incomplete || v.unsure
	if !v.row.Quiet() {
		r.report.Repositories = append(r.report.Repositories, v.row)
	}
	if r.set == nil && !r.c.o.DeleteUntagged {
		if r.report.Untagged == nil {
			r.report.Untagged = &Amount{}
		}
		r.report.Untagged.Manifests += v.extra
	}
}
