package datadir

import (
	"context"
	"sync"
	"sync/atomic"
)

// forEach calls do with 0 to n-1 from at most workers goroutines and returns when all calls have; ctx's error where it ended
// before the last of them began.
func forEach(ctx context.Context, workers, n int, do func(int)) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(max(workers, 1), n) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	group.Wait()
	return ctx.Err()
}
