package raftsim

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// sentence says in words what happened in the end, and why.
func (c *Config) sentence(r *Result) string {
	switch {
	case len(r.Violations) > 0:
		v := &r.Violations[0]
		return fmt.Sprintf("%s was violated at %s: %s. Seed %d shows it again.", v.Invariant, round(v.At), strings.TrimSuffix(v.Text, "."), r.Seed)
	case r.Leader == 0 && r.Up < majority(r.Voters):
		return c.tooFew(r) + fmt.Sprintf(": nobody can be elected and nothing is committed until %s back; %s", are(majority(r.Voters)-r.Up), arithmetic(r.Voters))
	case r.Leader == 0:
		return c.nobody(r)
	case r.Up < majority(r.Voters):
		return c.tooFew(r) + fmt.Sprintf(": %s still leads, but nothing is committed until %s back; %s", c.NodeName(r.Leader), are(majority(r.Voters)-r.Up), arithmetic(r.Voters))
	case r.Voters == 1:
		return fmt.Sprintf("%s leads since %s%s: a single node is its own majority, waits for nobody, and when it fails there is nothing left: n = 0 in 2n+1.",
			c.NodeName(r.Leader), round(r.Leaders[len(r.Leaders)-1].At), c.standstill(r))
	case len(r.Losses) > 0 || len(r.Leaders) > 1:
		return c.change(r)
	}
	last := r.Leaders[len(r.Leaders)-1]
	return fmt.Sprintf("%s won term %d at %s, when its election timer was the first to run out and %d of %d nodes, a majority, were for it; its heartbeats, every %s, kept the others from trying; %s",
		c.NodeName(last.Node), last.Term, round(last.At), majority(r.Voters), r.Voters, c.HeartbeatInterval, arithmetic(r.Voters))
}

func (c *Config) tooFew(r *Result) string {
	return fmt.Sprintf("%d of %s run, fewer than the majority of %d", r.Up, nodes(r.Voters), majority(r.Voters))
}

// standstill is that the leader did not lead for a while in its own term.
func (c *Config) standstill(r *Result) string {
	if n := len(r.Losses); n > 0 && r.Losses[n-1].At >= r.Leaders[len(r.Leaders)-1].At {
		return fmt.Sprintf(", but that it %s at %s for a while", r.Losses[n-1].Why, round(r.Losses[n-1].At))
	}
	return ""
}

// lost is the end of the last reign but that which lasts: what the node itself noticed, or that another was elected over its head, which
// it cannot know while it is cut off.
func (c *Config) lost(r *Result) Loss {
	loss := Loss{At: -1}
	if n := len(r.Losses); n > 0 {
		loss = r.Losses[n-1]
	}
	if n := len(r.Leaders); n > 1 && r.Leaders[n-1].At > loss.At {
		last := Loss{r.Leaders[n-1].At, r.Leaders[n-2].Node, overHead}
		if loss.At < r.Leaders[n-2].At {
			return last
		}
	}
	return loss
}

// overHead is why a reign ended whose leader had not noticed.
const overHead = "a later term had a leader"

// change tells the last change of the leader.
func (c *Config) change(r *Result) string {
	lost := c.lost(r)
	var next *Reign
	for i := range r.Leaders {
		if r.Leaders[i].At >= lost.At {
			next = &r.Leaders[i]
			break
		}
	}
	times := ""
	if n := max(len(r.Losses), len(r.Leaders)-1); n > 1 {
		times = fmt.Sprintf(", the last of %d changes", n)
	}
	if next == nil {
		return fmt.Sprintf("%s %s at %s and leads again%s; nobody else was elected in between.", c.NodeName(lost.Node), lost.Why, round(lost.At), times)
	}
	var text string
	if lost.Why == overHead {
		text = fmt.Sprintf("%s did not notice that the others had given it up: %s won term %d at %s%s", c.NodeName(lost.Node), c.NodeName(next.Node), next.Term, round(next.At), times)
	} else {
		text = fmt.Sprintf("%s %s at %s%s, and %s later %s won term %d", c.NodeName(lost.Node), lost.Why, round(lost.At), times, round(next.At-lost.At), c.NodeName(next.Node), next.Term)
	}
	text += fmt.Sprintf(": %s, and %d of %s are a majority", c.reason(r, lost.At, next), majority(r.Voters), nodes(r.Voters))
	for _, w := range r.Serviceless {
		if w.From <= next.At && w.To >= lost.At {
			return text + fmt.Sprintf("; clients were not answered for %s.", round(w.Long()))
		}
	}
	return text + "."
}

