package plancmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/plan"
)

// Work is a plan whose steps stand for themselves: one that fails keeps none of the others from being done, and none is
// undone for it.
type Work struct {
	Kind     string   // of the document: "RegistryRemoval"
	Targets  []string // as they were given
	Question string
	Plan     *plan.Plan
	// Problems are the targets that no step could be planned for.
	Problems []error
	// Ready says why nothing can be done; it is called before anybody is asked, unless the plan is only shown.
	Ready func(context.Context) error
	// Done is called after the steps and may add notes.
	Done func(*plan.Plan) error
}

// failed is a step that was not done.
type failed struct {
	Target string `json:"target"`
	Error  string `json:"error"`
}

// Each shows the plan and does its steps, one by one. The error is a partial one when some targets failed, and the
// failures themselves when all did.
func (f *Flags) Each(ctx context.Context, env *cli.Env, w Work) error {
	d := &document{Targets: w.Targets, Steps: append([]plan.Step{}, w.Plan.Steps...)}
	errs := append([]error{}, w.Problems...)
	if !f.DryRun && len(d.Steps) > 0 {
		if err := w.Ready(ctx); err != nil {
			return err
		}
		if err := f.agree(env, w.Plan, w.Question); err != nil {
			return err
		}
		failures := d.apply(ctx, env)
		if err := w.Done(w.Plan); err != nil {
			failures = append(failures, err)
		}
		if ctx.Err() != nil || len(d.Failed) == len(d.Steps) {
			return errors.Join(failures...)
		}
		d.Applied, errs = len(failures) == 0, append(errs, failures...)
	}
	d.Notes = append([]string{}, w.Plan.Notes...)
	if err := render.Document(env, render.View{Kind: w.Kind, Body: d, Page: d.page, CSV: d.csv, Names: d.names}); err != nil {
		return err
	}
	switch {
	case len(errs) > 0:
		return cli.Partial(errors.Join(errs...))
	case f.ExitCode && len(d.Steps) > 0:
		return cli.Found()
	}
	return nil
}

// apply does the steps until the context ends, and takes down those that failed.
func (d *document) apply(ctx context.Context, env *cli.Env) (errs []error) {
	rep := env.Progress("applying", cli.Items)
	rep.Start(int64(len(d.Steps)))
	defer rep.Done()
	for _, s := range d.Steps {
		if ctx.Err() != nil {
			return append(errs, context.Cause(ctx))
		}
		env.Log.Info("step", "action", s.Action, "target", s.Target)
		if err := s.Do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Target, err))
			d.Failed = append(d.Failed, failed{s.Target, err.Error()})
		}
		rep.Add(1)
	}
	return errs
}
