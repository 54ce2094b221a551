package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Status is how far a run has come.
type Status string

const (
	// Unfinished is a run at work, or one that was killed.
	Unfinished Status = "unfinished"
	// Committed is a run that did all it meant to, and was found to work.
	Committed Status = "committed"
	// Aborted is a run that did not get there; what it had done was taken back.
	Aborted Status = "aborted"
	// Undone is a committed run that was taken back later.
	Undone Status = "undone"
)

// Step is one step of a run's plan that was begun.
type Step struct {
	// Index is its place in the plan, from 0.
	Index int
	Begun time.Time
	// Done is zero when the step did not end, as far as the journal knows: it may
	// have been done and the process killed before it could say so.
	Done time.Time
}

// Run is one run as the journal has it. Its methods append what it did since and
// return when that is on disk; after an error nothing has been recorded and the
// journal takes no more.
type Run struct {
	// ID is the time it began; IDs of one journal sort as the runs began.
	ID string
	// Args is the command line, without secrets.
	Args []string
	// Plan is what the run meant to do, in the caller's own form.
	Plan   json.RawMessage
	Begun  time.Time
	Ended  time.Time
	Status Status
	// Steps are the steps that were begun, in the order of their first begin.
	Steps []Step

	journal *Journal
}

// StepBegun records that step i of the plan is about to change something. A step
// may begin again, when a run is repaired.
func (r *Run) StepBegun(i int) error { return r.append(kindStepBegun, i) }

// StepDone records that step i, which has begun, is done.
func (r *Run) StepDone(i int) error { return r.append(kindStepDone, i) }

// Commit records that all steps are done and the outcome was found to work.
func (r *Run) Commit() error { return r.append(kindCommitted, 0) }

// Abort records that an unfinished run is over and nothing of it remains to be
// repaired: it was taken back, or a later run made it good.
func (r *Run) Abort() error { return r.append(kindAborted, 0) }

// Undone records that a committed run has been taken back.
func (r *Run) Undone() error { return r.append(kindUndone, 0) }

func (r *Run) append(k kind, step int) error {
	return r.journal.append(record{Run: r.ID, Kind: k, Time: r.journal.now().UTC(), Step: step})
}

// check says why a record cannot follow what is known of its run, which is nil
// for one that is not known.
func (r *Run) check(rec record) error {
	if r == nil {
		return fmt.Errorf("record %q of a run that never began: %q", rec.Kind, rec.Run)
	}
	switch rec.Kind {
	case kindBegun:
		return fmt.Errorf("run %s begins twice", rec.Run)
	case kindStepBegun, kindStepDone:
		if rec.Step < 0 {
			return fmt.Errorf("step %d of run %s is negative", rec.Step, rec.Run)
		}
		if rec.Kind == kindStepDone && r.step(rec.Step) == nil {
			return fmt.Errorf("step %d of run %s is done but never began", rec.Step, rec.Run)
		}
		fallthrough
	case kindCommitted, kindAborted:
		if r.Status != Unfinished {
			return fmt.Errorf("run %s is %s, and goes on with %q", rec.Run, r.Status, rec.Kind)
		}
	case kindUndone:
		if r.Status != Committed {
			return fmt.Errorf("run %s is %s: only a committed run is undone", rec.Run, r.Status)
		}
	default:
		return fmt.Errorf("unknown kind of record %q: a newer opsctl wrote it", rec.Kind)
	}
	return nil
}

// apply adds a record that check has passed.
func (r *Run) apply(rec record) {
	switch rec.Kind {
	case kindStepBegun:
		if s := r.step(rec.Step); s != nil {
			s.Begun, s.Done = rec.Time, time.Time{}
			return
		}
		r.Steps = append(r.Steps, Step{Index: rec.Step, Begun: rec.Time})
	case kindStepDone:
		r.step(rec.Step).Done = rec.Time
	case kindCommitted:
		r.Status, r.Ended = Committed, rec.Time
	case kindAborted:
		r.Status, r.Ended = Aborted, rec.Time
	case kindUndone:
		r.Status, r.Ended = Undone, rec.Time
	case kindBegun:
	}
}

func (r *Run) step(i int) *Step {
	for n := range r.Steps {
		if r.Steps[n].Index == i {
			return &r.Steps[n]
		}
	}
	return nil
}

// idLayout makes IDs of one width, so that they sort as text.
const idLayout = "20060102T150405.000000Z"

// nextID is the ID of a run that begins now, later than the last one's also when
// the clock was set back.
func nextID(now time.Time, last *Run) (string, error) {
	id := now.UTC().Format(idLayout)
	if last != nil && id <= last.ID {
		before, err := time.Parse(idLayout, last.ID)
		if err != nil {
			return "", err
		}
		id = before.Add(time.Microsecond).Format(idLayout)
	}
	return id, checkID(id, last)
}

func checkID(id string, last *Run) error {
	t, err := time.Parse(idLayout, id)
	switch {
	case err != nil || t.Format(idLayout) != id:
		return fmt.Errorf("%q is not a run's ID", id)
	case last != nil && id <= last.ID:
		return errors.New("run " + id + " is not later than " + last.ID)
	}
	return nil
}
