package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

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
	ReloadUnit(ctx context.Context, name string) error
	Restart(ctx context.Context, name string) error
	Stop(ctx context.Context, name string) error
	ResetFailed(ctx context.Context, name string) error
}

// Options says what is wanted. What is left zero stays as it was chosen before, or takes the catalogue's value.
type Options struct {
	Version string
	Listen  string
	Data    string            // the folder of its data
	Set     map[string]string // options of the catalogue; "" for the component's own value again
	Args    []string
	Secrets map[string][]byte // by name, what they hold
	Scrape  *string           // see Settings.Scrape
	Adopt   bool              // take over what somebody else installed
	// Snapshot lets a Prometheus and its like go back to a version that cannot read the data: a copy is made of them first.
	Snapshot bool
	Wait     time.Duration // for the service to become well
	Settle   time.Duration // how long it has to stay so
}

// Request is one component of an installation.
type Request struct {
	Name string
	Options
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

// target is one component on its way from what is there to what is wanted.
type target struct {
	c       *Component
	o       Options
	have    *state
	want    *Settings
	adopted *adoption // nil: nothing is taken over
	config  []byte    // the configuration that it is to have; nil leaves what is there
	touched bool      // a step has begun to stop, restart or reload the service
}

// Plan says what an installation would change. Nothing is opened for writing.
func (in *Installer) Plan(ctx context.Context, requests ...Request) (*plan.Plan, error) {
	targets := []*target{}
	for _, r := range requests {
		t, err := in.target(ctx, r)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(targets, func(other *target) bool { return other.c == t.c }); i >= 0 {
			return nil, fmt.Errorf("%s is named twice: %w", r.Name, ErrSetting)
		}
		targets = append(targets, t)
	}
	p := &plan.Plan{}
	// Who collects comes last: what it is told of answers by then.
	for _, t := range targets {
		if t.c.Name != collector {
			if err := in.bring(ctx, p, t); err != nil {
				return nil, err
			}
		}
	}
	return p, in.tellCollector(ctx, p, targets)
}

// target looks at a component and at what is asked for.
func (in *Installer) target(ctx context.Context, r Request) (*target, error) {
	c, err := in.Catalogue.Get(r.Name)
	if err != nil {
		return nil, err
	}
	if err := in.checkImage(c); err != nil {
		return nil, err
	}
	before, err := c.readSettings(in.Host)
	if err != nil {
		return nil, err
	}
	if err := in.killedAdoption(c); err != nil {
		return nil, err
	}
	t := &target{c: c, o: r.Options}
	if t.want, err = c.choose(before, &r.Options); err != nil {
		return nil, err
	}
	if t.have, err = in.read(ctx, c, before, t.want.Version); err != nil {
		return nil, err
	}
	if err := in.takeOver(ctx, t, before); err != nil {
		return nil, err
	}
	if err := errors.Join(c.missingSecret(t.want), in.checkOpen(t)); err != nil {
		return nil, err
	}
	err = t.formats(before)
	return t, err
}

// bring adds all steps that lead one component to where it is wanted.
func (in *Installer) bring(ctx context.Context, p *plan.Plan, t *target) error {
	e, err := in.lay(p, t)
	if err != nil || in.Manager == nil {
		return err
	}
	stale, err := in.stale(ctx, t.c, t.want, t.have)
	if err != nil {
		return err
	}
	if stale {
		e = max(e, reload)
	}
	return in.start(p, t, e)
}

// effect is what a change of files asks of the running service.
type effect int

const (
	nothing effect = iota
	reload         // it reads its configuration anew
	restart
)

// lay adds the steps that lay files down.
func (in *Installer) lay(p *plan.Plan, t *target) (effect, error) {
	c, want := t.c, t.want
	e := nothing
	if t.adopted != nil {
		in.makeRoom(p, t)
		e = restart
	}
	if !t.have.released || t.adopted != nil && t.adopted.moved {
		p.Add(in.unpackRelease(c, want.Version))
		e = restart
	}
	if err := in.layAccount(p, t); err != nil {
		return e, err
	}
	for _, lay := range []func(*plan.Plan, *target) (effect, error){
		in.layConfig, in.layData, in.laySecrets, in.layLink, in.laySettings, in.layUnit,
	} {
		each, err := lay(p, t)
		if err != nil {
			return e, err
		}
		e = max(e, each)
	}
	in.label(p, t, e)
	return e, nil
}

func (in *Installer) layAccount(p *plan.Plan, t *target) error {
	if !t.c.serviceOf(t.want).NeedsAccount(in.Systemd) {
		return nil
	}
	_, has, err := in.findAccount(t.c.account(t.want))
	if err != nil || has {
		return err
	}
	if before := t.have.settings; before != nil && in.Manager != nil && t.have.up() && !t.c.serviceOf(before).NeedsAccount(in.Systemd) {
		p.Add(in.halt(t, "so that its dynamic user gives the name back"))
	}
	p.Add(in.addAccount(t.c.account(t.want)))
	return nil
}

func (in *Installer) layLink(p *plan.Plan, t *target) (effect, error) {
	if t.have.current == t.want.Version && (t.adopted == nil || !t.adopted.moved) {
		return nothing, nil
	}
	s, err := in.switchLink(t.c, t.want.Version)
	if err != nil {
		return nothing, err
	}
	p.Add(s)
	return restart, nil
}

// laySettings writes what was chosen; what follows of that for the service is in its unit.
func (in *Installer) laySettings(p *plan.Plan, t *target) (effect, error) {
	text, err := t.want.encode()
	if err != nil {
		return nothing, err
	}
	_, err = in.writeFile(p, t.c.settingsFile(), text)
	return nothing, err
}

func (in *Installer) layUnit(p *plan.Plan, t *target) (effect, error) {
	text, err := t.c.unit(t.want, in.Systemd)
	if err != nil {
		return nothing, err
	}
	changed, err := in.writeFile(p, t.c.unitFile(), text)
	if err != nil || !changed {
		return nothing, err
	}
	s := &p.Steps[len(p.Steps)-1]
	s.Detail = in.exposureChange(t, text)
	return restart, nil
}

// layData sees to the folder of the data, where systemd does not.
func (in *Installer) layData(p *plan.Plan, t *target) (effect, error) {
	c, want := t.c, t.want
	name := c.dataDir(want)
	if name == "" || want.Data == "" && !c.serviceOf(want).NeedsFolders(in.Systemd) {
		return nothing, nil
	}
	if before := t.have.settings; before != nil && c.dataDir(before) != name {
		p.Note("the data in %s stay there, and are no longer read", c.dataDir(before))
	}
	info, err := in.Host.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Add(in.makeFolder(c, want, name))
		return nothing, nil
	case err != nil:
		return nothing, err
	case !info.IsDir():
		return nothing, fmt.Errorf("data folder %s is %w: it is no folder", name, ErrSetting)
	}
	return nothing, in.ownData(p, t, name)
}

// laySecrets writes the secrets that were given. systemd reads them as root, or the service's account does.
func (in *Installer) laySecrets(p *plan.Plan, t *target) (effect, error) {
	e := nothing
	for _, name := range t.want.Secrets {
		changed, err := in.laySecret(p, t, name)
		if err != nil {
			return nothing, err
		}
		if changed {
			e = restart
		}
	}
	return e, nil
}
