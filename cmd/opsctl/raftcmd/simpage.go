package raftcmd

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/report/raftplay"
)

// showRun shows one run in the format that was chosen.
func showRun(env *cli.Env, c *raftsim.Config, a *raftsim.Answer) error {
	r := a.Report
	timeline := ""
	if a.Recording != nil && env.Format != cli.HTML {
		var err error
		if timeline, err = timelineText(a.Recording, env); err != nil {
			return err
		}
	}
	return render.Document(render.Unstamped(env), render.View{
		Kind: "RaftSimulationList",
		Body: struct {
			Items []*raftsim.Report `json:"items"`
		}{[]*raftsim.Report{r}},
		Page:  func(p *render.Page) { (&simPage{p, c, a}).write(timeline) },
		CSV:   func() ([]string, [][]string) { return electionsCSV(r) },
		Names: func() []string { return []string{r.Hash} },
		Others: map[cli.Format]func(io.Writer) error{
			cli.HTML: func(w io.Writer) error { return raftplay.WritePage(w, a.Recording) },
			cli.SVG:  func(w io.Writer) error { return writeLatencies(w, a) },
		},
	})
}

// simPage is the report for people.
type simPage struct {
	p *render.Page
	c *raftsim.Config
	a *raftsim.Answer
}

func (s *simPage) write(timeline string) {
	r := s.a.Report
	s.p.Heading("Run")
	s.p.Para("%s, seed %d: %s of %s, heartbeat %s, election timeout %s, %s.", r.Hash, r.Seed, seconds(r.DurationSeconds),
		count(len(s.c.Topology.Nodes), "node"), s.c.HeartbeatInterval, s.c.ElectionTimeout, count(s.c.Clients, "client"))
	for i := range s.c.Faults {
		s.p.Para("  %s%s", s.c.Faults[i].String(), missed(r, i))
	}
	if timeline != "" {
		s.p.Heading("Timeline")
		s.p.Drawn(timeline)
	}
	s.leaders()
	s.elections()
	s.windows()
	s.figures()
	s.invariants()
	s.p.Heading("In words")
	s.p.Para("%s", r.Sentence)
}

// missed says of a fault that it did nothing, and why; "" of others.
func missed(r *raftsim.Report, fault int) string {
	for _, m := range r.Missed {
		if m.Index == fault {
			return "  (did nothing: " + m.Reason + ")"
		}
	}
	return ""
}

func (s *simPage) leaders() {
	r := s.a.Report
	s.p.Heading("Leaders")
	if len(r.Leaders) == 0 {
		s.p.Para("None.")
		return
	}
	var rows [][]string
	for _, l := range r.Leaders {
		to := "-"
		if l.ToSeconds != nil {
			to = seconds(*l.ToSeconds)
		}
		rows = append(rows, []string{l.Node, strconv.FormatUint(l.Term, 10), seconds(l.FromSeconds), to, orDash(l.Ended)})
	}
	heads := []string{"NODE", "TERM", "FROM", "TO", "WHY IT ENDED"}
	s.p.Table(heads, []bool{false, true, true, true}, s.p.Wrap(heads, rows))
}

// fewElections are shown without -o wide.
const fewElections = 20

func (s *simPage) elections() {
	r := s.a.Report
	s.p.Heading("Elections")
	if len(r.Elections) == 0 {
		s.p.Para("None: no election timer ran out.")
		return
	}
	var rows [][]string
	shown := r.Elections
	if !s.p.Wide() && len(shown) > fewElections {
		shown = shown[len(shown)-fewElections:]
	}
	for i := range shown {
		e := &shown[i]
		kind, won := "vote", "no"
		if e.PreVote {
			kind = "pre-vote"
		}
		if e.Won {
			won = "yes"
		}
		granted := 1
		for _, v := range e.Votes {
			if v.Granted {
				granted++
			}
		}
		rows = append(rows, []string{seconds(e.AtSeconds), e.Candidate, kind, strconv.FormatUint(e.Term, 10), strconv.Itoa(granted), won, orDash(refusals(e.Votes, s.p.Wide()))})
	}
	heads := []string{"AT", "CANDIDATE", "FOR", "TERM", "VOTES", "WON", "WHO DID NOT VOTE, AND WHY"}
	s.p.Table(heads, []bool{true, false, false, true, true}, s.p.Wrap(heads, rows))
	if n := len(r.Elections) - len(shown); n > 0 {
		s.p.Para("%d before these: -o wide shows all.", n)
	}
}

