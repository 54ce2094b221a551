package lockfile

import (
	"context"
	"errors"
	"time"
)

// AcquireWithin takes the lock as [Acquire] does, and tries again for up to limit while another process holds it: for work
// that is short, and that each who comes wants done. After limit the error is the last *HeldError; where ctx ends first it is
// ctx's. Who waits longest is not served first.
func AcquireWithin(ctx context.Context, path string, limit time.Duration) (*Lock, error) {
	// flock(2) that waits could not be given up: the kernel has no time limit for it.
	end := time.NewTimer(limit)
	defer end.Stop()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		lock, err := Acquire(path)
		if _, held := errors.AsType[*HeldError](err); !held {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-end.C:
			return nil, err
		case <-time.After(pause):
		}
	}
}

// The pauses between two tries double from the first to the longest.
const (
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)
