package sweep

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync"

	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// fence puts a repository's dead links away, and has the registry forget them. A link that it does not forget comes back.
func (r *run) fence(ctx context.Context, v *verdict) error {
	if len(v.parts) > 0 {
		r.step(StepFence)
	}
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
	r.step(StepForget)
	err := r.forget(ctx, r.set, v.row.Name, v.layers, func(d digest.Digest, err error) {
		v.needed = append(v.needed, d)
		v.problems = append(v.problems, r.c.store.LinkProblem(v.row.Name, d, err))
	})
	if err != nil {
		return err
	}
	r.step(StepRecheck)
	return r.rechecks(ctx, v)
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
	s := &scan{c: r.c, r: &restorer{attic: a}}
	if v.row.Removed { // with all that had come to it since it was judged
		if err := s.r.late(ctx, a.rooms[0], layout.RepositoryDir(v.row.Name)); err != nil {
			return err
		}
	}
	g, err := mark.Load(ctx, &view{r.c.store, a}, v.row.Name)
	if err != nil {
		return err
	}
	live := g.Live(mark.Roots{})
	for d := range live.Digests {
		v.needed = append(v.needed, d)
	}
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
	return &attic{rooms: []room{{r.set, layout.Within(tree, r.set.ID)}}, blobs: digest.NewSet("")}, nil
}
