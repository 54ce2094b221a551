package component

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/health"
	"github.com/opsctl/opsctl/pkg/plan"
)

// ErrNoReload is in the error about a component that does not read its configuration anew while it runs.
var ErrNoReload = errors.New("has no configuration that it could read anew")

// reloadSteps adds the step that makes a running service read its configuration anew. If it refuses, it goes on with the one
// that it had; what the plan wrote is taken back, and read again.
func (in *Installer) reloadSteps(p *plan.Plan, t *target) {
	p.Add(plan.Step{
		Action: "reload", Target: t.c.service(), Detail: "it reads its configuration anew, and says that it took it",
		Former: former{Reloaded: t.c.Name},
		Do: func(ctx context.Context) error {
			t.touched = true
			return in.reload(ctx, t)
		},
	})
	p.OnRestored(func(ctx context.Context) error {
		if !t.touched {
			return nil
		}
		return in.reload(ctx, t)
	})
}

// reload asks over HTTP, where the answer says why not; where that is switched off, by the signal.
func (in *Installer) reload(ctx context.Context, t *target) error {
	c := t.c
	sum, err := in.sumOf(c.configFile(t.want))
	if err != nil {
		return err
	}
	done, err := in.post(ctx, c.url(t.want, c.Reload.Path))
	if err == nil && !done {
		err = in.signal(ctx, t)
	}
	if err != nil {
		return in.withLog(ctx, c.service(), err)
	}
	if value, found, err := health.Value(ctx, in.Client, c.url(t.want, c.Health.Metrics), c.Reload.Succeeded); err != nil || found && value != 1 {
		return in.withLog(ctx, c.service(), errors.Join(err, fmt.Errorf("%s: %s is not 1", c.Name, c.Reload.Succeeded)))
	}
	if err := in.gate(t.o).Pass(ctx, in.well(c, t.want)); err != nil {
		return in.withLog(ctx, c.service(), err)
	}
	return in.remember(ctx, c, sum)
}

// post tells whether the service took the request.
func (in *Installer) post(ctx context.Context, url string) (done bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := in.Client.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return false, nil // Prometheus says 403 without --web.enable-lifecycle
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
	return false, fmt.Errorf("POST %s: %s: %s", url, resp.Status, strings.TrimSpace(string(text)))
}

// signal sends the reload signal and waits until the service says that it has read its configuration, or refused it.
func (in *Installer) signal(ctx context.Context, t *target) error {
	c, metrics := t.c, t.c.url(t.want, t.c.Health.Metrics)
	before, _, err := health.Value(ctx, in.Client, metrics, c.Reload.At)
	if err != nil {
		return err
	}
	was, _, err := health.Value(ctx, in.Client, metrics, c.Reload.Succeeded)
	if err != nil {
		return err
	}
	if err := in.Manager.ReloadUnit(ctx, c.service()); err != nil {
		return err
	}
	return health.Gate{Wait: max(t.o.Wait, 10*time.Second)}.Pass(ctx, func(ctx context.Context) error {
		good, found, err := health.Value(ctx, in.Client, metrics, c.Reload.Succeeded)
		switch {
		case err != nil:
			return err
		case found && good != 1 && was == 1: // else it may be the answer to an older reload
			return fmt.Errorf("%s refused its configuration", c.Name)
		}
		at, _, err := health.Value(ctx, in.Client, metrics, c.Reload.At)
		if err == nil && at <= before {
			return fmt.Errorf("%w: %s has not read its configuration", health.ErrNotYet, c.Name)
		}
		return err
	})
}

// Reload plans that a component reads its configuration anew, as somebody edited it: its own program judges it first.
func (in *Installer) Reload(ctx context.Context, name string, o Options) (*plan.Plan, error) {
	c, s, err := in.installed(name)
	if err != nil {
		return nil, err
	}
	if c.Reload == nil || c.Config == nil {
		return nil, fmt.Errorf("%s %w", name, ErrNoReload)
	}
	have, err := in.readOwn(ctx, c, s)
	if err != nil {
		return nil, err
	}
	if !have.runs(c, s.Version) {
		return nil, fmt.Errorf("%s does not run as installed: %w", c.service(), ErrNotRunning)
	}
	t := &target{c: c, o: o, have: have, want: s}
	p := &plan.Plan{}
	p.Add(in.checkConfig(t, c.configFile(s)))
	in.reloadSteps(p, t)
	return p, nil
}

// ErrNotRunning is in the error about a service that would have to run.
var ErrNotRunning = errors.New("start it first")
