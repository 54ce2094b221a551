package raftcmd

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/raftsim"
)

// shrinkIn has one worker do the runs of a shrinking, each of which depends on those before.
func shrinkIn(ctx context.Context, run runFunc, t *raftsim.Trace, tries func()) (small raftsim.Config, report *raftsim.Report, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs, answers := make(chan raftsim.Job), make(chan *raftsim.Report)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, 1, func(yield func(raftsim.Job) bool) {
			for job := range jobs {
				if !yield(job) {
					return
				}
			}
		}, func(_ int, a raftsim.Answer) error {
			answers <- a.Report
			return nil
		})
	}()
	ask := func(ctx context.Context, c raftsim.Config) (*raftsim.Report, error) {
		select {
		case jobs <- raftsim.Job{Config: c}:
		case err := <-ended:
			return nil, errors.Join(err, errWorker)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		select {
		case r := <-answers:
			return r, nil
		case err := <-ended:
			return nil, errors.Join(err, errWorker)
		}
	}
	small, report, err = raftsim.Shrink(ctx, t.Config, t.Violation.Invariant, ask, tries)
	close(jobs)
	return small, report, err
}

var errWorker = errors.New("the simulation ended")

func hasViolation(r *raftsim.Report, invariant string) bool {
	return slices.ContainsFunc(r.Violations, func(v raftsim.ViolationReport) bool { return v.Invariant == invariant })
}

func smallName(path string) string {
	base, found := strings.CutSuffix(path, ".json")
	if !found {
		return path + ".small"
	}
	return base + ".small.json"
}
