package installcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/journal"
	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// planned is the document of kind InstallPlan.
type planned struct {
	Component string      `json:"component"`
	Applied   bool        `json:"applied"` // the steps were done, and the outcome was found well
	Steps     []plan.Step `json:"steps"`   // empty: all is as it should be
}

func install(ctx context.Context, env *cli.Env, o *options) error {
	in, done, err := o.installer(ctx, env)
	if err != nil {
		return explain(err)
	}
	defer done()
	p, err := in.Plan(ctx, o.name, o.Options)
	if err != nil {
		return explain(err)
	}
	result := &planned{Component: o.name, Steps: p.Steps}
	if result.Steps == nil {
		result.Steps = []plan.Step{}
	}
	if o.dryRun || len(p.Steps) == 0 {
		return result.say(env, o)
	}
	if err := o.agree(env, p); err != nil {
		return err
	}
	if err := apply(ctx, env, in, o, p); err != nil {
		return explain(err)
	}
	result.Applied = true
	return result.say(env, o)
}

// agree asks, unless --yes was given. The plan is shown on stderr: stdout is for the result.
func (o *options) agree(env *cli.Env, p *plan.Plan) error {
	if o.yes {
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

// stateDir is where opsctl keeps its lock and its journal on a host.
const stateDir = "var/lib/opsctl"

// apply does the plan, under the host's lock and with a journal. What was shown must still be what is to be done.
func apply(ctx context.Context, env *cli.Env, in *component.Installer, o *options, shown *plan.Plan) (err error) {
	dir := filepath.Join(in.Dir, stateDir)
	if err := atomicfile.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := lockfile.Acquire(filepath.Join(dir, "lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	p, err := in.Plan(ctx, o.name, o.Options)
	if err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if before, err := json.Marshal(shown); err != nil || !bytes.Equal(text, before) {
		return errors.Join(errChanged, err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), env.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	killed := j.Unfinished()
	run, err := j.Begin([]string{"install", o.name}, text)
	if err != nil {
		return err
	}
	watch := func(s plan.Step) { env.Log.Info("step", "action", s.Action, "target", s.Target) }
	if err := p.Apply(ctx, run, watch); err != nil {
		return errors.Join(err, run.Abort())
	}
	for _, old := range killed {
		if err := old.Abort(); err != nil {
			return err
		}
	}
	return run.Commit()
}

var errChanged = errors.New("the host has changed since the plan was shown: look again")

// say prints the plan, or what was done.
func (r *planned) say(env *cli.Env, o *options) error {
	if err := render.Document(env, render.View{Kind: "InstallPlan", Body: r, Page: r.page, CSV: r.csv, Names: r.names}); err != nil {
		return err
	}
	if o.exitCode && len(r.Steps) > 0 {
		return cli.Found()
	}
	return nil
}

func (r *planned) page(p *render.Page) {
	switch {
	case len(r.Steps) == 0:
		p.Para("%s: nothing to do", r.Component)
		return
	case r.Applied:
		p.Para("%s: done", r.Component)
	}
	heads, rows := r.csv()
	for i := range rows {
		rows[i] = rows[i][:3]
	}
	p.Table(heads[:3], nil, rows)
	if !r.Applied {
		for _, s := range r.Steps {
			if s.Diff != "" {
				p.Heading(s.Target)
				p.Text(s.Diff)
			}
		}
	}
}

func (r *planned) csv() ([]string, [][]string) {
	rows := [][]string{}
	for _, s := range r.Steps {
		rows = append(rows, []string{s.Action, s.Target, s.Detail, s.Diff})
	}
	return []string{"action", "target", "detail", "diff"}, rows
}

func (r *planned) names() []string {
	names := []string{}
	for _, s := range r.Steps {
		names = append(names, s.Action+" "+s.Target)
	}
	return names
}
