package keyline

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// errTime is a time that parse_absolute_time() does not take.
var errTime = errors.New("not a time of the form YYYYMMDD[Z] or YYYYMMDDHHMM[SS][Z]")

// ParseTime reads a time as OpenSSH's parse_absolute_time() does: YYYYMMDD, YYYYMMDDHHMM or
// YYYYMMDDHHMMSS, in UTC when Z or UTC follows, else in loc (nil is UTC). In loc it is standard time
// that counts, also in summer: sshd calls mktime(3) with tm_isdst 0, which lies an hour later than the
// clock on the wall. Days beyond the month's end run into the next one. Times before 1970 are errors.
func ParseTime(text string, loc *time.Location) (time.Time, error) {
	if loc == nil {
		loc = time.UTC
	}
	digits := text
	if n := len(text); n > 1 && (text[n-1] == 'Z' || text[n-1] == 'z') {
		digits, loc = text[:n-1], time.UTC
	} else if n > 3 && strings.EqualFold(text[n-3:], "UTC") {
		digits, loc = text[:n-3], time.UTC
	}
	if n := len(digits); n != 8 && n != 12 && n != 14 {
		return time.Time{}, errTime
	}
	// The fields, each with its bounds in strptime(3).
	fields := []struct{ width, low, high int }{{4, 0, 9999}, {2, 1, 12}, {2, 1, 31}, {2, 0, 23}, {2, 0, 59}, {2, 0, 61}}
	values := make([]int, len(fields))
	for i, f := range fields {
		if digits == "" {
			break
		}
		n, ok := field(digits[:f.width])
		if !ok || n < f.low || n > f.high {
			return time.Time{}, errTime
		}
		values[i], digits = n, digits[f.width:]
	}
	t := standardTime(values, loc)
	if t.Unix() < 0 {
		return time.Time{}, errTime
	}
	return t, nil
}

// field reads a number that blanks may stand before, as strptime(3) does.
func field(s string) (int, bool) {
	s = strings.TrimLeft(s, " ")
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// The distances at which glibc's mktime(3) looks for standard time around a moment in summer, in
// seconds.
const (
	searchStride = 601200
	searchBound  = 536454000/2 + searchStride
)

func standardTime(v []int, loc *time.Location) time.Time {
	wall := time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], 0, time.UTC)
	t := time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], 0, loc)
	_, offset := t.Zone()
	if t.IsDST() {
		if std, ok := standardOffset(t); ok {
			offset = std
		}
	}
	return time.Unix(wall.Unix()-int64(offset), 0).In(loc)
}

func standardOffset(t time.Time) (int, bool) {
	for d := int64(searchStride); d < searchBound; d += searchStride {
		for _, delta := range []int64{-d, d} {
			if near := time.Unix(t.Unix()+delta, 0).In(t.Location()); !near.IsDST() {
				_, offset := near.Zone()
				return offset, true
			}
		}
	}
	return 0, false
}
