package span_test

import (
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/span"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * span.Day, "2w": 2 * span.Week, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "0d": 0,
	} {
		if got, err := span.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
		d := want
		if back, err := span.Parse(span.Value{D: &d}.String()); err != nil || back != want {
			t.Errorf("%v does not survive its text: %v, %v", want, back, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "-5h", "90", "9999999d", "1.5d", "d90"} {
		if got, err := span.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v; want an error", text, got)
		}
	}
}

func TestMoment(t *testing.T) {
	loc := time.FixedZone("X", 3600)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-01":           time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC),
		"2026-11-01 12:30":     time.Date(2026, 11, 1, 11, 30, 0, 0, time.UTC),
		"2026-11-01T12:30:00Z": time.Date(2026, 11, 1, 12, 30, 0, 0, time.UTC),
		"36h":                  now.Add(-36 * time.Hour),
		"30d":                  now.Add(-30 * span.Day),
	} {
		if got, err := span.Moment(text, now, loc); err != nil || !got.Equal(want) {
			t.Errorf("Moment(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "2026-13-01", "2026-11-01 25:00"} {
		if got, err := span.Moment(text, now, loc); err == nil {
			t.Errorf("Moment(%q) = %v; want an error", text, got)
		}
	}
}
