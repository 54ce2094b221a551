// Package span reads the times that people give on a command line: lengths such
// as 90d, and moments such as 2026-11-01 or 36h (ago).
package span

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Day and Week are lengths of time, whatever the calendar makes of them.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// ErrFormat is the error of a text that is no length or moment.
var ErrFormat = errors.New("not a time")

// Parse reads a length: what time.ParseDuration takes, or whole days (90d) or
// weeks (2w). It is never negative.
func Parse(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": Day, "w": Week} {
		number, ok := strings.CutSuffix(s, suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%w: %q: write 90d, 2w, 12h or 30m", ErrFormat, s)
		}
		return time.Duration(n) * unit, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%w: %q: write 90d, 2w, 12h or 30m", ErrFormat, s)
	}
	return d, nil
}

// Moment reads a point in time: RFC 3339, a date and perhaps a time of day in
// loc, or a length before now.
func Moment(s string, now time.Time, loc *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	if d, err := Parse(s); err == nil {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%w: %q: write 2026-11-01, 2026-11-01 12:30, 2026-11-01T12:30:00Z, or 36h or 30d for that long ago", ErrFormat, s)
}

// Value is a length as a flag (pflag.Value).
type Value struct{ D *time.Duration }

// String gives the length in its shortest form.
func (v Value) String() string {
	if v.D == nil {
		return ""
	}
	if *v.D > 0 && *v.D%Day == 0 {
		return strconv.FormatInt(int64(*v.D/Day), 10) + "d"
	}
	return v.D.String()
}

// Set parses s.
func (v Value) Set(s string) error {
	d, err := Parse(s)
	if err != nil {
		return err
	}
	*v.D = d
	return nil
}

// Type names the value in help texts.
func (Value) Type() string { return "DURATION" }
