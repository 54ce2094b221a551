package component

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/journal"
	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// StateDir is where opsctl keeps its lock, its journal and its downloads on a host.
const StateDir = "/var/lib/opsctl"

// ErrChanged says that what is to be done is no longer what was shown.
var ErrChanged = errors.New("the host has changed since the plan was shown: look again")

// Change is a plan that was shown and is to be done.
type Change struct {
	Args  []string // for the journal: the command, without secrets
	Shown *plan.Plan
	// Again makes the plan anew: it must come out the same.
	Again func(context.Context) (*plan.Plan, error)
	Watch func(plan.Step)
	// Undoes is the id of the run that this one takes back; "" for none.
	Undoes string
}

// Apply does a change under the host's lock and with a record in its journal. A run that was killed before is over once this
// one is: its steps were planned again where they lacked.
func (in *Installer) Apply(ctx context.Context, c Change) (err error) {
	dir := in.path(StateDir)
	if err := atomicfile.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := lockfile.Acquire(filepath.Join(dir, "lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	p, err := c.Again(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if before, err := json.Marshal(c.Shown); err != nil || !bytes.Equal(text, before) {
		return errors.Join(ErrChanged, err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	killed := j.Unfinished()
	run, err := j.Begin(c.Args, text)
	if err != nil {
		return err
	}
	if err := in.keepFormer(run.ID, p, killed); err != nil {
		return errors.Join(err, run.Abort())
	}
	if err := p.Apply(ctx, run, c.Watch); err != nil {
		if failed, ok := errors.AsType[*plan.FailedError](err); ok && failed.Left != nil {
			return err // what is left to be put back can be, like that of a run that was killed
		}
		return errors.Join(err, run.Abort(), in.dropFormer(run))
	}
	// Some of what was left to stand is known only now, such as the number of an account.
	if err := in.keepFormer(run.ID, p, killed); err != nil {
		return err
	}
	for _, old := range killed {
		if err := errors.Join(old.Abort(), in.dropFormer(old)); err != nil {
			return err
		}
	}
	if err := run.Commit(); err != nil {
		return err
	}
	for _, old := range j.Runs() {
		if old.ID == c.Undoes && old.Status == journal.Committed {
			return errors.Join(old.Undone(), in.dropFormer(old))
		}
	}
	return nil
}
