package raftsim

import (
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// TestFaultsOfAllLinks has faults that name no node do something: they are of all links, and of any node.
func TestFaultsOfAllLinks(t *testing.T) {
	s := NewSimulator()
	defer s.Close()
	run := func(text string) *Result {
		cfg := Default()
		cfg.Duration = 10 * time.Second
		if text != "" {
			f, err := fault.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Faults = []fault.Fault{f}
		}
		r, err := s.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	clean := run("")
	if r := run("loss all by 100% @4s for 3s"); r.Operations > clean.Operations*9/10 {
		t.Errorf("with all messages lost for 3 s of 10, %d operations were answered; %d without", r.Operations, clean.Operations)
	}
	if run("dup all by 100% @4s").Sum == run("dup n9 by 100% @4s").Sum {
		t.Error("all messages twice are the same run as those of a node that is not there")
	}
	if r := run("delay all by 100ms @4s"); r.Operations > clean.Operations*9/10 {
		t.Errorf("with 100 ms more for each message, %d operations were answered; %d without", r.Operations, clean.Operations)
	}
	if r := run("transfer @5s"); len(r.Leaders) != len(clean.Leaders)+1 {
		t.Errorf("a transfer to anybody made %d leaders of %d", len(r.Leaders), len(clean.Leaders))
	}
}
