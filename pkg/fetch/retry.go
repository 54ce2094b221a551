package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

const (
	// firstWait doubles with every failure, up to lastWait.
	firstWait = 500 * time.Millisecond
	lastWait  = 15 * time.Second
	// maxRetryAfter is the longest wait that a server may ask for.
	maxRetryAfter = 2 * time.Minute
	// maxAttempts bounds a download that gets on a little with every attempt.
	maxAttempts = 100
)

// errStalled is the cause of a context whose server sent next to nothing for long.
var errStalled = errors.New("the server has stopped sending")

// transientError is of an attempt that may go better the next time.
type transientError struct {
	err error
	// after is how long the server asks to wait, 0 when it does not.
	after time.Duration
}

// Error is the cause's.
func (e *transientError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *transientError) Unwrap() error { return e.err }

// retry calls try until it succeeds, fails for good, or has failed too often in a
// row without getting on, which its first result tells.
func (m *Mirror) retry(ctx context.Context, try func(context.Context) (bool, error)) error {
	failures := 0
	for attempt := 1; ; attempt++ {
		progressed, err := try(ctx)
		transient, ok := errors.AsType[*transientError](err)
		if !ok {
			return err
		}
		if progressed {
			failures = 0
		}
		failures++
		switch {
		case failures >= m.opts.Attempts || attempt >= maxAttempts:
			return fmt.Errorf("%w (gave up after %d attempts)", err, attempt)
		case transient.after > maxRetryAfter:
			return fmt.Errorf("%w (and asks to wait for %s)", err, transient.after)
		}
		if err := sleep(ctx, max(backoff(failures), transient.after)); err != nil {
			return fmt.Errorf("%w, after: %w", err, transient.err)
		}
	}
}

// backoff is how long to wait after so many failures: exponential, and between half
// of it and the whole at random, so that many hosts do not come back at once.
func backoff(failures int) time.Duration {
	wait := lastWait
	if shift := failures - 1; shift < 10 {
		wait = min(firstWait<<shift, lastWait)
	}
	return wait/2 + rand.N(wait/2) //nolint:gosec // G404: nothing here is secret.
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// minBytes is what must come within the stall limit: who sends a byte now and then
// holds a run up as well as who sends none.
const minBytes = 1 << 10

// stallWatch cancels a request, with errStalled, when too little comes for too long.
type stallWatch struct {
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// watchStall begins to watch, which the connecting is part of.
func watchStall(ctx context.Context, limit time.Duration) (context.Context, *stallWatch) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("%w for %s", errStalled, limit)) })
	return ctx, &stallWatch{limit: limit, timer: timer, cancel: cancel}
}

func (w *stallWatch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// reader counts what comes.
func (w *stallWatch) reader(r io.Reader) io.Reader {
	w.timer.Reset(w.limit)
	return &watchedReader{watch: w, r: r}
}

type watchedReader struct {
	watch *stallWatch
	r     io.Reader
	n     int
}

// Read implements io.Reader.
func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.n += n; r.n >= minBytes {
		r.n = 0
		r.watch.timer.Reset(r.watch.limit)
	}
	return n, err
}
