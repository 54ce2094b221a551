package sweep

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// recover makes good what a run before was killed at: it restores what is referred to, and has the registry forget what that
// run has put away and may not have told it.
func (r *run) recover(ctx context.Context) error {
	sets, err := r.c.yard.Sets()
	if err != nil || len(sets) == 0 {
		return err
	}
	if err := r.again(ctx); err != nil {
		return err
	}
	if err := r.clear(sets); err != nil {
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

// clear removes the folders of repositories that went as a whole while a registry ran, or just before the run was killed, where
// none runs now.
func (r *run) clear(sets []*quarantine.Set) error {
	if !r.c.o.Stopped {
		return nil
	}
	a, err := openAttic(sets)
	if err != nil {
		return err
	}
	for _, room := range a.rooms {
		for name, trouble := range room.store.Repositories() {
			if trouble == nil {
				err = errors.Join(err, r.c.yard.RemoveEmpty(layout.RepositoryDir(name), "repositories"))
			}
		}
	}
	return errors.Join(err, a.close())
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
func (r *run) again(ctx context.Context) error {
	for {
		s, err := r.scan(ctx)
		if err != nil {
			return err
		}
		if s.r.back == 0 {
			return nil
		}
	}
}

func (r *run) scan(ctx context.Context) (*scan, error) {
	sets, err := r.c.yard.Sets()
	if err != nil {
		return nil, err
	}
	var needed *digest.Set
	if r.fenced {
		needed = r.needed
	}
	s, err := r.c.pass(ctx, sets, needed, &r.report.Restored)
	if s != nil {
		r.report.Problems = append(r.report.Problems, s.problems...)
		r.report.Incomplete = r.report.Incomplete || s.incomplete
		r.damaged = r.damaged || s.damaged
	}
	return s, err
}

// maxSettles is after how many times the settle time a store that never rests is left: what is in quarantine stays there, and
// the next run begins by looking again.
const maxSettles = 10

// restFile is written when the store has come to rest after a set: nobody can be writing to its folders any more.
const restFile = "settled"

// settle watches the store until nothing has changed for a while. However it ends, what is referred to has come back.
func (r *run) settle(ctx context.Context) error {
	err := r.set.Write(doneFile, nil)
	if err == nil {
		err = r.watch(ctx)
	}
	if err != nil {
		return errors.Join(err, r.again(context.WithoutCancel(ctx)))
	}
	return errors.Join(r.c.yard.Sync(), r.set.Write(restFile, nil))
}

func (r *run) watch(ctx context.Context) error {
	rep := r.reporter("watching the store come to rest")
	rep.Start(-1)
	defer rep.Done()
	begun := time.Now()
	rest, restored, last := begun, begun, uint64(0)
	for {
		r.step(StepSettle)
		s, err := r.scan(ctx)
		if err != nil {
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
			return nil
		case now.Sub(begun) >= maxSettles*r.c.o.Settle && now.Sub(restored) >= r.c.o.Settle:
			r.report.Unsettled = true
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(r.c.o.Settle/6, r.c.o.Settle-now.Sub(rest), 10*time.Second)):
		}
	}
}

// purge deletes old sets, after a scan.
func (r *run) purge(ctx context.Context, age time.Duration) error {
	old, err := r.c.old(age)
	if err != nil || len(old) == 0 {
		return err
	}
	if r.report.Incomplete || r.damaged { // what could not be read may refer to them
		r.report.Unpurged = true
		return nil
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
