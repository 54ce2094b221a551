package test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/opsctl/opsctl/pkg/registry/server"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// traffic is clients that push, overwrite, delete and pull, and know what has to be there.
type traffic struct {
	r      *realRegistry
	layers []v1.Layer // that images share: some are orphans at any time

	mu sync.Mutex
	// stands are the tags for which the registry has said yes.
	stands map[string]v1.Image

	pushes, failed, twice, pulls, late, failedPulls atomic.Int64
	broken                                          atomic.Int64

	// patience is how long a pull is repeated.
	patience time.Duration

	// rounds of the collector; the clients go on until there were enough.
	rounds atomic.Int64
}

// enough rounds for pushes to have met a collector; a bound on the pushes ends it where it never comes round.
const (
	enough = 5
	bound  = 10
)

func newTraffic(r *realRegistry) *traffic {
	tr := &traffic{r: r, stands: map[string]v1.Image{}}
	for range 24 {
		tr.layers = append(tr.layers, must[v1.Layer](r.t)(random.Layer(300, types.DockerLayer)))
	}
	return tr
}

// single has no retries of the client's own, so that failures are counted.
func single() []remote.Option {
	return []remote.Option{
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithRetryPredicate(func(error) bool { return false }),
		remote.WithRetryStatusCodes(), remote.WithJobs(2),
	}
}

// image is of shared layers, with one of its own now and then.
func (tr *traffic) image(rng *rand.Rand) (v1.Image, error) {
	var layers []v1.Layer
	for range 1 + rng.IntN(3) {
		layers = append(layers, tr.layers[rng.IntN(len(tr.layers))])
	}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	return mutate.Config(img, v1.Config{Labels: map[string]string{"n": fmt.Sprint(rng.Uint64())}})
}

// worker does n pushes to tags of its own.
func (tr *traffic) worker(number, n int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, uint64(number)))
	var former []v1.Image
	for i := 0; i < n || tr.rounds.Load() < enough && i < bound*n; i++ {
		tag := fmt.Sprintf("team%d/app%d:w%d-%d", rng.IntN(3), rng.IntN(2), number, rng.IntN(6))
		img, err := tr.image(rng)
		if len(former) > 0 && rng.IntN(3) == 0 { // what was pushed before, and may be garbage by now
			img = former[rng.IntN(len(former))]
		}
		if err != nil {
			tr.r.t.Error(err)
			return
		}
		tr.push(tag, img)
		former = append(former, img)
		switch rng.IntN(4) {
		case 0:
			tr.remove(tag)
		case 1:
			tr.promote(tag, fmt.Sprintf("prod%d/app:w%d-%d", rng.IntN(2), number, i%4))
		case 2:
			tr.pull(tag)
		}
	}
}

// push counts a push; one that fails has to succeed when it is repeated.
func (tr *traffic) push(tag string, img v1.Image) {
	tr.pushes.Add(1)
	ref := tr.r.ref(tag)
	err := remote.Write(ref, img, single()...)
	if err != nil {
		tr.failed.Add(1)
		tr.r.t.Logf("a push failed, loudly: %v", err)
		if err = remote.Write(ref, img, single()...); err != nil {
			tr.twice.Add(1)
			tr.r.t.Logf("and when repeated: %v", err)
			return
		}
	}
	tr.mu.Lock()
	tr.stands[tag] = img
	tr.mu.Unlock()
}

// promote copies a tag to another repository: its layers are mounted.
func (tr *traffic) promote(from, to string) {
	if !tr.standing(from) {
		return
	}
	var img v1.Image
	if tr.fetch(from, func(ref name.Reference) (err error) {
		img, err = remote.Image(ref, single()...)
		return err
	}) {
		tr.push(to, img)
	}
}

func (tr *traffic) standing(tag string) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	_, ok := tr.stands[tag]
	return ok
}

// fetch repeats a pull that fails: an image that was pushed again just when its manifest, unused until then, went is back as
// soon as the collector has looked.
func (tr *traffic) fetch(tag string, pull func(name.Reference) error) bool {
	tr.pulls.Add(1)
	begun := time.Now()
	for tries := 0; ; tries++ {
		err := pull(tr.r.ref(tag))
		if err == nil {
			return true
		}
		if tries == 0 {
			tr.late.Add(1)
			tr.r.t.Logf("pulling %s: %v", tag, err)
		}
		if time.Since(begun) >= tr.patience {
			tr.failedPulls.Add(1)
			return false
		}
	}
}

