package authlog

import (
	"time"
)

// wrapDays is how far an RFC 3164 stamp must step back before it is read as a
// new year instead of a clock that was set back.
const wrapDays = 7

// Clock reads the stamps of one file in order. RFC 3164 stamps carry neither
// year nor zone: the clock starts in a given year and steps to the next when the
// calendar steps back (December to January). The zero value is not usable; see
// NewClock.
type Clock struct {
	loc *time.Location

	// The last stamp of each form and what it meant: consecutive lines mostly
	// share their minute, and nearly always their hour.
	minute   minuteWords
	bsdUnix  int64
	bsdHour  [9]byte // "Nov 22 12"
	bsdBase  int64   // start of that hour
	isoLast  isoWords
	isoText  [13]byte
	isoBase  int64
	isoZone  int // seconds east of UTC, or localZone
	isoKnown bool

	years Years
	limit time.Time // no stamp is later; zero: unknown

	host  []byte // of the last line, and a space
	words hostWords
	run   uint64 // see Header.Run
}

// Years tells how the year of the stamps without one went through a file. All
// days are days of a leap year, counted from 0.
type Years struct {
	Seen     bool // whether any stamp without a year was read
	Start    int  // year that the first such stamp was read in
	End      int  // year after the last one
	First    int  // day of the first stamp
	Last     int  // day of the last stamp
	LastUnix int64
	// Leap is one more than the years from Start to the first Feb 29 that was
	// read, 0 for none.
	Leap int
}

// NewClock returns a clock that reads stamps without a year as in year, and
// stamps without a zone in loc.
func NewClock(loc *time.Location, year int) *Clock {
	return &Clock{loc: loc, years: Years{Start: year, End: year}, words: newHostWords(nil)}
}

// WrittenBy says when the log was last written: no year after that begins in it.
func (c *Clock) WrittenBy(mtime time.Time) { c.limit = mtime.Add(slack) }

// Years reports the years given to the stamps read until now.
func (c *Clock) Years() Years {
	years := c.years
	years.LastUnix = c.bsdUnix
	return years
}

const localZone = 1 << 30

func digit(b byte) int { return int(b - '0') }

func two(b []byte) (int, bool) {
	hi, lo := b[0]-'0', b[1]-'0'
	return int(hi)*10 + int(lo), hi < 10 && lo < 10
}

// month finds the number (1-12) of an English month abbreviation, 0 for none.
func month(b []byte) int {
	switch string(b[:3]) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}

// daysBefore counts the days of a leap year before each month.
func daysBefore(m int) int {
	return [...]int{0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335}[m-1]
}

// daysIn counts the days of a month of a leap year.
func daysIn(mon int) int {
	if mon == 12 {
		return 31
	}
	return daysBefore(mon+1) - daysBefore(mon)
}

// bsd parses "Nov 22 12:25:01 " at the start of b, which holds at least 16 bytes.
func (c *Clock) bsd(b []byte) (int64, bool) {
	if b[15] != ' ' || b[3] != ' ' || b[6] != ' ' || b[9] != ':' || b[12] != ':' {
		return 0, false
	}
	minute, okM := two(b[10:])
	second, okS := two(b[13:])
	if !okM || !okS || minute > 59 || second > 60 {
		return 0, false
	}
	if [9]byte(b) != c.bsdHour && !c.bsdNewHour(b) {
		return 0, false
	}
	c.minute = minuteWords{word(b, 0), word(b, 8) &^ secondDigits, c.bsdBase + int64(minute*60)}
	c.bsdUnix = c.minute.unix + int64(second)
	return c.bsdUnix, true
}

