package raftsim

import (
	"context"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// Job is what a worker is asked for.
type Job struct {
	Config Config
	// Brief leaves out the report, and with it what Porcupine says: what is wanted are the times alone.
	Brief bool
	// Samples asks for all latencies.
	Samples bool
}

// Answer is what it gives.
type Answer struct {
	Report           *Report
	Recording        *trace.Recording // nil unless Config.Record
	Failover, Outage time.Duration    // see Result
	// Leaderless and Serviceless are how long there was no leader, and no service, from the first fault on, all together.
	Leaderless, Serviceless time.Duration
	Leader                  uint64    // at the end; 0 for none
	Leaders                 int       // one after the other
	Latencies               []float64 // seconds, in the order of the answers; where Samples were asked for
}

// Do runs a job.
func (s *Simulator) Do(ctx context.Context, j Job) (Answer, error) {
	if err := j.Config.Check(); err != nil {
		return Answer{}, err
	}
	c, err := s.simulate(ctx, &j.Config)
	if err != nil {
		return Answer{}, err
	}
	r := c.result(!j.Brief)
	a := Answer{
		Recording: r.Recording, Failover: r.Failover, Outage: r.Outage, Leader: r.Leader, Leaders: len(r.Leaders),
		Leaderless: since(r.FirstFault, r.Leaderless), Serviceless: since(r.FirstFault, r.Serviceless),
	}
	if j.Samples {
		for _, l := range r.Latencies {
			a.Latencies = append(a.Latencies, l.Seconds())
		}
	}
	if j.Brief {
		return a, nil
	}
	a.Report = j.Config.Report(r)
	if a.Recording != nil {
		a.Recording.Sentence = a.Report.Sentence
	}
	return a, nil
}

// since is how long windows are that end behind a time.
func since(from time.Duration, windows []Window) (sum time.Duration) {
	for _, w := range windows {
		if from >= 0 && w.To > from {
			sum += w.Long()
		}
	}
	return sum
}