// remove deletes a tag as 2.8.2 can: with its digest, and all tags of that digest in its repository.
func (tr *traffic) remove(tag string) {
	tr.mu.Lock()
	img, ok := tr.stands[tag]
	if !ok {
		tr.mu.Unlock()
		return
	}
	ref := tr.r.ref(tag)
	digest, err := img.Digest()
	for other, same := range tr.stands {
		if d, failed := same.Digest(); failed == nil && d == digest && tr.r.ref(other).Context() == ref.Context() {
			delete(tr.stands, other)
		}
	}
	tr.mu.Unlock()
	if err == nil {
		err = remote.Delete(ref.Context().Digest(digest.String()), single()...)
	}
	if err != nil {
		tr.r.t.Logf("deleting %s: %v", tag, err)
	}
}

func (tr *traffic) pull(tag string) {
	if tr.standing(tag) {
		tr.fetch(tag, valid)
	}
}

// valid has the client pull an image in full and check all its sums.
func valid(ref name.Reference) error {
	img, err := remote.Image(ref, single()...)
	if err != nil {
		return err
	}
	return validate.Image(img)
}

// run has workers do all pushes while collect goes round, and counts what is broken in the end.
func (tr *traffic) run(workers, each int, seed uint64, collect func(context.Context) error) (rounds int) {
	t := tr.r.t
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		for ctx.Err() == nil {
			if err := collect(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
				break
			}
			tr.rounds.Add(1)
		}
		done <- int(tr.rounds.Load())
	}()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { tr.worker(w, each, seed) })
	}
	all.Wait()
	cancel()
	rounds = <-done
	for tag := range tr.stands {
		if err := valid(tr.r.ref(tag)); err != nil {
			tr.broken.Add(1)
			t.Logf("%s is broken: %v", tag, err)
		}
	}
	t.Logf("%d rounds, %d pushes, %d failed, %d twice, %d pulls, %d late, %d failed, %d tags stand, %d broken",
		rounds, tr.pushes.Load(), tr.failed.Load(), tr.twice.Load(), tr.pulls.Load(), tr.late.Load(), tr.failedPulls.Load(), len(tr.stands), tr.broken.Load())
	return rounds
}

// TestCollectingWhileClientsPush: no push that said success is broken, and no pull fails, or, one in a hundred at most, only at once
// and not when it is repeated.
func TestCollectingWhileClientsPush(t *testing.T) { eachProgram(t, collectingWhileClientsPush) }

func collectingWhileClientsPush(t *testing.T, program string) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for name, storage := range map[string]string{"no cache": "", "cache in memory": cached} {
		t.Run(name, func(t *testing.T) {
			r := startRegistryOf(t, program, storage)
			tr := newTraffic(r)
			tr.patience = 5 * time.Second
			tr.push("first/app:1", r.random())
			var gone sweep.Amount
			rounds := tr.run(3, 170, seed, func(ctx context.Context) error {
				o := atOnce(true)
				o.Grace, o.Settle, o.PurgeOlderThan, o.Workers = time.Second, 300*time.Millisecond, 3*time.Second, 8
				if storage != "" {
					p := must[[]*server.Process](t)(server.Find(r.root))
					o.Running = &sweep.Running{Started: p[0].Started, Forget: p[0].Client().Forget, Manifests: p[0].RemembersManifests()}
				}
				report, err := r.collector(o).Collect(ctx)
				if report != nil {
					gone.Blobs += report.Quarantined.Blobs
					for _, trouble := range report.Problems {
						t.Log(trouble)
					}
				}
				if errors.Is(err, context.Canceled) {
					err = nil
				}
				return err
			})
			if rounds < 3 || gone.Blobs == 0 {
				t.Errorf("%d rounds, %+v collected: this proves nothing", rounds, gone)
			}
			if tr.broken.Load() > 0 || tr.failedPulls.Load() > 0 || tr.twice.Load() > 0 ||
				tr.failed.Load()*100 > tr.pushes.Load() || tr.late.Load()*100 > tr.pulls.Load() {
				t.Error("images were lost, or pushes or pulls failed too often")
			}
		})
	}
	t.Run("the official collector", func(t *testing.T) {
		r := startRegistryOf(t, program, cached)
		tr := newTraffic(r)
		tr.push("first/app:1", r.random())
		tr.run(3, 60, seed, func(ctx context.Context) error {
			cmd := exec.CommandContext(ctx, r.program, "garbage-collect", "-m", r.conf)
			_ = cmd.Run() // it aborts when a file goes away under it
			return nil
		})
		if tr.broken.Load()+tr.twice.Load()+tr.failedPulls.Load() == 0 {
			t.Error("the official collector loses nothing: this proves nothing")
		}
	})
}
