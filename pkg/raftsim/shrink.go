package raftsim

import (
	"context"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// Runner runs a config and reports; see [Simulator.Do].
type Runner func(context.Context, Config) (*Report, error)

// Shrink makes the schedule of a failing run as small as it finds: fewer and shorter faults at round times, a shorter run, fewer
// clients, all as long as the same invariant is violated. It returns the smallest config and its report. tries is called before
// each run; the error is run's.
func Shrink(ctx context.Context, cfg Config, invariant string, run Runner, tries func()) (Config, *Report, error) {
	s := &shrinker{run: run, invariant: invariant, tries: tries, best: cfg, seed: cfg.Seed}
	report, err := run(ctx, cfg)
	if err != nil || !violates(report, invariant) {
		return cfg, report, err
	}
	s.report = report
	for {
		before := len(s.best.Faults)
		for _, pass := range []func(context.Context) error{s.shorten, s.fewer, s.ends, s.rounds, s.clients} {
			if err := pass(ctx); err != nil {
				return s.best, s.report, err
			}
		}
		if len(s.best.Faults) == before {
			return s.best, s.report, nil
		}
	}
}

type shrinker struct {
	run       Runner
	invariant string
	tries     func()
	best      Config
	seed      uint64 // of the run that is shrunk
	report    *Report
}

func violates(r *Report, invariant string) bool {
	return slices.ContainsFunc(r.Violations, func(v ViolationReport) bool { return v.Invariant == invariant })
}

// try keeps a candidate that fails in the same way.
func (s *shrinker) try(ctx context.Context, candidate Config) (kept bool, err error) {
	if bad := candidate.Check(); bad != nil {
		return false, nil //nolint:nilerr // it makes no run: not the way to go
	}
	for i := range otherSeeds {
		s.tries()
		report, err := s.run(ctx, candidate)
		if err != nil {
			return false, err
		}
		if violates(report, s.invariant) {
			s.best, s.report = candidate, report
			return true, nil
		}
		candidate.Seed = s.seed + uint64(i) + 1
	}
	return false, nil
}

// otherSeeds are tried for each candidate: what is left out changes what chance does from there on.
const otherSeeds = 60

// shorten ends the run at the violation, and drops the faults behind it.
func (s *shrinker) shorten(ctx context.Context) error {
	c := s.best
	c.Duration = (time.Duration(s.report.DurationSeconds*float64(time.Second)) + 100*time.Millisecond).Truncate(100 * time.Millisecond)
	c.Faults = slices.DeleteFunc(slices.Clone(c.Faults), func(f fault.Fault) bool { return f.At > c.Duration })
	if c.Duration >= s.best.Duration && len(c.Faults) == len(s.best.Faults) {
		return nil
	}
	_, err := s.try(ctx, c)
	return err
}

// fewer leaves faults out: halves first, then smaller parts, down to single ones (Zeller's delta debugging).
func (s *shrinker) fewer(ctx context.Context) error {
	for size := max(1, len(s.best.Faults)/2); size >= 1; size /= 2 {
		for at := 0; at < len(s.best.Faults); {
			c := s.best
			c.Faults = slices.Delete(slices.Clone(c.Faults), at, min(at+size, len(c.Faults)))
			kept, err := s.try(ctx, c)
			if err != nil {
				return err
			}
			if !kept {
				at += size
			}
		}
	}
	return nil
}

// ends gives faults no end, or half the time.
func (s *shrinker) ends(ctx context.Context) error {
	return s.each(ctx, func(f *fault.Fault) bool {
		f.For = (f.For / 2).Truncate(100 * time.Millisecond)
		return f.For > 0
	})
}

// rounds moves faults to times that a person can read.
func (s *shrinker) rounds(ctx context.Context) error {
	for _, unit := range []time.Duration{time.Second, 500 * time.Millisecond, 100 * time.Millisecond, 10 * time.Millisecond} {
		err := s.each(ctx, func(f *fault.Fault) bool {
			at, long := f.At.Round(unit), max(f.For.Round(unit), min(f.For, unit))
			changed := at != f.At || long != f.For
			f.At, f.For = at, long
			return changed
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each tries a change of every fault by itself.
func (s *shrinker) each(ctx context.Context, change func(*fault.Fault) bool) error {
	for i := range s.best.Faults {
		c := s.best
		c.Faults = slices.Clone(c.Faults)
		if !change(&c.Faults[i]) {
			continue
		}
		if _, err := s.try(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// clients tries with one alone, and with one key.
func (s *shrinker) clients(ctx context.Context) error {
	for _, change := range []func(*Config){
		func(c *Config) { c.Clients = min(c.Clients, 1) },
		func(c *Config) { c.Keys = min(c.Keys, 1) },
	} {
		c := s.best
		change(&c)
		if c.Clients == s.best.Clients && c.Keys == s.best.Keys {
			continue
		}
		if _, err := s.try(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
