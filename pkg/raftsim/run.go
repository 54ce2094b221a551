package raftsim

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/check"
	"github.com/opsctl/opsctl/pkg/raftsim/core"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// Result is what came of a run.
type Result struct {
	Seed       uint64
	Sum        uint64 // of all events: equal runs have equal ones
	Duration   time.Duration
	Events     uint64
	Messages   uint64
	Operations uint64
	Unanswered uint64 // operations that clients gave up
	Elections  []Election
	Leaders    []Reign
	Losses     []Loss
	Up, Voters int    // members that run at the end, and all of them
	Leader     uint64 // at the end; 0 for none
	Term       uint64 // the highest
	// Leaderless are stretches without a leader that runs, the first up to the first election; Serviceless those of half an election
	// timeout and more in which no operation was answered.
	Leaderless, Serviceless []Window
	Latencies               []time.Duration // of operations that were answered, in their order
	Violations              []check.Violation
	History                 check.Verdict
	// Failover is how long after the first fault a new leader led, Outage how long before an operation was answered; -1 for never.
	Failover, Outage time.Duration
	FirstFault       time.Duration    // -1: there was none
	Missed           []Miss           // in the order of the schedule
	Recording        *trace.Recording // nil where none was wanted
}

// Simulator runs clusters, one after the other. It owns the random source of its process, see [core.Draws]: there is one of them, in a
// process that does nothing else.
type Simulator struct {
	draws   core.Draws
	restore func()
}

// NewSimulator takes the process's random source. Close gives it back.
func NewSimulator() *Simulator {
	s := &Simulator{}
	s.restore = core.Own(&s.draws)
	return s
}

// Close gives the process's random source back.
func (s *Simulator) Close() { s.restore() }

// checkEvery is how many events pass between two looks at the context.
const checkEvery = 4096

// Run runs a cluster. It ends early where an invariant does not hold, which is no error; the error is a [*ConfigError] or ctx's.
func (s *Simulator) Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	c, err := s.simulate(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	return c.result(true), nil
}

// simulate runs to the end. A core that panics is a finding like any other.
func (s *Simulator) simulate(ctx context.Context, cfg *Config) (c *cluster, err error) {
	c = &cluster{cfg: cfg}
	defer func() {
		if v := recover(); v != nil {
			c.panicked = &check.Violation{Invariant: check.Panic, At: c.queue.Now(), Text: fmt.Sprint(v)}
			if c.drawing != nil {
				c.panicked.Node = c.drawing.id
			}
		}
	}()
	c.set(&s.draws)
	for n := 0; !c.ended(); n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.step()
	}
	return c, nil
}

// ended says whether nothing more is to happen.
func (c *cluster) ended() bool {
	at, ok := c.queue.Next()
	switch {
	case !ok || at > c.cfg.Duration:
		return true
	case len(c.checker.Violations()) > 0:
		return true
	}
	return c.cfg.UntilRecovered && c.watch.recovered >= 0 && (c.cfg.Clients == 0 || c.watch.served >= 0)
}

// length is how long the run was: as long as it was to be, unless something ended it.
func (c *cluster) length() time.Duration {
	if at, ok := c.queue.Next(); c.panicked == nil && len(c.checker.Violations()) == 0 && (!ok || at > c.cfg.Duration) {
		return c.cfg.Duration
	}
	return c.queue.Now()
}

// result is what came of the run. The history of its operations is judged where that is wanted: it takes as long as the run.
func (c *cluster) result(history bool) *Result {
	w := &c.watch
	r := &Result{
		Seed: c.cfg.Seed, Sum: c.sum, Duration: c.length(), Events: c.queue.Popped(), Messages: c.messages,
		Operations: w.operations, Unanswered: w.unanswered, Elections: w.elections, Leaders: w.leaders, Term: w.maxTerm,
		Losses: w.losses, Leaderless: w.leaderless, Serviceless: w.serviceless, Latencies: w.latencies, Failover: -1, Outage: -1, FirstFault: w.firstFault, Recording: c.recording,
	}
	for _, n := range c.members() {
		r.Voters++
		if n.up() && n.paused == 0 {
			r.Up++
		}
	}
	if w.leader != nil {
		r.Leader = w.leader.id
	} else {
		r.Leaderless = append(r.Leaderless, Window{w.since, r.Duration})
	}
	if c.cfg.Clients > 0 && r.Duration-w.lastAnswer >= c.cfg.ElectionTimeout/2 {
		r.Serviceless = append(r.Serviceless, Window{w.lastAnswer, r.Duration})
	}
	if w.firstFault >= 0 && w.recovered >= 0 {
		r.Failover = w.recovered - w.firstFault
	}
	if w.firstFault >= 0 && w.served >= 0 {
		r.Outage = w.served - w.lastBefore
	}
	if history {
		r.History = c.checker.Linearizable(r.Duration)
	}
	r.Missed, r.Violations = c.missed(), c.checker.Violations()
	if c.panicked != nil {
		r.Violations = append(r.Violations, *c.panicked)
	}
	return r
}

// missed are the faults that met nobody, those for which no election came, and those that the end of the run came before.
func (c *cluster) missed() []Miss {
	all := slices.Clone(c.watch.missed)
	for _, a := range c.armed {
		all = append(all, Miss{a.index, "no such election came"})
	}
	for e := range c.queue.Waiting() {
		if e.kind == evFault {
			all = append(all, Miss{int(e.a), "the run ended before it"})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Fault < all[j].Fault })
	return all
}
