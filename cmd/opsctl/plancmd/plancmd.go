// Package plancmd is what the commands that change a host have in common: the plan is shown, agreed to and applied, and
// the flags that say so.
package plancmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/progress"
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

// Applier does a plan that was shown, if it still is the plan: [component.Installer] on a host, [Direct] elsewhere.
type Applier interface {
	Apply(ctx context.Context, change component.Change) error
}

// Job is a change of components.
type Job struct {
	Kind       string // of the document: "InstallPlan"
	Components []string
	Args       []string // for the journal: the command, without secrets
	In         Applier
	Quiet      bool // the steps show their own progress
	Plan       func(context.Context) (*plan.Plan, error)
	Undoes     string // the run that is taken back; "" for none
}

// document is what is printed.
type document struct {
	Components []string    `json:"components,omitempty"`
	Targets    []string    `json:"targets,omitempty"` // of a plan whose steps stand for themselves
	Applied    bool        `json:"applied"`           // the steps were done, and the outcome was found well
	Steps      []plan.Step `json:"steps"`             // empty: all is as it should be
	Notes      []string    `json:"notes"`             // what is left to be done by hand, and what is not touched
	Failed     []failed    `json:"failed,omitempty"`
}

func (d *document) title() string {
	return strings.Join(append(append([]string{}, d.Components...), d.Targets...), ", ")
}

// Run shows the plan and applies it.
func (f *Flags) Run(ctx context.Context, env *cli.Env, j Job) error {
	p, err := j.Plan(ctx)
	if err != nil {
		return err
	}
	d := &document{Components: j.Components, Steps: append([]plan.Step{}, p.Steps...), Notes: append([]string{}, p.Notes...)}
	if !f.DryRun && len(p.Steps) > 0 {
		if err := f.agree(env, p, "Apply these steps?"); err != nil {
			return err
		}
		if err := f.apply(ctx, env, j, p); err != nil {
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

// apply does the steps; which one it is at shows on stderr.
func (f *Flags) apply(ctx context.Context, env *cli.Env, j Job, p *plan.Plan) error {
	rep := progress.OrNop(nil)
	if !j.Quiet {
		rep = env.Progress("applying", cli.Items)
	}
	rep.Start(int64(len(p.Steps)))
	defer rep.Done()
	begun := 0
	return j.In.Apply(ctx, component.Change{Args: j.Args, Shown: p, Again: j.Plan, Undoes: j.Undoes, Watch: func(s plan.Step) {
		env.Log.Info("step", "action", s.Action, "target", s.Target)
		if begun++; begun > 1 {
			rep.Add(1)
		}
	}})
}

// agree asks, unless --yes was given. The plan is shown on stderr: stdout is for the result.
func (f *Flags) agree(env *cli.Env, p *plan.Plan, question string) error {
	if f.Yes {
		return nil
	}
	for _, note := range p.Notes {
		for line := range strings.Lines("note: " + note) {
			if _, err := io.WriteString(env.Err, render.Safe(strings.TrimSuffix(line, "\n"))+"\n"); err != nil {
				return err
			}
		}
	}
	for _, s := range p.Steps {
		text := fmt.Sprintf("%s %s  %s\n%s", s.Action, s.Target, s.Detail, s.Diff)
		for line := range strings.Lines(text) {
			if _, err := io.WriteString(env.Err, render.Safe(strings.TrimSuffix(line, "\n"))+"\n"); err != nil {
				return err
			}
		}
	}
	return env.Confirm(question)
}

func (d *document) page(p *render.Page) {
	switch {
	case len(d.Steps) == 0:
		p.Para("%s: nothing to do", d.title())
		d.notes(p)
		return
	case d.Applied:
		p.Para("%s: done", d.title())
	case len(d.Failed) > 0:
		p.Para("%s: %d of %d steps failed", d.title(), len(d.Failed), len(d.Steps))
	}
	rows := make([][]string, len(d.Steps))
	for i, s := range d.Steps {
		rows[i] = []string{s.Action, s.Target, s.Detail}
	}
	p.Table([]string{"ACTION", "TARGET", "DETAIL"}, nil, rows)
	d.notes(p)
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

func (d *document) notes(p *render.Page) {
	for _, note := range d.Notes {
		first, more, _ := strings.Cut(note, "\n")
		p.Para("note: %s", first)
		if more != "" {
			p.Text(more)
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
