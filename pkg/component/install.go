package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"path/filepath"
	"time"

	"github.com/opsctl/opsctl/pkg/health"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// Manager is the systemd that runs the host.
type Manager interface {
	Unit(ctx context.Context, name string) (*manager.Unit, error)
	Enable(ctx context.Context, name string) error
	Disable(ctx context.Context, name string) error
	Reload(ctx context.Context) error
	Restart(ctx context.Context, name string) error
	Stop(ctx context.Context, name string) error
	ResetFailed(ctx context.Context, name string) error
}

// Options says what is wanted. What is left zero stays as it was chosen before, or takes the catalogue's value.
type Options struct {
	Version string
	Listen  string
	Args    []string
	Wait    time.Duration // for the service to become well
	Settle  time.Duration // how long it has to stay so
}

// Installer makes plans for one host.
type Installer struct {
	Catalogue *Catalogue
	Host      *host.Host
	Dir       string  // where the host's "/" lies on this machine
	Manager   Manager // nil: the host does not run, its files are only laid down
	Systemd   int     // systemd's version on the host
	Client    *http.Client
	// Unpack lays a release down in an empty folder: verified, synced, without its top folder.
	Unpack func(ctx context.Context, c *Component, version, dir string) error
}

func (in *Installer) path(name string) string { return filepath.Join(in.Dir, filepath.FromSlash(name)) }

// Plan says what an installation would change. Nothing is opened for writing.
func (in *Installer) Plan(ctx context.Context, name string, o Options) (*plan.Plan, error) {
	c, err := in.Catalogue.Get(name)
	if err != nil {
		return nil, err
	}
	before, err := c.readSettings(in.Host)
	if err != nil {
		return nil, err
	}
	want, err := c.choose(before, &o)
	if err != nil {
		return nil, err
	}
	have, err := in.read(ctx, c, want.Version)
	if err != nil {
		return nil, err
	}
	if in.Manager != nil {
		if err := have.portTaken(want); err != nil {
			return nil, err
		}
	}
	unit, err := c.unit(want, in.Systemd)
	if err != nil {
		return nil, err
	}
	settings, err := want.encode()
	if err != nil {
		return nil, err
	}
	p := &plan.Plan{}
	if c.serviceOf(want).NeedsAccount(in.Systemd) {
		has, err := in.hasAccount(c.account())
		if err != nil {
			return nil, err
		}
		if !has {
			p.Add(in.addAccount(c.account()))
		}
	}
	in.files(p, c, want, have, map[string][]byte{c.settingsFile(): settings, c.unitFile(): unit})
	if in.Manager != nil {
		in.start(p, c, want, have, o)
	}
	return p, nil
}

// files adds the steps that lay files down.
func (in *Installer) files(p *plan.Plan, c *Component, want *Settings, have *state, texts map[string][]byte) {
	if !have.released {
		p.Add(in.unpackRelease(c, want.Version))
	}
	if have.current != want.Version {
		p.Add(in.switchLink(c, have.current, want.Version))
	}
	if name := c.configFile(); name != "" {
		if _, err := in.Host.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			p.Add(in.writeFile(name, nil, []byte(c.values(want).Replace(c.Config.Text))))
		}
	}
	for _, name := range []string{c.settingsFile(), c.unitFile()} {
		old, err := in.Host.ReadFile(name, host1MiB)
		if err == nil && bytes.Equal(old, texts[name]) {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			old = nil
		}
		p.Add(in.writeFile(name, old, texts[name]))
	}
}

// start adds the steps that make it run, and that look whether it is well.
func (in *Installer) start(p *plan.Plan, c *Component, want *Settings, have *state, o Options) {
	changed := len(p.Steps) > 0
	if have.live.Enabled != "enabled" {
		p.Add(in.enable(c))
	}
	if changed || have.live.NeedReload {
		p.Add(plan.Step{Action: "reload", Target: "systemd", Detail: "so that it knows the unit", Do: in.Manager.Reload})
	}
	if !changed && have.runs(c, want.Version) {
		return
	}
	p.Add(in.restart(c, have))
	p.Add(in.check(c, want, o))
	p.Restored = in.restoreService(c, have, o)
}

// check is the gate: well, with the version asked for, and stable.
func (in *Installer) check(c *Component, want *Settings, o Options) plan.Step {
	return plan.Step{
		Action: "check", Target: c.url(want, c.Health.Path),
		Detail: fmt.Sprintf("well within %v, and stable for %v", o.Wait, o.Settle),
		Do: func(ctx context.Context) error {
			err := health.Gate{Wait: o.Wait, Settle: o.Settle}.Pass(ctx, in.well(c, want))
			return in.withLog(ctx, c, err)
		},
	}
}

// well looks once.
func (in *Installer) well(c *Component, want *Settings) health.Check {
	checks := []health.Check{in.running(c), health.HTTP(in.Client, c.url(want, c.Health.Path))}
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

// lastLines is how much of a service's log an error holds.
const lastLines = "10"

// restoreWait is how long what ran before may take, at least, to run again.
const restoreWait = time.Minute

// withLog adds what the service said last to an error: undoing starts another run of it.
func (in *Installer) withLog(ctx context.Context, c *Component, err error) error {
	if err == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	u, unitErr := in.Manager.Unit(ctx, c.service())
	if unitErr != nil {
		return errors.Join(err, unitErr)
	}
	out, logErr := in.Host.Run(ctx, "journalctl", "--quiet", "--no-pager", "--output=cat", "--lines="+lastLines,
		"--unit="+c.service(), "_SYSTEMD_INVOCATION_ID="+u.InvokedBy)
	if logErr != nil {
		return errors.Join(err, logErr)
	}
	if len(out) == 0 {
		return err
	}
	return fmt.Errorf("%w; its last lines:\n%s", err, bytes.TrimSpace(out))
}

// running is a check that systemd has the service up. One that ended or was restarted by itself does not become well.
func (in *Installer) running(c *Component) health.Check {
	return func(ctx context.Context) error {
		u, err := in.Manager.Unit(ctx, c.service())
		switch {
		case err != nil:
			return err
		case u.Restarts > 0 || u.Active == "failed" || u.Sub == "auto-restart":
			return fmt.Errorf("%s ended by itself (%s)", c.service(), u.Result)
		case u.Active != "active":
			return fmt.Errorf("%w: %s is %s", health.ErrNotYet, c.service(), u.Active)
		}
		return nil
	}
}

// staging is where a release is laid down before it gets its name.
func (c *Component) staging(version string) string { return path.Join(c.home(), ".new-"+version) }
