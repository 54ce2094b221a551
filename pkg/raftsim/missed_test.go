package raftsim

import (
	"slices"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/fault"
)

// TestFaultsThatDoNothingAreTold has one of each reason, between others that do something.
func TestFaultsThatDoNothingAreTold(t *testing.T) {
	s := NewSimulator()
	defer s.Close()
	for _, nodes := range []int{1, 3} {
		cfg := Default()
		cfg.Topology, cfg.Duration = Uniform(nodes, time.Millisecond, 0), 10*time.Second
		var want []Miss
		add := func(why, text string) {
			f, err := fault.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if why != "" {
				want = append(want, Miss{len(cfg.Faults), why})
			}
			cfg.Faults = append(cfg.Faults, f)
		}
		add("the run ended before it", "kill leader @11s")
		add("", "pause leader @4s for 100ms")
		add("", "add-member @10s")
		add("no such election came", "kill leader @3s election9+0s")
		if nodes == 1 {
			add("it met no member", "kill follower @6s")
			add("", "kill leader @7s")
			add("nothing of it was up", "pause n1 @8s for 1s")
		} else {
			add("", "remove-member n3 @4s")
			add("it met no member", "kill n3 @6s")
			add("it met no member", "transfer to n3 @6500ms")
			add("there was nobody to take over", "transfer to leader @6700ms")
			add("", "kill leader @7s")
			add("there was no leader to hand over", "transfer @7100ms")
			add("the run ended before it", "kill leader @5s election+9s")
		}
		r, err := s.Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Missed, want) {
			t.Errorf("%d nodes: %v, and not %v", nodes, r.Missed, want)
		}
		var told []string
		for _, m := range cfg.Report(r).Missed {
			told = append(told, m.Fault)
		}
		for i, m := range want {
			if told[i] != cfg.Faults[m.Fault].String() {
				t.Errorf("%d nodes: %q is told of %q", nodes, told[i], cfg.Faults[m.Fault].String())
			}
		}
	}
}
