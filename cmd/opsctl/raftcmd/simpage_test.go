package raftcmd

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// TestARunFitsTheTerminal shows runs with long reasons: for which a leader ended, nobody voted and a fault did nothing.
func TestARunFitsTheTerminal(t *testing.T) {
	c := raftsim.Default()
	c.Duration = 15 * time.Second
	for _, text := range []string{"isolate leader @3s for 4s", "partition n1,n2 | n3,n4,n5 @8s for 4s", "kill leader @9s election9+250ms for 4s until election"} {
		f, err := fault.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Faults = append(c.Faults, f)
	}
	s := raftsim.NewSimulator()
	defer s.Close()
	r, err := s.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{80, 0} {
		var out bytes.Buffer
		env := &cli.Env{Out: &out, OutTerm: width > 0, Width: width, Format: cli.Table}
		if err := showRun(env, &c, &raftsim.Answer{Report: c.Report(r)}); err != nil {
			t.Fatal(err)
		}
		longest := 0
		for line := range strings.Lines(out.String()) {
			longest = max(longest, runewidth.StringWidth(strings.TrimRight(line, "\n")))
		}
		if longest > 80 != (width == 0) {
			t.Errorf("%d columns in a terminal of %d:\n%s", longest, width, out.String())
		}
		for _, want := range []string{"WHY IT ENDED", "WHO DID NOT VOTE", "did nothing"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("nothing of %q:\n%s", want, out.String())
			}
		}
	}
}
