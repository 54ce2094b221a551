package sweep

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
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

	mu     sync.Mutex
	needed digest.Set // blobs that stay
	tagged digest.Set // blobs that deleting untagged manifests would leave
	fresh  digest.Set // blobs whose links this run has put away
}

func (c *Collector) begin() *run {
	return &run{c: c, now: c.o.Now(), report: &Report{
		DeleteUntagged: c.o.DeleteUntagged, Repositories: []Row{}, Problems: []*layout.Problem{}, Seconds: []Phase{},
	}}
}

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
	slices.SortFunc(rep.Repositories, func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
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
		for _, d := range v.layers {
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

// fence puts a repository's dead links away, and has the registry forget them. A link that it does not forget comes back.
func (r *run) fence(ctx context.Context, v *verdict) error {
	for _, p := range v.parts {
		if err := r.set.Take(p.dir, p.names, func(string) {}); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue // the folder has gone meanwhile
			}
			return err
		}
	}
	if r.c.o.Stopped && v.row.Removed {
		if err := r.c.yard.RemoveEmpty(layout.RepositoryDir(v.row.Name), "repositories"); err != nil {
			return err
		}
	}
	if len(v.parts) == 0 {
		return nil
	}
	err := r.forget(ctx, r.set, v.row.Name, v.layers, func(d digest.Digest, err error) {
		v.needed = append(v.needed, d)
		v.problems = append(v.problems, r.c.store.LinkProblem(v.row.Name, d, err))
	})
	if err != nil {
		return err
	}
	return r.recheck(ctx, v)
}

// forgetting is how many layers a registry is asked to forget at a time.
const forgetting = 8

