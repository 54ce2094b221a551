package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opsctl/opsctl/pkg/health"
	"github.com/opsctl/opsctl/pkg/plan"
)

// start adds the steps that make the service run as its files say, and that look whether it is well.
func (in *Installer) start(p *plan.Plan, t *target, e effect) error {
	c, have := t.c, t.have
	if have.live.Enabled != "enabled" || t.adopted != nil {
		p.Add(in.enable(c, have, t.adopted != nil))
	}
	if e == restart || have.live.NeedReload {
		p.Add(in.daemonReload("so that it knows the unit of " + c.Name))
	}
	switch {
	case e < restart && have.runs(c, t.want.Version):
		if e == reload && c.Reload != nil {
			in.reloadSteps(p, t)
			return nil
		}
		if e == nothing {
			return nil
		}
	case in.collides(t):
		return &ForeignError{Things: t.have.foreign}
	}
	if err := in.snapshot(p, t); err != nil {
		return err
	}
	p.Add(in.restart(t))
	p.OnRestored(in.restoreService(t))
	return nil
}

// collides tells whether somebody else listens on the port by now; read has said so unless it is taken over.
func (in *Installer) collides(t *target) bool {
	return t.adopted == nil && len(t.have.foreign) > 0
}

func (in *Installer) daemonReload(why string) plan.Step {
	return plan.Step{Action: "reload", Target: "systemd", Detail: why, Do: in.Manager.Reload}
}

func (in *Installer) enable(c *Component, have *state, adopted bool) plan.Step {
	return plan.Step{
		Action: "enable", Target: c.service(), Detail: "start it at boot",
		Former: former{Unit: unitFormer(c.service(), have.live)},
		Do:     func(ctx context.Context) error { return in.Manager.Enable(ctx, c.service()) },
		Undo: func(ctx context.Context) error {
			if have.live.Enabled == "enabled" && !adopted { // else the link leads to the file that goes
				return nil
			}
			return in.Manager.Disable(ctx, c.service())
		},
	}
}

// restart starts the service, and is done when it is well: with the version asked for, and stable.
func (in *Installer) restart(t *target) plan.Step {
	c, have := t.c, t.have
	was := unitFormer(c.service(), have.live)
	was.Release = have.current
	s := plan.Step{
		Action: "start", Target: c.service(),
		Detail: fmt.Sprintf("it answers at %s within %v, and for %v", c.url(t.want, c.Health.Path), t.o.Wait, t.o.Settle),
		Former: former{Unit: was},
	}
	if have.up() {
		s.Action = "restart"
	}
	s.Do = func(ctx context.Context) error {
		t.touched = true
		sum, err := in.sumOf(c.configFile(t.want))
		if err != nil && c.Config != nil {
			return err
		}
		if have.live.Loaded {
			if err := in.Manager.ResetFailed(ctx, c.service()); err != nil {
				return err
			}
		}
		if err := in.Manager.Restart(ctx, c.service()); err != nil {
			return in.withLog(ctx, c.service(), err)
		}
		if err := in.gate(t.o).Pass(ctx, in.well(c, t.want)); err != nil {
			return in.withLog(ctx, c.service(), err)
		}
		return in.remember(ctx, c, sum)
	}
	// It must not run on while its files go.
	s.Undo = func(ctx context.Context) error { return in.Manager.Stop(ctx, c.service()) }
	return s
}

// halt stops the service. What follows in the plan starts it again, or restoreService does.
func (in *Installer) halt(t *target, why string) plan.Step {
	return plan.Step{
		Action: "stop", Target: t.c.service(), Detail: why,
		Do: func(ctx context.Context) error {
			t.touched = true
			return in.Manager.Stop(ctx, t.c.service())
		},
	}
}

// patience is how long a service may take to become well where it does not say that it is getting on.
const patience = time.Minute

func (in *Installer) gate(o Options) health.Gate {
	return health.Gate{Wait: o.Wait, Patience: min(o.Wait, patience), Settle: o.Settle}
}

