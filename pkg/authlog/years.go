package authlog

import "time"

// slack is how far a log's last stamp may lie past the file's modification time
// (a clock that was set, a zone that differs).
const slack = 24 * time.Hour

// EndYear gives the year of a stamp without one that is the last of a log which
// was last written at mtime: the latest year in which that stamp is not in the
// future of mtime. yday counts the days of a leap year from 0; Feb 29 (59)
// gives a leap year.
func EndYear(yday int, mtime time.Time) int {
	limit := mtime.Add(slack)
	for year := limit.Year(); ; year-- {
		if yday == 59 && !leap(year) {
			continue
		}
		if !dayOf(year, yday, mtime.Location()).After(limit) {
			return year
		}
	}
}

func dayOf(year, yday int, loc *time.Location) time.Time {
	if yday > 59 && !leap(year) {
		yday--
	}
	return time.Date(year, 1, 1+yday, 0, 0, 0, 0, loc)
}

// FixYears walks back over the consecutive pieces of one log, from the last,
// which was written before mtime, to the first, and returns the year in which
// each piece must start. Pieces without RFC 3164 stamps keep their year. It
// reports whether any piece was read with another year and must be read again.
func FixYears(pieces []Years, mtime time.Time) (starts []int, again bool) {
	starts = make([]int, len(pieces))
	year, next := 0, -1 // of the first stamp of the piece after this one
	for i := len(pieces) - 1; i >= 0; i-- {
		p := pieces[i]
		starts[i] = p.Start
		if !p.Seen {
			continue
		}
		end := year
		switch {
		case next < 0:
			end = EndYear(p.Last, mtime)
		case next < p.Last-wrapDays:
			end = year - 1
		}
		starts[i] = end - (p.End - p.Start)
		for p.Leap > 0 && !leap(starts[i]+p.Leap-1) {
			starts[i]--
		}
		year, next = starts[i], p.First
		again = again || starts[i] != p.Start
	}
	return starts, again
}
