package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/health"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// adoption is what is taken over from who installed the component before.
type adoption struct {
	unit    string        // that runs it now; "" for none
	live    *manager.Unit // its state
	moved   bool          // /opt/NAME is a link, and gets out of the way
	version string        // that runs; "" if it does not say
	notes   []string
}

// takeOver names what others made, and with --adopt takes their choices over: the flags, the data, the configuration, the
// secrets, and the account unless it is root's or nobody's.
func (in *Installer) takeOver(ctx context.Context, t *target, before *Settings) error {
	pid := 0
	if in.Manager != nil {
		things, owner, err := t.have.portForeign(t.c, t.want)
		if err != nil {
			return err
		}
		t.have.foreign = append(t.have.foreign, things...)
		pid = owner
	}
	if len(t.have.foreign) == 0 {
		return nil
	}
	fault := &ForeignError{Things: t.have.foreign}
	switch {
	case !t.o.Adopt:
		return fault
	case before != nil:
		fault.Stays = t.c.Name + " is installed by opsctl already: what stands there must go by hand"
		return fault
	case in.Manager == nil:
		fault.Stays = "only a running host can be taken over"
		return fault
	}
	a := &adoption{}
	home, err := in.Host.Lstat(t.c.home())
	a.moved = err == nil && home.Mode()&fs.ModeSymlink != 0
	run, err := in.foreignRun(ctx, t, a, pid)
	if err != nil {
		fault.Stays = err.Error()
		return errors.Join(fault)
	}
	if run != nil {
		if err := in.carry(ctx, t, a, run); err != nil {
			return err
		}
	}
	t.adopted = a
	return t.c.checkSettings(t.want)
}

// errLoose is of a process that no service runs: what was stopped could not be started again.
var errLoose = errors.New("no service runs it: end it first, or make it one")

// foreignRun finds how the component was run: by the service of its name, or by that which has its port. Nil for not at all.
func (in *Installer) foreignRun(ctx context.Context, t *target, a *adoption, pid int) (*foreignRun, error) {
	switch {
	case pid != 0:
		a.unit = unitOf(pid)
		if a.unit == "" {
			return nil, fmt.Errorf("process %d: %w", pid, errLoose)
		}
	case t.have.live.Loaded:
		a.unit = t.c.service()
	default:
		return nil, nil
	}
	live, err := in.Manager.Unit(ctx, a.unit)
	if err != nil {
		return nil, err
	}
	a.live = live
	if live.MainPID != 0 {
		pid = int(live.MainPID)
	}
	if pid != 0 {
		return readRun(pid)
	}
	text, err := in.Host.ReadFile(live.File, host1MiB)
	if err != nil {
		return nil, err
	}
	return parseRun(live.File, text)
}

// host1MiB bounds a unit file.
const host1MiB = 1 << 20

// carry takes the choices over that a command line, an environment and an account hold.
func (in *Installer) carry(ctx context.Context, t *target, a *adoption, run *foreignRun) error {
	c, want := t.c, t.want
	if base := path.Base(run.argv[0]); base != path.Base(c.Binary) && !slices.Contains(c.Aliases, base) {
		return &ForeignError{Things: t.have.foreign, Stays: fmt.Sprintf("%s runs %s, not %s", a.unit, run.argv[0], c.Name)}
	}
	values := in.carryFlags(ctx, t, run)
	if t.o.Listen == "" && !slices.Contains([]string{"", "0.0.0.0:" + strconv.Itoa(c.Port)}, values["listen"]) {
		want.Listen = values["listen"]
		if port, ok := strings.CutPrefix(want.Listen, "localhost:"); ok {
			want.Listen = "127.0.0.1:" + port
		}
	}
	if err := in.carryFiles(t, run, values); err != nil {
		return err
	}
	for name, value := range values {
		if _, ok := c.Options[name]; ok && value != "" && want.Set[name] == "" {
			if want.Set == nil {
				want.Set = map[string]string{}
			}
			want.Set[name] = value
		}
	}
	in.carrySecrets(t, a, run, values)
	in.carryAccount(t, run)
	a.version = in.versionOf(ctx, t, a.live)
	return nil
}

// carryFlags takes over the arguments: those that the catalogue has a place for by what they fill in, others as they are.
func (in *Installer) carryFlags(ctx context.Context, t *target, run *foreignRun) (values map[string]string) {
	c := t.c
	values = map[string]string{"listen": ":" + strconv.Itoa(c.Port)}
	if c.Data != nil {
		values["data"] = c.Data.Unsaid
	}
	if c.Config != nil {
		values["config"] = c.Config.Unsaid
	}
	for _, arg := range run.flags() {
		if name := c.placeholderOf(flagName(arg)); name != "" {
			_, values[name], _ = strings.Cut(arg, "=")
			continue
		}
		own := func(mine string) bool { return strings.TrimLeft(mine, "-") == strings.TrimLeft(arg, "-") }
		if !slices.ContainsFunc(c.Args, own) {
			t.want.Args = append(t.want.Args, arg)
		}
	}
	for flag, value := range in.flagsInForce(ctx, t, values["listen"]) {
		if name := c.placeholderOf(flag); name == "data" || name == "config" {
			values[name] = value
		}
	}
	for name, text := range c.Environment {
		if names := placeholders(text); len(names) == 1 && text == "{"+names[0]+"}" && run.environment[name] != "" {
			values[names[0]] = run.environment[name]
		}
	}
	return values
}

