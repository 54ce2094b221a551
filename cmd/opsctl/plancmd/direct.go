package plancmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
)

// Direct does plans that change nothing of this host's, and so have no lock and no record on it.
type Direct struct{}

// Apply does the plan, unless it comes out another one by now: [component.ErrChanged].
func (Direct) Apply(ctx context.Context, change component.Change) error {
	p, err := change.Again(ctx)
	if err != nil {
		return err
	}
	now, errNow := json.Marshal(p)
	shown, errShown := json.Marshal(change.Shown)
	if err := errors.Join(errNow, errShown); err != nil {
		return err
	}
	if !bytes.Equal(now, shown) {
		return component.ErrChanged
	}
	return p.Apply(ctx, unrecorded{}, change.Watch)
}

// unrecorded is the record that is not kept.
type unrecorded struct{}

// StepBegun implements [plan.Recorder].
func (unrecorded) StepBegun(int) error { return nil }

// StepDone implements [plan.Recorder].
func (unrecorded) StepDone(int) error { return nil }

var _ plan.Recorder = unrecorded{}
