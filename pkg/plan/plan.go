// Package plan is a list of steps that change a host: one value that is shown, printed as
// JSON, applied step by step, and undone. What changes a host goes through a plan, so
// that what was shown is what happens.
package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Step is one change. Do must either change what the step says, or fail and leave it as
// it was; doing it again after a crash in the middle must end in the same state.
type Step struct {
	Action string `json:"action"` // a verb: "create", "replace", "link", "remove", "enable", "restart" ...
	Target string `json:"target"` // a file, a unit, a user
	Detail string `json:"detail"` // in words; may be empty
	Diff   string `json:"diff,omitempty"`

	Do func(context.Context) error `json:"-"`
	// Undo brings back what was there before Do, also where Do failed half way or did nothing. Nil: there is nothing to
	// bring back.
	Undo func(context.Context) error `json:"-"`
	// Former is what Undo brings back, as a value that JSON can hold: for undoing a run that is long over. Nil as Undo.
	Former any `json:"-"`
}

// Plan is what is to be done, in order. Empty means that all is as it should be.
type Plan struct {
	Steps []Step `json:"steps"`
	// Notes are for the reader: what the plan leaves to be done by hand, and what it does not touch.
	Notes []string `json:"notes,omitempty"`

	restored []func(context.Context) error
}

// Add appends a step.
func (p *Plan) Add(s Step) { p.Steps = append(p.Steps, s) }

// Note appends a note.
func (p *Plan) Note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// OnRestored has f called when a run failed and its steps are undone, for what follows from all of them: starting again
// what ran before. The functions are called in the order in which they came.
func (p *Plan) OnRestored(f func(context.Context) error) { p.restored = append(p.restored, f) }

// Recorder takes what happens to a step's number, before and after it: the journal's side
// of a run. An error stops the run as the step's own would.
type Recorder interface {
	StepBegun(i int) error
	StepDone(i int) error
}

// FailedError says which step failed and what became of those before it.
type FailedError struct {
	Step Step
	Err  error // the step's
	Left error // of undoing; nil: all is as it was before
}

func (e *FailedError) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Step.Action, e.Step.Target, e.Err)
	if e.Left != nil {
		text += fmt.Sprintf("; undoing: %v", e.Left)
	}
	return text
}

// Unwrap gives both errors.
func (e *FailedError) Unwrap() []error { return []error{e.Err, e.Left} }

// Apply does the steps in order. When one fails, or ctx ends between two, those that were
// done are undone, the last one first, and the error is a *FailedError. Undoing goes on when
// ctx has ended.
func (p *Plan) Apply(ctx context.Context, rec Recorder, watch func(Step)) error {
	for i, s := range p.Steps {
		watch(s)
		if err := p.one(ctx, rec, i); err != nil {
			return &FailedError{Step: s, Err: err, Left: p.undo(context.WithoutCancel(ctx), i)}
		}
	}
	return nil
}

func (p *Plan) one(ctx context.Context, rec Recorder, i int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := rec.StepBegun(i); err != nil {
		return err
	}
	if err := p.Steps[i].Do(ctx); err != nil {
		return err
	}
	return rec.StepDone(i)
}

// undo undoes the steps up to and with number last: that one may have done its work before
// it failed.
func (p *Plan) undo(ctx context.Context, last int) error {
	var errs []error
	for _, s := range slices.Backward(p.Steps[:last+1]) {
		if s.Undo == nil {
			continue
		}
		if err := s.Undo(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", s.Action, s.Target, err))
		}
	}
	for _, restored := range p.restored {
		errs = append(errs, restored(ctx))
	}
	return errors.Join(errs...)
}
