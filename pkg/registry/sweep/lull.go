package sweep

import (
	"context"
	"path"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// A push leaves its last trace, a link or the end of an upload, some milliseconds before its manifest. Links are put away when a
// repository has been quiet for so long; in one that never is they are all the same, which a client may have to repeat
// its push for.
const (
	quiet   = 100 * time.Millisecond
	patient = 2 * time.Second
	// warm is a repository to which something came so lately that a push may be under way.
	warm = 10 * time.Second
)

// looks are when a warm repository is looked at again after its links have gone: a push whose layers were there when it asked
// ends in between.
func looks() []time.Duration {
	return []time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond, 300 * time.Millisecond}
}

// lull waits for a moment in which nothing is being pushed to a repository, and judges it anew when something was.
func (r *run) lull(ctx context.Context, j *judge, v *verdict) (*verdict, error) {
	for end := time.Now().Add(patient); time.Now().Before(end); {
		idle := time.Since(r.touched(v.row.Name))
		v.warm = idle < warm
		rest := quiet - idle
		if rest <= 0 {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(min(rest, quiet)):
		}
		g, err := mark.Load(ctx, r.c.store, v.row.Name)
		if err != nil {
			return nil, err
		}
		v = j.repository(g)
		v.warm = true
	}
	return v, nil
}

// rechecks looks at a repository at once, and at a warm one some times more.
func (r *run) rechecks(ctx context.Context, v *verdict) error {
	for _, wait := range looks() {
		if wait > 0 && (!v.warm || r.c.o.Settle == 0) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		if err := r.recheck(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// touched is when something last came to a repository, or went, as far as its folders tell.
func (r *run) touched(repository string) time.Time {
	var last time.Time
	for _, dir := range []string{
		layout.UploadsDir(repository), path.Join(layout.LayersDir(repository), "sha256"),
		path.Join(layout.RevisionsDir(repository), "sha256"), layout.TagsDir(repository),
	} {
		if at, err := r.c.store.Modified(dir); err == nil && at.After(last) && !at.After(time.Now()) {
			last = at
		}
	}
	return last
}