// flagsInForce asks what runs for its flags, those that nobody said included: a distribution builds its own places in.
func (in *Installer) flagsInForce(ctx context.Context, t *target, listen string) map[string]string {
	probe := *t.want
	if probe.Listen = listen; t.c.Flags == "" || checkListen(listen) != nil {
		return nil
	}
	flags, err := health.Flags(ctx, in.Client, t.c.url(&probe, t.c.Flags))
	if err != nil {
		return nil // it does not run, or is too old to say
	}
	return flags
}

// versionOf is the version that runs, if it says so.
func (in *Installer) versionOf(ctx context.Context, t *target, live *manager.Unit) string {
	if live == nil || live.Active != "active" || t.c.Health.Build == "" {
		return ""
	}
	version, err := health.Label(ctx, in.Client, t.c.url(t.want, t.c.Health.Metrics), t.c.Health.Build, "version")
	if err != nil {
		return ""
	}
	version, _, _ = strings.Cut(version, "+")
	v, err := ParseVersion(version)
	if err != nil {
		return ""
	}
	return v
}

// carryFiles takes over where the data and the configuration lie: at the names that no link leads to.
func (in *Installer) carryFiles(t *target, run *foreignRun, values map[string]string) error {
	resolve := func(what, name string) (string, error) {
		if !path.IsAbs(name) {
			name = path.Join(run.folder, name)
		}
		found, err := in.Host.RealPath(name)
		if errors.Is(err, fs.ErrNotExist) {
			return "", &ForeignError{Things: t.have.foreign, Stays: fmt.Sprintf("where its %s lies is not known: %s is not there, and no argument names another", what, name)}
		}
		return found, err
	}
	if t.c.Data != nil && t.o.Data == "" && values["data"] != "" {
		data, err := resolve("data folder", values["data"])
		if err != nil {
			return err
		}
		if data != t.c.ownData() {
			t.want.Data = data
		}
	}
	if t.c.Config != nil && values["config"] != "" {
		config, err := resolve("configuration", values["config"])
		if err != nil {
			return err
		}
		if config != path.Join(t.c.etc(), t.c.Config.File) {
			t.want.Config = config
		}
	}
	return nil
}

// carryAccount keeps the account that the files belong to.
func (in *Installer) carryAccount(t *target, run *foreignRun) {
	name := run.user
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	if name == "" || name == "root" || name == "nobody" || name == t.c.account(&Settings{}) || !wholeName.MatchString(name) {
		return
	}
	if _, found, err := in.findAccount(name); err == nil && found {
		t.want.User = name
	}
}

// carrySecrets takes over the files and variables that hold secrets.
func (in *Installer) carrySecrets(t *target, a *adoption, run *foreignRun, values map[string]string) {
	for _, secret := range t.c.Secrets {
		if _, given := t.o.Secrets[secret.Name]; given {
			continue
		}
		var text []byte
		if file := values["credential:"+secret.Name]; file != "" {
			text, _ = in.Host.ReadFile(file, maxSettings)
		}
		if dsn := run.environment[secret.DSN]; text == nil && secret.DSN != "" && dsn != "" {
			var err error
			if text, err = clientFile(dsn); err != nil {
				a.notes = append(a.notes, fmt.Sprintf("%s of %s is not taken over: %v", secret.DSN, a.unit, err))
			}
		}
		if text == nil {
			continue
		}
		if t.o.Secrets == nil {
			t.o.Secrets = map[string][]byte{}
		}
		t.o.Secrets[secret.Name] = text
		if !slices.Contains(t.want.Secrets, secret.Name) {
			t.want.Secrets = append(t.want.Secrets, secret.Name)
		}
	}
}

// makeRoom adds the steps that end what runs, and that move out of the way what has the component's names.
func (in *Installer) makeRoom(p *plan.Plan, t *target) {
	a := t.adopted
	for _, f := range t.have.foreign {
		p.Note("taken over: %s", f)
	}
	p.Notes = append(p.Notes, a.notes...)
	if a.unit != "" {
		in.endUnit(p, t)
	}
	if a.moved {
		to := t.c.home() + ".before-opsctl"
		p.Add(in.rename(t.c.home(), to, "to "+path.Base(to)+"; what it leads to stays"))
	}
}

// endUnit stops and disables what ran the component. Undoing starts it again.
func (in *Installer) endUnit(p *plan.Plan, t *target) {
	a := t.adopted
	then := unitFormer(a.unit, a.live)
	then.Release = a.version
	was := former{Unit: then, Adopted: t.c.Name}
	if then.Enabled {
		p.Add(plan.Step{
			Action: "disable", Target: a.unit, Former: was,
			Do:   func(ctx context.Context) error { return in.Manager.Disable(ctx, a.unit) },
			Undo: func(ctx context.Context) error { return in.Manager.Enable(ctx, a.unit) },
		})
	}
	if then.Active {
		in.stop(p, was)
	}
}

// stop adds the end of a unit that runs. It runs again when the plan fails after that.
func (in *Installer) stop(p *plan.Plan, was former) {
	u, stopped := was.Unit, false
	p.Add(plan.Step{
		Action: "stop", Target: u.Name, Former: was,
		Do: func(ctx context.Context) error {
			stopped = true
			return in.Manager.Stop(ctx, u.Name)
		},
	})
	p.OnRestored(func(ctx context.Context) error {
		if !stopped {
			return nil
		}
		return in.startAgain(ctx, u)
	})
}

// startAgain starts a unit whose files are as they were. One that never stayed up need not do so now.
func (in *Installer) startAgain(ctx context.Context, u *formerUnit) error {
	if err := in.Manager.Reload(ctx); err != nil {
		return err
	}
	err := in.Manager.Restart(ctx, u.Name)
	if u.Ailing {
		return nil
	}
	return err
}
