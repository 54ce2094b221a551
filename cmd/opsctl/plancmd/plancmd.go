// Package plancmd is what the commands that change a host have in common: the plan is shown, agreed to and applied, and
// the flags that say so.
package plancmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// Flags are --dry-run, --exit-code and --yes.
type Flags struct{ DryRun, ExitCode, Yes bool }

// Add defines the flags.
func (f *Flags) Add(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.DryRun, "dry-run", "n", false, "show the plan and change nothing")
	flags.BoolVar(&f.ExitCode, "exit-code", false, "with --dry-run: exit 3 when something would change")
	flags.BoolVarP(&f.Yes, "yes", "y", false, "do not ask")
}

// Check refuses combinations that mean nothing.
func (f *Flags) Check() error {
	switch {
	case f.ExitCode && !f.DryRun:
		return cli.Usagef("--exit-code goes with --dry-run")
	case f.DryRun && f.Yes:
		return cli.Usagef("--dry-run and --yes exclude each other")
	}
	return nil
}

// Job is a change of one component.
type Job struct {
	Kind      string // of the document: "InstallPlan"
	Component string
	Args      []string // for the journal: the command, without secrets
	In        *component.Installer
	Plan      func(context.Context) (*plan.Plan, error)
}

// document is what is printed.
type document struct {
	Component string      `json:"component"`
	Applied   bool        `json:"applied"` // the steps were done, and the outcome was found well
	Steps     []plan.Step `json:"steps"`   // empty: all is as it should be
}

// Run shows the plan and applies it.
func (f *Flags) Run(ctx context.Context, env *cli.Env, j Job) error {
	p, err := j.Plan(ctx)
	if err != nil {
		return err
	}
	d := &document{Component: j.Component, Steps: p.Steps}
	if d.Steps == nil {
		d.Steps = []plan.Step{}
	}
	if !f.DryRun && len(p.Steps) > 0 {
		if err := f.agree(env, p); err != nil {
			return err
		}
		watch := func(s plan.Step) { env.Log.Info("step", "action", s.Action, "target", s.Target) }
		if err := j.In.Apply(ctx, j.Args, p, j.Plan, watch); err != nil {
			return err
		}
		d.Applied = true
	}
	if err := render.Document(env, render.View{Kind: j.Kind, Body: d, Page: d.page, CSV: d.csv, Names: d.names}); err != nil {
		return err
	}
	if f.ExitCode && len(d.Steps) > 0 {
		return cli.Found()
	}
	return nil
}

// agree asks, unless --yes was given. The plan is shown on stderr: stdout is for the result.
func (f *Flags) agree(env *cli.Env, p *plan.Plan) error {
	if f.Yes {
		return nil
	}
	for _, s := range p.Steps {
		text := fmt.Sprintf("%s %s  %s\n%s", s.Action, s.Target, s.Detail, s.Diff)
		for line := range strings.Lines(text) {
			if _, err := io.WriteString(env.Err, render.Safe(strings.TrimSuffix(line, "\n"))+"\n"); err != nil {
				return err
			}
		}
	}
	return env.Confirm("Apply these steps?")
}

func (d *document) page(p *render.Page) {
	switch {
	case len(d.Steps) == 0:
		p.Para("%s: nothing to do", d.Component)
		return
	case d.Applied:
		p.Para("%s: done", d.Component)
	}
	rows := make([][]string, len(d.Steps))
	for i, s := range d.Steps {
		rows[i] = []string{s.Action, s.Target, s.Detail}
	}
	p.Table([]string{"ACTION", "TARGET", "DETAIL"}, nil, rows)
	if d.Applied {
		return
	}
	for _, s := range d.Steps {
		if s.Diff != "" {
			p.Heading(s.Target)
			p.Text(s.Diff)
		}
	}
}

func (d *document) csv() ([]string, [][]string) {
	rows := [][]string{}
	for _, s := range d.Steps {
		rows = append(rows, []string{s.Action, s.Target, s.Detail, s.Diff})
	}
	return []string{"action", "target", "detail", "diff"}, rows
}

func (d *document) names() []string {
	names := []string{}
	for _, s := range d.Steps {
		names = append(names, s.Action+" "+s.Target)
	}
	return names
}

// Explain gives a component's error its code and the next step.
func Explain(err error) error {
	switch {
	case errors.Is(err, manager.ErrNone):
		return &cli.Error{Code: cli.CodeFailed, ID: "install.systemd", Err: err, Hint: "lay the files down in an image with --root DIR --systemd-version N"}
	case errors.Is(err, component.ErrNotInstalled), errors.Is(err, component.ErrNoRelease):
		return &cli.Error{Code: cli.CodeFailed, ID: "component.missing", Err: err, Hint: "opsctl service ls shows what is there"}
	case errors.Is(err, component.ErrUnknown), errors.Is(err, component.ErrSetting), errors.Is(err, component.ErrVersion):
		return &cli.Error{Code: cli.CodeUsage, ID: "usage", Err: err}
	case errors.Is(err, component.ErrForeign):
		return &cli.Error{Code: cli.CodeDeclined, ID: "install.foreign", Err: err, Hint: "move it out of the way first, or leave it in charge"}
	}
	return err
}
