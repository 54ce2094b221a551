// Package health waits until a service answers as it should: over HTTP, and for as long
// as a settle window.
package health

import (
	"bufio"
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

// Gate says how long to look.
type Gate struct {
	Wait   time.Duration // for the check to pass the first time
	Settle time.Duration // how long it has to go on passing
	Every  time.Duration // between two looks; 0 is 100 ms
}

// Pass looks until the check has passed without a break for the settle window. Any error
// but one that wraps ErrNotYet ends it at once, as does one of the latter kind after Wait.
func (g Gate) Pass(ctx context.Context, check Check) error {
	every := g.Every
	if every == 0 {
		every = 100 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	deadline := time.Now().Add(g.Wait)
	var since time.Time // when it passed first, without a break
	for {
		err := check(ctx)
		switch {
		case err == nil:
			if since.IsZero() {
				since = time.Now()
			}
			if time.Since(since) >= g.Settle {
				return nil
			}
		case !errors.Is(err, ErrNotYet) || time.Now().After(deadline):
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

// Metrics is a check that a URL gives metrics in Prometheus' text format, and that the
// metric build among them, such as node_exporter_build_info, has version as its label
// version. An empty label, as of a program built without its version, passes; so does
// any metrics where build is "".
func Metrics(client *http.Client, url, build, version string) Check {
	return func(ctx context.Context) error {
		return get(ctx, client, url, func(body io.Reader) error {
			lines := bufio.NewScanner(io.LimitReader(body, maxBody))
			lines.Buffer(nil, 1<<20)
			samples, runs := 0, ""
			for lines.Scan() {
				line := lines.Text()
				if line == "" || line[0] == '#' {
					continue
				}
				if !isSample(line) {
					return fmt.Errorf("%s: no metric: %.80q", url, line)
				}
				samples++
				if labels, ok := strings.CutPrefix(line, build+"{"); ok && build != "" {
					// What a distribution adds behind a plus is not the version (semver.org, 10).
					runs, _, _ = strings.Cut(label(labels, "version"), "+")
				}
			}
			switch {
			case lines.Err() != nil:
				return fmt.Errorf("%s: %w", url, lines.Err())
			case samples == 0:
				return fmt.Errorf("%s: no metrics: %w", url, ErrNotYet)
			case runs != "" && runs != version:
				return fmt.Errorf("%s: version %.40q answers, not %s", url, runs, version)
			}
			return nil
		})
	}
}

// label finds the value of a label in `a="b",c="d"} 1`; "" for none. Versions hold nothing that is escaped.
func label(labels, name string) string {
	_, rest, _ := strings.Cut(","+labels, ","+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// isSample tells a line "name{labels} value [timestamp]" (exposition_formats.md) well enough to know
// that it is no HTML.
func isSample(line string) bool {
	first := line[0]
	letter := first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z' || first == '_' || first == ':' || first == '{'
	return letter && strings.Contains(line, " ")
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
