package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/quarantine"
)

// Undone is what undoing did.
type Undone struct {
	// Runs that were taken back, the latest first, with what became of each.
	Runs []UndoneRun `json:"runs"`
}

// UndoneRun is one of them.
type UndoneRun struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"`
	At   time.Time `json:"begun"`
	// Restored is what comes back, and Kept the files that stay in quarantine since there is something newer at their place.
	Restored Amount `json:"restored"`
	Kept     int    `json:"kept"`
}

// PlanUndo finds what [Collector.Undo] would take back. The error wraps [quarantine.ErrNoSet].
func (c *Collector) PlanUndo(id string) (*Undone, error) {
	undone := &Undone{Runs: []UndoneRun{}}
	sets, err := c.since(id)
	for _, set := range sets {
		row := UndoneRun{ID: set.ID, Kind: set.Kind, At: set.Begun}
		err = errors.Join(err, weigh(set, &row.Restored))
		undone.Runs = append(undone.Runs, row)
	}
	if err != nil {
		return nil, err
	}
	return undone, nil
}

// Undo takes back the run id, the latest when id is "", with those after it, the last one first: each then finds the store as it
// left it.
func (c *Collector) Undo(ctx context.Context, id string) (undone *Undone, err error) {
	lock, err := c.start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	sets, err := c.since(id)
	if err != nil {
		return nil, err
	}
	// Blobs whose links have come back have not been away.
	if err := os.Remove(c.ages()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	undone = &Undone{Runs: []UndoneRun{}}
	for _, set := range sets {
		row := UndoneRun{ID: set.ID, Kind: set.Kind, At: set.Begun}
		if err := weigh(set, &row.Restored); err != nil {
			return undone, err
		}
		done, err := set.RestoreAll(ctx)
		row.Kept = done.Kept
		if err != nil {
			return undone, fmt.Errorf("undoing %s: %w", set.ID, err)
		}
		undone.Runs = append(undone.Runs, row)
	}
	return undone, c.yard.Sync()
}

// since are the sets from id on, the latest first.
func (c *Collector) since(id string) ([]*quarantine.Set, error) {
	sets, err := c.yard.Sets()
	if err != nil {
		return nil, err
	}
	var from []*quarantine.Set
	for _, set := range slices.Backward(sets) {
		from = append(from, set)
		if id == "" || set.ID == id {
			return from, nil
		}
	}
	if id == "" {
		return nil, fmt.Errorf("nothing lies in %s: %w", c.yard.Dir(), quarantine.ErrNoSet)
	}
	return nil, fmt.Errorf("%s in %s: %w", id, c.yard.Dir(), quarantine.ErrNoSet)
}