// fewNames are named for a reason without -o wide.
const fewNames = 3

// refusals are who did not vote for a candidate, by their reasons.
func refusals(votes []raftsim.VoteReport, all bool) string {
	names := map[string][]string{}
	var reasons []string
	for _, v := range votes {
		if v.Granted {
			continue
		}
		if names[v.Reason] == nil {
			reasons = append(reasons, v.Reason)
		}
		names[v.Reason] = append(names[v.Reason], v.Node)
	}
	for i, reason := range reasons {
		who, more := names[reason], ""
		if n := len(who) - fewNames; n > 0 && !all {
			who, more = who[:fewNames], fmt.Sprintf(" and %d more", n)
		}
		reasons[i] = strings.Join(who, ", ") + more + ": " + reason
	}
	return strings.Join(reasons, "; ")
}

func (s *simPage) windows() {
	r := s.a.Report
	s.p.Heading("Without")
	var rows [][]string
	add := func(what string, all []raftsim.WindowReport) {
		for _, w := range all {
			rows = append(rows, []string{what, seconds(w.FromSeconds), seconds(w.ToSeconds), seconds(w.ToSeconds - w.FromSeconds)})
		}
	}
	add("a leader", r.Leaderless)
	add("service", r.WithoutService)
	if len(rows) == 0 {
		s.p.Para("Nothing: there was a leader and service all the time.")
		return
	}
	s.p.Table([]string{"WITHOUT", "FROM", "TO", "LASTED"}, []bool{false, true, true, true}, rows)
}

func (s *simPage) figures() {
	r := s.a.Report
	s.p.Heading("Operations")
	s.p.Para("%d asked, %d answered, %d given up; %d messages, %d events.", r.Operations.Asked, r.Operations.Answered, r.Operations.GivenUp, r.Messages, r.Events)
	if l := r.Latency; l != nil {
		s.p.Table([]string{"LATENCY", "P50", "P90", "P99", "P99.9", "MAX"}, []bool{false, true, true, true, true, true},
			[][]string{{"answered", seconds(l.P50), seconds(l.P90), seconds(l.P99), seconds(l.P999), seconds(l.Max)}})
	}
}

func (s *simPage) invariants() {
	r := s.a.Report
	s.p.Heading("Invariants")
	var rows [][]string
	for _, i := range r.Invariants {
		word := map[string]string{"holds": "ok", "violated": "FAIL"}[i.Status]
		if word == "" {
			word = i.Status
		}
		rows = append(rows, []string{s.p.Severity(word), i.Name})
	}
	s.p.Table([]string{"STATUS", "INVARIANT"}, nil, rows)
	for _, v := range r.Violations {
		s.p.Para("%s at %s: %s", v.Invariant, seconds(v.AtSeconds), v.Text)
	}
}

func electionsCSV(r *raftsim.Report) (heads []string, rows [][]string) {
	for i := range r.Elections {
		e := &r.Elections[i]
		granted := 1
		for _, v := range e.Votes {
			if v.Granted {
				granted++
			}
		}
		rows = append(rows, []string{exact(e.AtSeconds), e.Candidate, strconv.FormatBool(e.PreVote), fmt.Sprint(e.Term), strconv.Itoa(granted), strconv.FormatBool(e.Won)})
	}
	return []string{"atSeconds", "candidate", "preVote", "term", "votes", "won"}, rows
}