// bsdNewHour reads month, day and hour, and settles the year.
func (c *Clock) bsdNewHour(b []byte) bool {
	mon := month(b)
	day, okD := two(b[4:])
	if b[4] == ' ' {
		day, okD = digit(b[5]), b[5] >= '0' && b[5] <= '9'
	}
	hour, okH := two(b[7:])
	if mon == 0 || !okD || !okH || day < 1 || day > daysIn(mon) || hour > 23 {
		return false
	}
	year := c.yearOf(mon, day)
	if mon == 2 && day == 29 && c.years.Leap == 0 {
		c.years.Leap = year - c.years.Start + 1
	}
	c.bsdBase = time.Date(year, time.Month(mon), day, hour, 0, 0, 0, c.loc).Unix()
	copy(c.bsdHour[:], b)
	return true
}

// yearOf gives the year of a day and moves the clock on.
func (c *Clock) yearOf(mon, day int) int {
	yday := daysBefore(mon) + day - 1
	if !c.years.Seen {
		c.years.Seen, c.years.First, c.years.Last = true, yday, yday
		return c.years.End
	}
	last := c.years.Last
	switch {
	case yday < last-wrapDays:
		if !c.limit.IsZero() && dayOf(c.years.End+1, yday, c.loc).After(c.limit) {
			// The next year is yet to come: a machine without a clock has booted.
			return c.years.End
		}
		c.years.End++
	case last < wrapDays && yday > 366-wrapDays:
		// A line of the old year that arrived after midnight: the clock stays.
		return c.years.End - 1
	}
	c.years.Last = yday
	return c.years.End
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// iso parses "2026-11-22T12:25:01[.123456][Z|+01:00|+0100]" at the start of b
// and returns the stamp and its length, 0 when b holds no such stamp.
func (c *Clock) iso(b []byte) (unix int64, n int) {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || (b[10] != 'T' && b[10] != ' ') || b[13] != ':' || b[16] != ':' {
		return 0, 0
	}
	minute, okM := two(b[14:])
	second, okS := two(b[17:])
	if !okM || !okS || minute > 59 || second > 60 {
		return 0, 0
	}
	n = 19
	if b[n] == '.' || b[n] == ',' {
		n++
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
	}
	zone, zn, ok := isoZone(b[n:])
	if !ok {
		return 0, 0
	}
	if !c.isoKnown || zone != c.isoZone || string(b[:13]) != string(c.isoText[:]) {
		if !c.isoNewHour(b, zone) {
			return 0, 0
		}
	}
	return c.isoBase + int64(minute*60+second), n + zn
}

// isoZone reads the zone at the start of b: its seconds east of UTC and length.
func isoZone(b []byte) (zone, n int, ok bool) {
	if len(b) == 0 || b[0] == ' ' {
		return localZone, 0, true
	}
	if b[0] == 'Z' {
		return 0, 1, true
	}
	if b[0] != '+' && b[0] != '-' || len(b) < 5 {
		return 0, 0, false
	}
	n = 5
	rest := b[3:]
	if rest[0] == ':' {
		if len(b) < 6 {
			return 0, 0, false
		}
		rest, n = rest[1:], 6
	}
	hours, okH := two(b[1:])
	minutes, okM := two(rest)
	if !okH || !okM || hours > 15 || minutes > 59 {
		return 0, 0, false
	}
	zone = hours*3600 + minutes*60
	if b[0] == '-' {
		zone = -zone
	}
	return zone, n, true
}

func (c *Clock) isoNewHour(b []byte, zone int) bool {
	century, ok1 := two(b)
	yy, ok2 := two(b[2:])
	mon, ok3 := two(b[5:])
	day, ok4 := two(b[8:])
	hour, ok5 := two(b[11:])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || mon < 1 || mon > 12 || day < 1 || day > 31 || hour > 23 {
		return false
	}
	loc := time.UTC
	if zone == localZone {
		loc = c.loc
	}
	t := time.Date(century*100+yy, time.Month(mon), day, hour, 0, 0, 0, loc)
	if t.Day() != day {
		return false
	}
	base := t.Unix()
	if zone != localZone {
		base -= int64(zone)
	}
	if base < 0 {
		return false
	}
	c.isoBase = base
	copy(c.isoText[:], b)
	c.isoZone, c.isoKnown = zone, true
	return true
}
