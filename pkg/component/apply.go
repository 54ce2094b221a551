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

// Apply does a plan that was shown, under the host's lock and with a record in its journal. again makes the plan anew: it
// must come out the same. A run that was killed before is over once this one is: its steps were planned again where they
// lacked.
func (in *Installer) Apply(ctx context.Context, args []string, shown *plan.Plan, again func(context.Context) (*plan.Plan, error), watch func(plan.Step)) (err error) {
	dir := in.path(StateDir)
	if err := atomicfile.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := lockfile.Acquire(filepath.Join(dir, "lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	p, err := again(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if before, err := json.Marshal(shown); err != nil || !bytes.Equal(text, before) {
		return errors.Join(ErrChanged, err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	killed := j.Unfinished()
	run, err := j.Begin(args, text)
	if err != nil {
		return err
	}
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
