// Package health waits until a service answers as it should: over HTTP, and for as long
// as a settle window.
package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Check is one look at a service. An error that wraps ErrNotYet means: look again.
type Check func(context.Context) error

// ErrNotYet is in the error of a check that may still pass.
var ErrNotYet = errors.New("not yet")

// ErrAdvancing is in the error of a check that has not passed yet, but sees that it is being worked on, and has got further
// since the last look. It comes together with ErrNotYet.
var ErrAdvancing = errors.New("it is getting on")

// Gate says how long to look.
type Gate struct {
	Wait     time.Duration // for the check to pass the first time, at most
	Patience time.Duration // how much of it may pass without getting on (ErrAdvancing); 0 is all of Wait
	Settle   time.Duration // how long it has to go on passing
	Every    time.Duration // between two looks; 0 is 100 ms
}

// Pass looks until the check has passed without a break for the settle window. Any error
// but one that wraps ErrNotYet ends it at once, as does one of the latter kind after Wait or Patience.
func (g Gate) Pass(ctx context.Context, check Check) error {
	every := g.Every
	if every == 0 {
		every = 100 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	deadline := time.Now().Add(g.Wait)
	patience := g.Patience
	if patience == 0 {
		patience = g.Wait
	}
	advanced := time.Now()
	var since time.Time // when it passed first, without a break
	for {
		err := check(ctx)
		if errors.Is(err, ErrAdvancing) {
			advanced = time.Now()
		}
		switch {
		case err == nil:
			if since.IsZero() {
				since = time.Now()
			}
			if time.Since(since) >= g.Settle {
				return nil
			}
		case !errors.Is(err, ErrNotYet) || time.Now().After(deadline) || time.Since(advanced) > patience:
			return err
		default:
			since = time.Time{}
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// maxBody bounds what is read of an answer.
const maxBody = 64 << 20

// HTTP is a check that a URL answers 200. Anything else may still change.
func HTTP(client *http.Client, url string) Check {
	return func(ctx context.Context) error {
		return get(ctx, client, url, func(io.Reader) error { return nil })
	}
}

func get(ctx context.Context, client *http.Client, url string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotYet, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("%w: %s answers %s: %s", ErrNotYet, url, resp.Status, strings.TrimSpace(string(text)))
	}
	return read(resp.Body)
}
