package raftcmd

import (
	"bytes"
	"io"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
	"github.com/opsctl/opsctl/pkg/report/raftplay"
)

// recorded is how many events views get.
const recorded = 200_000

// views say what a run has to keep for what is to be shown of it.
func views(env *cli.Env, c raftsim.Config, timeline bool) raftsim.Job {
	if timeline || env.Format == cli.HTML {
		c.Record = recorded
	}
	return raftsim.Job{Config: c, Samples: env.Format == cli.SVG}
}

// timelineText is the timeline, as wide as the terminal.
func timelineText(rec *trace.Recording, env *cli.Env) (string, error) {
	width := env.Width
	if width == 0 {
		width = 100
	}
	var b bytes.Buffer
	err := raftplay.Timeline(&b, rec, width, env.Color)
	return b.String(), err
}

// writeLatencies plots how long operations took.
func writeLatencies(w io.Writer, a *raftsim.Answer) error {
	p := raftplay.Plot{Title: "Latency of operations", XLabel: "seconds until the answer"}
	s := raftplay.Series{Name: "answered", Values: a.Latencies}
	if l := a.Report.Latency; l != nil {
		s.Marks = []raftplay.Mark{{Label: "p50", Share: 0.5, At: l.P50}, {Label: "p99", Share: 0.99, At: l.P99}}
	}
	p.Series = []raftplay.Series{s}
	return p.WriteSVG(w)
}

// writeFailovers plots how long there was no leader, and no service.
func writeFailovers(w io.Writer, reports []*raftsim.FailoverReport) error {
	p := raftplay.Plot{Title: "Failover", XLabel: "seconds"}
	for _, r := range reports {
		add := func(name string, d *raftsim.Distribution, values []float64) {
			if d == nil {
				return
			}
			mark := func(label string, share float64, e raftsim.Estimate) raftplay.Mark {
				return raftplay.Mark{Label: label, Share: share, At: float64(e.Seconds), Low: float64(e.Low), High: float64(e.High)}
			}
			p.Series = append(p.Series, raftplay.Series{Name: name, Values: values, Marks: []raftplay.Mark{mark("p50", 0.5, d.P50), mark("p95", 0.95, d.P95)}})
		}
		add(string(r.Scenario)+": without a leader", r.Leaderless, r.Samples.Leaderless)
		add(string(r.Scenario)+": without service", r.Outage, r.Samples.Outage)
	}
	return p.WriteSVG(w)
}
