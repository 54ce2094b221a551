package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// ErrConfig is in the error about a configuration that the component's own program refuses.
var ErrConfig = errors.New("is refused")

// layConfig writes the configuration where there is none, or the one that is wanted, and lets the new release judge it
// before the running service is touched.
func (in *Installer) layConfig(p *plan.Plan, t *target) (effect, error) {
	name := t.c.configFile(t.want)
	if name == "" {
		return nothing, nil
	}
	file, err := in.follow(name)
	if err != nil {
		return nothing, err
	}
	was, err := in.look(file)
	if err != nil {
		return nothing, err
	}
	text := t.config
	if text == nil && was.Absent {
		text, err = in.firstConfig(t)
		if err != nil {
			return nothing, err
		}
	}
	switch {
	case text == nil && t.changes():
		p.Add(in.checkConfig(t, name))
		return nothing, nil
	case text == nil || was.sameText(text):
		return nothing, nil
	}
	if _, err := in.writeFile(p, file, text); err != nil {
		return nothing, err
	}
	s := &p.Steps[len(p.Steps)-1]
	write := s.Do
	s.Do = func(ctx context.Context) error {
		if err := in.judge(ctx, t, name, text); err != nil {
			return err
		}
		return write(ctx)
	}
	if was.Absent {
		return nothing, nil
	}
	return reload, nil
}

// firstConfig is what the catalogue begins with.
func (in *Installer) firstConfig(t *target) ([]byte, error) {
	text, ok := t.c.fill(t.c.Config.Text, t.want)
	if !ok {
		return nil, fmt.Errorf("%s: its configuration needs %q: %w", t.c.Name, placeholders(t.c.Config.Text), ErrSetting)
	}
	return []byte(text), nil
}

// changes tells whether another release is to run than runs.
func (t *target) changes() bool { return t.have.current != t.want.Version }

// checkConfig lets the release that is to run judge the configuration that is there.
func (in *Installer) checkConfig(t *target, name string) plan.Step {
	return plan.Step{
		Action: "check", Target: name, Detail: "release " + t.want.Version + " must take it",
		Do: func(ctx context.Context) error {
			text, err := in.Host.ReadFile(name, maxFile)
			if err != nil {
				return err
			}
			return in.judge(ctx, t, name, text)
		},
	}
}

// judge asks the release's own program about a text of the configuration, in a file beside its place meanwhile: names in it
// may be relative. A release without that program passes.
func (in *Installer) judge(ctx context.Context, t *target, name string, text []byte) (err error) {
	check := t.c.Config.Check
	if len(check) == 0 || !in.Host.Live() {
		return nil
	}
	program := path.Join(t.c.release(t.want.Version), check[0])
	if _, err := os.Stat(in.path(program)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := atomicfile.MkdirAll(filepath.Dir(in.path(name)), 0o755); err != nil {
		return err
	}
	pattern := filepath.Join(filepath.Dir(in.path(name)), "."+filepath.Base(name)+".check-")
	left, err := filepath.Glob(pattern + "*") // by a killed run
	if err != nil {
		return err
	}
	for _, each := range left {
		if err := atomicfile.Remove(each); err != nil {
			return err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(pattern), filepath.Base(pattern))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp.Name())) }()
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	argv := []string{program}
	probe := *t.want
	probe.Config = temp.Name()
	for _, arg := range check[1:] {
		if filled, ok := t.c.fill(arg, &probe); ok {
			argv = append(argv, filled)
		}
	}
	_, err = in.Host.Run(ctx, argv...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return fmt.Errorf("%s %w by %s of release %s: %w", name, ErrConfig, check[0], t.want.Version, err)
	}
	return err
}
