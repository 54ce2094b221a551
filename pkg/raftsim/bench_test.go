package raftsim

import (
	"testing"
	"time"
)

// BenchmarkRun is a loaded and checked cluster; the figure is simulated seconds a second.
func BenchmarkRun(b *testing.B) {
	s := NewSimulator()
	defer s.Close()
	cfg := Default()
	cfg.Clients, cfg.Rate, cfg.Duration = 10, 300, 20*time.Second
	b.ReportAllocs()
	var events uint64
	for b.Loop() {
		r, err := s.Run(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		events += r.Events
	}
	b.ReportMetric(cfg.Duration.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "simsec/s")
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