// forget has the registry drop layers of a repository from its cache, and puts back the links of those that it does not.
func (r *run) forget(ctx context.Context, set *quarantine.Set, repository string, layers []digest.Digest, failed func(digest.Digest, error)) error {
	running := r.c.o.Running
	if running == nil {
		return nil
	}
	errs := make([]error, len(layers))
	next := make(chan int)
	var all sync.WaitGroup
	for range min(forgetting, len(layers)) {
		all.Go(func() {
			for i := range next {
				errs[i] = running.Forget(ctx, repository, layers[i])
			}
		})
	}
	for i := range layers {
		next <- i
	}
	close(next)
	all.Wait()
	// Those that it does remember come back also when the run is being stopped.
	back := context.WithoutCancel(ctx)
	for i, err := range errs {
		if err == nil {
			continue
		}
		failed(layers[i], err)
		if _, err := set.Restore(back, path.Join(layout.LayersDir(repository), layers[i].Algorithm(), layers[i].Hex())); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// recheck looks at a repository again right after its links have gone: a push that had been told before that its layers are there
// is made good at once, and not only when the store settles.
func (r *run) recheck(ctx context.Context, v *verdict) error {
	a, err := r.ownAttic()
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	g, err := mark.Load(ctx, &view{r.c.store, a}, v.row.Name)
	if err != nil {
		return err
	}
	live := g.Live(mark.Roots{})
	for d := range live.Digests {
		v.needed = append(v.needed, d)
	}
	s := &scan{c: r.c, r: &restorer{attic: a}}
	err = s.links(ctx, g, live)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Restored.Manifests += s.r.sum.Manifests
	return err
}

// ownAttic is what this run has put away so far, apart from blobs.
func (r *run) ownAttic() (*attic, error) {
	tree, err := r.set.Tree()
	if err != nil {
		return nil, err
	}
	return &attic{rooms: []room{{r.set, layout.Within(tree, r.set.ID)}}}, nil
}

// recover makes good what a run before was killed at: it restores what is referred to, and has the registry forget what that
// run has put away and may not have told it.
func (r *run) recover(ctx context.Context) error {
	sets, err := r.c.yard.Sets()
	if err != nil || len(sets) == 0 {
		return err
	}
	if err := r.again(ctx, nil); err != nil {
		return err
	}
	for _, set := range sets {
		if set.Kind != Kind {
			continue
		}
		if _, err := set.Read(doneFile); err == nil {
			continue
		}
		if err := r.forgetAll(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

// doneFile is written when the registry has forgotten all of a set.
const doneFile = "fenced"

func (r *run) forgetAll(ctx context.Context, set *quarantine.Set) error {
	running := r.c.o.Running
	if running == nil || set.Begun.Before(running.Started) {
		return nil
	}
	a, err := openAttic([]*quarantine.Set{set})
	if err != nil {
		return err
	}
	for _, room := range a.rooms {
		for name, trouble := range room.store.Repositories() {
			if trouble != nil {
				continue
			}
			var layers []digest.Digest
			for d, trouble := range room.store.LinkFolders(layout.LayersDir(name)) {
				if trouble == nil {
					layers = append(layers, d)
				}
			}
			err = errors.Join(err, r.forget(ctx, set, name, layers, func(d digest.Digest, err error) {
				r.report.Problems = append(r.report.Problems, r.c.store.LinkProblem(name, d, err))
			}))
		}
	}
	if err := errors.Join(err, a.close()); err != nil {
		return err
	}
	return set.Write(doneFile, nil)
}

// again scans until a scan restores nothing.
func (r *run) again(ctx context.Context, late *quarantine.Set) error {
	for {
		s, err := r.scan(ctx, late)
		if err != nil {
			return err
		}
		if s.r.back == 0 {
			return nil
		}
	}
}

func (r *run) scan(ctx context.Context, late *quarantine.Set) (*scan, error) {
	sets, err := r.c.yard.Sets()
	if err != nil {
		return nil, err
	}
	s, err := r.c.pass(ctx, sets, late, &r.report.Restored)
	if s != nil {
		r.report.Problems = append(r.report.Problems, s.problems...)
		r.report.Incomplete = r.report.Incomplete || s.incomplete
	}
	return s, err
}

// maxSettles is after how many times the settle time a store that never rests is left: what is in quarantine stays there, and
// the next run begins by looking again.
const maxSettles = 10

// settle watches the store until nothing has changed for a while.
func (r *run) settle(ctx context.Context) error {
	if err := r.set.Write(doneFile, nil); err != nil {
		return err
	}
	rep := r.reporter("watching the store come to rest")
	rep.Start(-1)
	defer rep.Done()
	begun := time.Now()
	rest, restored, last := begun, begun, uint64(0)
	for {
		s, err := r.scan(ctx, r.set)
		if err != nil {
			if ctx.Err() != nil {
				err = errors.Join(err, r.again(context.WithoutCancel(ctx), r.set))
			}
			return err
		}
		rep.Add(1)
		now := time.Now()
		if s.r.back > 0 {
			restored = now
		}
		if s.r.back > 0 || s.fingerprint != last {
			rest, last = now, s.fingerprint
		}
		switch {
		case s.r.back > 0 && r.c.o.Settle == 0:
			continue
		case now.Sub(rest) >= r.c.o.Settle:
			return r.c.yard.Sync()
		case now.Sub(begun) >= maxSettles*r.c.o.Settle && now.Sub(restored) >= r.c.o.Settle:
			r.report.Unsettled = true
			return r.c.yard.Sync()
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(r.c.o.Settle/6, r.c.o.Settle-now.Sub(rest), 10*time.Second)):
		}
	}
}

// purge deletes old sets.
func (r *run) purge(ctx context.Context, age time.Duration) error {
	if r.report.Incomplete { // what could not be read may refer to them
		return nil
	}
	old, err := r.c.old(age)
	if err != nil {
		return err
	}
	for _, set := range old {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := weigh(set, &r.report.Freed); err != nil {
			return err
		}
		if err := set.Purge(); err != nil {
			return err
		}
	}
	return nil
}

// weigh adds what a set holds.
func weigh(set *quarantine.Set, sum *Amount) error {
	tree, err := set.Tree()
	if err != nil {
		return err
	}
	store := layout.Within(tree, "")
	for blob, trouble := range store.Blobs() {
		if trouble == nil {
			sum.Blobs++
			sum.Bytes += blob.Bytes
		}
	}
	for file := range store.Files("repositories", "link") {
		if strings.Contains(file, "/_manifests/revisions/") {
			sum.Manifests++
		}
	}
	return store.Close()
}
