package authlog

import "math/bits"

// Nearly every line has the minute, the host and the form of tag of the line
// before. Such lines take the way through this file, which compares words; all
// others, and whatever is odd about a line, are left to stamp.go and header.go.

// hostWords are a host of up to 16 bytes, the space behind it included, as the words
// at its beginning and at its end.
type hostWords struct {
	first, last         uint64
	firstMask, lastMask uint64 // the bytes that count
	size                int    // noHost: none
}

// noHost is longer than any line.
const noHost = 1 << 30

// newHostWords takes a host and the space behind it.
func newHostWords(host []byte) hostWords {
	switch n := len(host); {
	case n == 0 || n > 16:
		return hostWords{size: noHost}
	case n >= 8:
		return hostWords{word(host, 0), word(host, n-8), ^uint64(0), ^uint64(0), n}
	default:
		var b [8]byte
		copy(b[:], host)
		return hostWords{first: word(b[:], 0), firstMask: 1<<(8*n) - 1, size: n}
	}
}

// minuteWords are the 16 bytes of the last RFC 3164 stamp without its seconds.
type minuteWords struct {
	first, last uint64
	unix        int64 // start of that minute
}

// secondDigits masks the seconds in a stamp's last eight bytes.
const secondDigits = uint64(0xffff) << 40

// quickSecond reads the second of a stamp whose last eight bytes are given: 61 and more is none.
func quickSecond(last uint64) int64 {
	tens, ones := uint8(last>>40)-'0', uint8(last>>48)-'0'
	if ones > 9 {
		return 99
	}
	return int64(tens)*10 + int64(ones)
}

// isoWords are the bytes of the last stamp like "2026-11-22T12:25:01.123456+00:00 ",
// which rsyslog writes, without its seconds.
type isoWords struct {
	first, next, last uint64 // from byte 0, 8 and 12 on
	zone              uint64 // with the space behind it
	unix              int64  // start of that minute
}

const isoSize = len("2026-11-22T12:25:01.123456+00:00")

// keepISO remembers the stamp of a line, which is well formed and unix. Of those with
// isoSize bytes, only one with six digits of a fraction has its zone's sign there.
func (c *Clock) keepISO(line []byte, size int, unix int64) {
	if size != isoSize || len(line) <= isoSize || line[isoSize] != ' ' || line[26] != '+' && line[26] != '-' {
		return
	}
	last := word(line, 12)
	c.isoLast = isoWords{word(line, 0), word(line, 8), last &^ secondDigits, word(line, 25) >> 8, unix - quickSecond(last)}
}

// quickISO reads a stamp of the same minute and zone as the last one.
func (c *Clock) quickISO(line []byte) (unix int64, ok bool) {
	const sixDigits = highBits &^ (0xff | 0xff<<56)
	if len(line) < isoSize+2 || line[isoSize+1] == ' ' {
		return 0, false
	}
	was, last := &c.isoLast, word(line, 12)
	if word(line, 0) != was.first || word(line, 8) != was.next || last&^secondDigits != was.last || word(line, 25)>>8 != was.zone {
		return 0, false
	}
	second := quickSecond(last)
	return was.unix + second, second <= 60 && notDigits(word(line, 19))&sixDigits == 0
}

// quickTag is splitTag for line[at:].
func (c *Clock) quickTag(line []byte, at int, h *Header) Status {
	tag := at + c.words.size
	if len(line) < tag+24 { // "sshd-session[", seven digits, "]: " and a byte
		return c.splitTag(line[at:], h)
	}
	if (word(line, at)^c.words.first)&c.words.firstMask|(word(line, tag-8)^c.words.last)&c.words.lastMask != 0 {
		return c.splitTag(line[at:], h)
	}
	pid := tag + len("sshd[")
	if string(line[tag:pid]) != "sshd[" {
		pid = tag + len("sshd-session[")
		if string(line[tag:pid]) != "sshd-session[" {
			return c.quickOther(line, at, tag, h)
		}
	}
	digits := word(line, pid)
	n := bits.TrailingZeros64(notDigits(digits)) / 8
	end := pid + n
	if n == 0 || n == 8 || string(line[end:end+3]) != "]: " {
		return c.splitTag(line[at:], h)
	}
	h.Host, h.PID, h.Msg, h.Run = line[at:tag-1], decimal(digits, n), trimCR(line[end+3:]), c.run
	return SSHD
}

// quickOther tells other programs' tags from those that need a closer look: sshd's
// own, a facility and level before the tag, and hosts that may be tags (see oddTag).
func (c *Clock) quickOther(line []byte, at, tag int, h *Header) Status {
	if line[at] != 's' {
		if line[tag] < 'a' || line[tag] > 'u' {
			return Other
		}
		switch string(line[tag : tag+4]) {
		case "sshd", "auth", "daem", "user", "sysl", "loca":
		default:
			return Other
		}
	}
	return c.splitTag(line[at:], h)
}