// restoreService starts again what ran, once all files are as they were. What no step has touched runs on.
func (in *Installer) restoreService(t *target) func(context.Context) error {
	c, have := t.c, t.have
	return func(ctx context.Context) error {
		if err := in.Manager.Reload(ctx); err != nil || !have.up() || !t.touched {
			return err
		}
		if err := in.Manager.ResetFailed(ctx, c.service()); err != nil {
			return err
		}
		if err := in.Manager.Restart(ctx, c.service()); err != nil || have.settings == nil {
			return err
		}
		gate := health.Gate{Wait: max(t.o.Wait, patience), Patience: patience}
		return gate.Pass(ctx, in.well(c, have.settings))
	}
}

// well looks once.
func (in *Installer) well(c *Component, want *Settings) health.Check {
	checks := []health.Check{in.running(c, want.Version), in.ready(c, want)}
	if c.Health.Metrics != "" {
		checks = append(checks, health.Metrics(in.Client, c.url(want, c.Health.Metrics), c.Health.Build, want.Version))
	}
	return func(ctx context.Context) error {
		for _, check := range checks {
			if err := check(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// ready asks the service itself. One that reads its write-ahead log, and gets on with it, is waited for.
func (in *Installer) ready(c *Component, want *Settings) health.Check {
	ready := health.HTTP(in.Client, c.url(want, c.Health.Path))
	if c.Health.Replay == "" {
		return ready
	}
	replay := health.Replay(in.Client, c.url(want, c.Health.Replay))
	return func(ctx context.Context) error {
		err := ready(ctx)
		if errors.Is(err, health.ErrNotYet) {
			return errors.Join(err, replay(ctx))
		}
		return err
	}
}

// running is a check that systemd has the service up, with the program of that release. One that ended or was restarted by
// itself does not become well.
func (in *Installer) running(c *Component, version string) health.Check {
	return func(ctx context.Context) error {
		u, err := in.Manager.Unit(ctx, c.service())
		if err != nil {
			return err
		}
		exe := exeOf(u.MainPID)
		switch {
		case u.Restarts > 0 || u.Active == "failed" || u.Sub == "auto-restart":
			return fmt.Errorf("%s ended by itself (%s)", c.service(), u.Result)
		case u.Active != "active":
			return fmt.Errorf("%w: %s is %s", health.ErrNotYet, c.service(), u.Active)
		case exe != c.program(version):
			return fmt.Errorf("%w: %s runs %q, not %s", health.ErrNotYet, c.service(), exe, c.program(version))
		}
		return nil
	}
}

// lastLines is how much of a service's log an error holds.
const lastLines = "10"

// withLog adds what the service said last to an error: undoing starts another run of it.
func (in *Installer) withLog(ctx context.Context, service string, err error) error {
	ctx = context.WithoutCancel(ctx)
	u, unitErr := in.Manager.Unit(ctx, service)
	if unitErr != nil {
		return errors.Join(err, unitErr)
	}
	out, logErr := in.Host.Run(ctx, "journalctl", "--quiet", "--no-pager", "--output=cat", "--lines="+lastLines,
		"--unit="+service, "_SYSTEMD_INVOCATION_ID="+u.InvokedBy)
	if logErr != nil {
		return errors.Join(err, logErr)
	}
	if len(out) == 0 {
		return err
	}
	return fmt.Errorf("%w; its last lines:\n%s", err, bytes.TrimSpace(out))
}

// stays is a check of any unit: that it is up, and stays so for the settle window.
func (in *Installer) stays(ctx context.Context, name string, o Options) error {
	return in.gate(o).Pass(ctx, func(ctx context.Context) error {
		u, err := in.Manager.Unit(ctx, name)
		switch {
		case err != nil:
			return err
		case u.Active == "failed" || u.Sub == "auto-restart":
			return fmt.Errorf("%s ended by itself (%s)", name, u.Result)
		case u.Active != "active":
			return fmt.Errorf("%w: %s is %s", health.ErrNotYet, name, u.Active)
		}
		return nil
	})
}
