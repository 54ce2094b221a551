// Package sweep collects a registry's garbage while the registry runs: nothing is deleted that anything refers to, and
// nothing at all by the run that finds it dead. What nothing needs is renamed into a quarantine on the same file system,
// links first, so that a client that asks is told to push again; blobs follow once their links have been away for
// long enough. Then the store is watched until it has come to rest, and what is referred to again comes back. A later run
// deletes, after it has marked anew. Each step is a rename: a run that was killed leaves a store that the next one makes
// good, and undoing is renaming back.
//
// The order of the steps answers what distribution does with its files (registry/storage: linkedblobstore.go,
// blobwriter.go, blobstore.go); see docs/registry.md.
package sweep

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// Kind is that of the sets that collections make.
const Kind = "registry gc"

// Options are how to collect.
type Options struct {
	// DeleteUntagged also collects the manifests to which no tag leads.
	DeleteUntagged bool
	// Keep are manifests that are kept all the same; nil is none.
	Keep *digest.Set
	// Grace is how old a link or upload has to be to be touched, and for how long the links to a blob have to be away
	// before it follows. Zero does all in one run.
	Grace time.Duration
	// Settle is how long the store has to rest at the end.
	Settle time.Duration
	// PurgeOlderThan deletes what was put away longer ago; negative: nothing is deleted.
	PurgeOlderThan time.Duration
	// Workers is how many repositories are read at a time.
	Workers int
	// Running is the registry that uses the store meanwhile and keeps what it has seen in memory; nil: it does not, or
	// does not run.
	Running *Running
	// Stopped: no registry uses the store. Folders that are left empty go too then.
	Stopped bool

	Now      func() time.Time
	Progress func(phase string) progress.Reporter // nil: none
	// Step is called where a push may cross the run, and holds it until it returns; nil outside tests.
	Step func(Step)
}

// Step is a place in a run.
type Step string

// The places, in the order in which a run comes to them; from the fence to the second look once for a repository, the last one
// before each look at the store.
const (
	StepMark    Step = "mark"    // before any repository is read
	StepFence   Step = "fence"   // judged, before its links go
	StepForget  Step = "forget"  // they have gone, before a running registry is told
	StepRecheck Step = "recheck" // before the repository is looked at again
	StepSweep   Step = "sweep"   // before blobs go
	StepSettle  Step = "settle"  // they have gone
)

func (r *run) step(at Step) {
	if r.c.o.Step != nil {
		r.c.o.Step(at)
	}
}

// Running is a registry that has a cache of blob descriptors.
type Running struct {
	// Started is since when it may have seen a blob; the zero value is for ever, for a cache that outlives it.
	Started time.Time
	// Forget has it drop a layer, and reports an error unless it then denies having it.
	Forget func(ctx context.Context, repository string, d digest.Digest) error
	// Manifests reports whether it would take a manifest for stored that it has seen before.
	Manifests bool
}

// Collector works on one store. It is for one goroutine.
type Collector struct {
	o     Options
	store *layout.Store
	yard  *quarantine.Yard
}

// Open opens the store below a root directory. The error wraps [layout.ErrNotRegistry]. The caller closes it.
func Open(root string, o Options) (*Collector, error) {
	store, err := layout.Open(root)
	if err != nil {
		return nil, err
	}
	yard, err := quarantine.Open(layout.Dir(root))
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Collector{o, store, yard}, nil
}

// Close ends the use of the store.
func (c *Collector) Close() error { return errors.Join(c.store.Close(), c.yard.Close()) }

// start is what each command that changes the store begins with: the lock, and the end of a purge that was stopped. The
// error is a [*lockfile.HeldError] when another one is at work.
func (c *Collector) start() (*lockfile.Lock, error) {
	lock, err := c.yard.Lock()
	if err != nil {
		return nil, err
	}
	if err := c.yard.FinishPurges(); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// Plan finds what [Collector.Collect] would do now. Nothing is opened for writing.
func (c *Collector) Plan(ctx context.Context) (*Report, error) {
	r := c.begin()
	err := r.phase("mark", func() error { return r.mark(ctx) })
	if err == nil {
		err = r.phase("blobs", func() error { return r.blobs(ctx) })
	}
	if err != nil {
		return nil, err
	}
	return r.finish()
}

// Collect collects. When it ends early, also by the context, what was put away and is referred to has been restored, and the
// report says what was done so far.
func (c *Collector) Collect(ctx context.Context) (report *Report, err error) {
	lock, err := c.start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	r := c.begin()
	err = r.collect(ctx)
	report, failed := r.finish()
	return report, errors.Join(err, failed)
}

func (r *run) collect(ctx context.Context) error {
	if err := r.phase("recover", func() error { return r.recover(ctx) }); err != nil {
		return err
	}
	if err := r.phase("purge", func() error { return r.purge(ctx, r.c.o.PurgeOlderThan) }); err != nil {
		return err
	}
	var err error
	if r.set, err = r.c.yard.Begin(r.now, Kind); err != nil {
		return err
	}
	r.step(StepMark)
	err = r.phase("mark and fence", func() error { return r.mark(ctx) })
	if err == nil {
		r.fenced = true
		err = r.phase("look again", func() error { return r.again(ctx) })
		r.fenced = false
	}
	if err == nil {
		r.step(StepSweep)
		err = r.phase("sweep", func() error { return r.blobs(ctx) })
	}
	// Whatever went wrong, what is referred to comes back; a second signal ends the process.
	if err != nil {
		return errors.Join(err, r.phase("restore", func() error { return r.again(context.WithoutCancel(ctx)) }))
	}
	return r.phase("settle", func() error { return r.settle(ctx) })
}

// Purge deletes what was put away longer ago than age, after marking the store and restoring what is referred to.
func (c *Collector) Purge(ctx context.Context, age time.Duration) (report *Report, err error) {
	lock, err := c.start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	r := c.begin()
	err = r.phase("mark", func() error { return r.recover(ctx) })
	if err == nil {
		err = r.phase("purge", func() error { return r.purge(ctx, age) })
	}
	report, failed := r.finish()
	return report, errors.Join(err, failed)
}

// PlanPurge counts what [Collector.Purge] would delete, were nothing of it referred to.
func (c *Collector) PlanPurge(age time.Duration) (*Report, error) {
	r := c.begin()
	sets, err := c.old(age)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if err := weigh(set, &r.report.Freed); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

// old are the sets that have been away for longer than age.
func (c *Collector) old(age time.Duration) ([]*quarantine.Set, error) {
	if age < 0 {
		return nil, nil
	}
	sets, err := c.yard.Sets()
	if err != nil {
		return nil, err
	}
	var old []*quarantine.Set
	for _, set := range sets {
		if c.o.Now().Sub(set.Begun) >= age {
			old = append(old, set)
		}
	}
	return old, nil
}

// ages is the file that says since when each dead blob has been without a link.
func (c *Collector) ages() string { return filepath.Join(c.yard.Dir(), "ages") }
