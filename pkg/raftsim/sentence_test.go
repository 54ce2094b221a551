package raftsim

import (
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// TestSentencesAreTrue holds the sentence at the end to what happened, where another cause would be the usual one.
func TestSentencesAreTrue(t *testing.T) {
	s := NewSimulator()
	defer s.Close()
	for name, c := range map[string]struct {
		nodes     int
		noPreVote bool
		noQuorum  bool // the leader does not check its
		fault     string
		want, not string
	}{
		"handed over":             {5, false, false, "transfer to n2 @10s", "n2 won term 3: the leadership was handed over to it", "timer, drawn"},
		"handed over, no prevote": {5, true, false, "transfer to n2 @10s", "n2 won term 3: the leadership was handed over to it", "timer, drawn"},
		"cut off":                 {5, false, false, "isolate leader @10s", "did not notice that the others had given it up: n1 won term 3 at 11.1s", "the first to run out"},
		"too late to notice":      {5, false, false, "kill leader @19.5s", "no election timer has run out since n3 was killed at 19.5s", "asked last"},
		"removed":                 {5, false, false, "remove-member leader @10s", "n3 was removed from the cluster at 10", "killed"},
		"removed, nobody yet":     {5, false, false, "remove-member leader @19.5s", "no election timer has run out since n3 was removed from the cluster at 19.5", "killed"},
		"in vain":                 {2, false, false, "kill leader @10s for 5s", "ran out after 3 elections that nobody won, and 2 of 2 nodes", "ran out first"},
		"even halves":             {4, false, false, "partition n1,n2 | n3,n4 @5s", "2 did not vote. A candidate needs the votes of 3, and this was not over: partition n1,n2 | n3,n4 @5s.", "has to be much longer"},
		"leads alone":             {3, false, true, "kill n1,n2 @10s", "1 of 3 nodes run, fewer than the majority of 2: n3 still leads, but nothing is committed until 1 more is back", "withstand the loss of 2"},
		"two of two":              {2, false, false, "kill leader @10s", "no more than 1 node would", "1 nodes"},
		"one stood still":         {1, false, false, "pause n1 @10s for 4s", "leads since 1.587s, but that it was paused at 10s for a while", "0 of"},
		"undisturbed":             {5, false, false, "pause n1 @30s", "its election timer was the first to run out", "paused"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := fault.Parse(c.fault)
			if err != nil {
				t.Fatal(err)
			}
			cfg := Default()
			cfg.Topology = Uniform(c.nodes, time.Millisecond, 0.1)
			cfg.Duration, cfg.PreVote, cfg.CheckQuorum, cfg.Faults = 20*time.Second, !c.noPreVote, !c.noQuorum, []fault.Fault{f}
			r, err := s.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.sentence(r); !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
				t.Errorf("%q: want %q, not %q", got, c.want, c.not)
			}
		})
	}
}