// reason is how a leader came to be a candidate: the leadership was handed over, or its timer ran out, perhaps after others' did in vain.
func (c *Config) reason(r *Result, since time.Duration, next *Reign) string {
	failed := 0
	for i := range r.Elections {
		e := &r.Elections[i]
		switch {
		case e.Candidate == next.Node && e.Term == next.Term && !e.Pre && e.Handed:
			return "the leadership was handed over to it, without waiting for an election timer"
		case e.At >= since && e.At < next.At && !e.Won:
			failed++
		}
	}
	drawn := "its election timer, " + c.timers()
	switch failed {
	case 0:
		return drawn + ", ran out first"
	case 1:
		return drawn + ", ran out after an election that nobody won"
	}
	return fmt.Sprintf("%s, ran out after %d elections that nobody won", drawn, failed)
}

// mostFaults are named in a sentence.
const mostFaults = 3

// timers are what election timers are set to.
func (c *Config) timers() string {
	if longest := c.longestElection(); longest > c.ElectionTimeout {
		return fmt.Sprintf("drawn anew between %s and %s", c.ElectionTimeout, longest)
	}
	return "always " + c.ElectionTimeout.String()
}

// nobody says why there is no leader though enough nodes run.
func (c *Config) nobody(r *Result) string {
	text := fmt.Sprintf("No leader at the end, though %d of %s run: %s. A candidate needs the votes of %d", r.Up, nodes(r.Voters), c.lastTry(r), majority(r.Voters))
	var there []string
	for i := range c.Faults {
		if f := &c.Faults[i]; f.Under(r.Duration) && len(there) < mostFaults {
			there = append(there, f.String())
		}
	}
	if len(there) > 0 {
		return fmt.Sprintf("%s, and this was not over: %s.", text, strings.Join(there, "; "))
	}
	return fmt.Sprintf("%s, and an election timeout of %s has to be much longer than a round trip and an fsync.", text, c.ElectionTimeout)
}

// lastTry is how the last election failed.
func (c *Config) lastTry(r *Result) string {
	since := ""
	from := time.Duration(0)
	if n := len(r.Losses); n > 0 {
		from = r.Losses[n-1].At
		since = fmt.Sprintf(" since %s %s at %s", c.NodeName(r.Losses[n-1].Node), r.Losses[n-1].Why, round(from))
	}
	if n := len(r.Elections); n == 0 || r.Elections[n-1].At < from {
		return "no election timer has run out" + cmp.Or(since, " yet")
	}
	e := r.Elections[len(r.Elections)-1]
	granted, refused := 1, ""
	for _, v := range e.Votes {
		if v.Granted {
			granted++
		} else {
			refused = fmt.Sprintf("; %s refused, since %s", c.NodeName(v.Node), v.Why)
		}
	}
	if silent := r.Voters - 1 - len(e.Votes); silent > 0 {
		refused += fmt.Sprintf("; %d did not vote", silent)
	}
	if granted >= majority(r.Voters) && !e.Won {
		refused += "; not all of these votes reached it"
	}
	return fmt.Sprintf("%s asked last, at %s, and %d of %d voted for it%s", c.NodeName(e.Candidate), round(e.At), granted, r.Voters, refused)
}

// arithmetic is that of majorities for so many nodes.
func arithmetic(n int) string {
	fails := n - majority(n)
	switch {
	case n%2 == 0:
		return fmt.Sprintf("%d nodes need %d for a majority and withstand the loss of %d, no more than %s would.", n, majority(n), fails, nodes(n-1))
	case fails == 0:
		return "a single node withstands no loss."
	}
	return fmt.Sprintf("2n+1 = %d nodes withstand the loss of n = %d.", n, fails)
}

// nodes counts them.
func nodes(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

func majority(n int) int { return n/2 + 1 }

func are(n int) string {
	if n == 1 {
		return "1 more is"
	}
	return fmt.Sprintf("%d more are", n)
}

// round is a duration as sentences have it.
func round(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
