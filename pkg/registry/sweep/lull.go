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
)

// lull waits for a moment in which nothing is being pushed to a repository, and judges it anew when something was.
func (r *run) lull(ctx context.Context, j *judge, v *verdict) (*verdict, error) {
	for end := time.Now().Add(patient); time.Now().Before(end); {
		rest := quiet - time.Since(r.touched(v.row.Name))
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
	}
	return v, nil
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
