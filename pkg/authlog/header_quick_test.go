package authlog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// header parses a line and gives what it says in text.
func header(clock *authlog.Clock, line string) string {
	var h authlog.Header
	switch clock.Parse([]byte(line), &h) {
	case authlog.SSHD:
		return fmt.Sprintf("%d %q %d %q", h.Time, h.Host, h.PID, h.Msg)
	case authlog.Other:
		return fmt.Sprintf("%d other", h.Time)
	default:
		return "unframed"
	}
}

// checkAgain parses a line by a clock that knows nothing, by one that has read a line
// of the same form, and by one that has read the line itself: all must say the same.
func checkAgain(tb testing.TB, line string) {
	tb.Helper()
	clock := authlog.NewClock(time.UTC, 2026)
	first := header(clock, line)
	if diff := cmp.Diff(first, header(clock, line)); diff != "" {
		tb.Errorf("the second time %q: %s", line, diff)
	}
	for _, before := range []string{"Nov 22 12:25:07 web01 sshd[8]: message", "2026-11-22T12:25:07.000000+00:00 web01 sshd[8]: message"} {
		clock := authlog.NewClock(time.UTC, 2026)
		header(clock, before)
		if before[0] == 'N' && line != "" && line[0] > '2' && !strings.HasPrefix(line, before[:6]) {
			continue // another day may be one of another year
		}
		if diff := cmp.Diff(first, header(clock, line)); diff != "" {
			tb.Errorf("after %q %q: %s", before, line, diff)
		}
	}
}

// A stamp from before 1970 is none, and says nothing about the hour of the next.
func TestStampOfNoTime(t *testing.T) {
	const line = "2026-11-22T12:25:01+00:00 web01 sshd[7]: m"
	clock := authlog.NewClock(time.UTC, 2026)
	want := header(clock, line)
	if got := header(clock, "0026-11-22T12:25:01+00:00 web01 sshd[7]: m"); got != "unframed" {
		t.Error(got)
	}
	if got := header(clock, "1026-11-22T12:25:01+00:00 web01 sshd[7]: m"); got != "unframed" {
		t.Error(got)
	}
	if got := header(clock, line); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHeadersAgain(t *testing.T) {
	for _, stamp := range []string{
		"Nov 22 12:25:01 ", "Nov 22 12:25:60 ", "Nov 22 12:25:61 ", "Nov 22 12:25:0: ", "Nov 22 12:25::0 ", "Nov 22 12:25: 1 ", "Nov 22 12:25:/0 ",
		"Nov 22 12:25:01x", "Nov 22 12:26:01 ", "2026-11-22T12:25:01.123456+00:00 ", "2026-11-22T12:25:01.123456+01:00 ", "2026-11-22T12:25:01.12345+000:00 ",
		"2026-11-22T12:25:60.123456+00:00 ", "2026-11-22T12:25:61.123456+00:00 ", "2026-11-22T12:25:01.12345x+00:00 ", "2026-11-22T12:25:01,123456+00:00 ",
		"2026-11-22T12:25:01.123456-00:00 ", "2026-11-22T12:25:01+00:00 ", "2026-11-22T12:25:01Z ", "2026-11-22T12:25:01.123456+00:00",
		"2026-11-22T12:25x01.123456+00:00 ", "2026-11-22 12:25:01.123456+00:00  ",
	} {
		for _, host := range []string{"web01 ", "w ", "web0 ", "seven77 ", "eight888 ", "fifteen15151515 ", "sixteen161616166 ", "web02 ", "sshd ", "", " ", "s", "-"} {
			for _, tag := range []string{
				"sshd[7]: ", "sshd[1234567]: ", "sshd[12345678]: ", "sshd[4294967295]: ", "sshd[4294967296]: ", "sshd[99999999999]: ", "sshd[]: ", "sshd[7]:", "sshd[7] ",
				"sshd[7x]: ", "sshd-session[7]: ", "sshd-auth[7]: ", "sshd-sessiom[7]: ", "sshd: ", "CRON[7]: ", "sudo: ", "auth.info sshd[7]: ", "auth.x sshd[7]: ",
			} {
				for _, msg := range []string{"", "m", "\r", "m\r", "a longer message, to its end"} {
					checkAgain(t, stamp+host+tag+msg)
				}
			}
		}
	}
}
