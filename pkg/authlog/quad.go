package authlog

import "math/bits"

// parseV4 reads a dotted quad that fills b, by far the most frequent form of an
// address. Leading zeros are taken as decimal: sshd writes none.
func parseV4(b []byte) (ip uint32, ok bool) {
	var octet, dots, digits uint32
	if len(b) > 15 {
		return 0, false
	}
	for _, c := range b {
		switch {
		case c == '.' && digits > 0:
			ip, octet, digits = ip<<8|octet, 0, 0
			dots++
		case c >= '0' && c <= '9':
			octet = octet*10 + uint32(c-'0')
			if digits++; octet > 255 || digits > 3 {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	if dots != 3 || digits == 0 {
		return 0, false
	}
	return ip<<8 | octet, true
}

// peer is an IPv4 address and a port in a message: text[at:end] is the address.
// at 0 is none.
type peer struct {
	at, end int
	ip      uint32
	port    uint16
}

// quadTail reads " ADDR port N" with a dotted quad as ADDR in front of b[end]. There
// are no branches on what the text holds but for those that end it: how long the
// numbers are is what a processor cannot guess.
func quadTail(b []byte, end int) peer {
	if end < 32 || end > len(b) {
		return peer{}
	}
	w := (*[32]byte)(b[end-32:])
	tail := word(w[:], 24)
	n := bits.LeadingZeros64(notDigits(tail)) >> 3
	stop := 26 - n // of the address
	if n == 0 || n > 5 || string(w[stop:stop+6]) != " port " {
		return peer{}
	}
	port := decimal(tail>>((64-8*n)&63), n)
	// The places of what is no digit, counted from the right: three dots, a space.
	m := places(bits.ReverseBytes64(word(w[:], stop-8))) | places(bits.ReverseBytes64(word(w[:], stop-16)))<<8
	p1, m := bits.TrailingZeros32(m)&15, m&(m-1)
	p2, m := bits.TrailingZeros32(m)&15, m&(m-1)
	p3, m := bits.TrailingZeros32(m)&15, m&(m-1)
	p4 := bits.TrailingZeros32(m)
	if p4 > 15 || port > 65535 || w[stop-1-p1] != '.' || w[stop-1-p2] != '.' || w[stop-1-p3] != '.' || w[stop-1-p4] != ' ' {
		return peer{}
	}
	o1, bad1 := octet(half(w[:], stop-5-p3), p4-p3-1)
	o2, bad2 := octet(half(w[:], stop-5-p2), p3-p2-1)
	o3, bad3 := octet(half(w[:], stop-5-p1), p2-p1-1)
	o4, bad4 := octet(half(w[:], stop-4), p1)
	if int32(bad1|bad2|bad3|bad4) < 0 {
		return peer{}
	}
	end += stop - 32
	return peer{end - p4, end, o1<<24 | o2<<16 | o3<<8 | o4, uint16(port)}
}

// places gives a bit for each byte of a word that is no digit, the lowest for the
// lowest.
func places(w uint64) uint32 {
	return uint32(notDigits(w) * 0x02040810204081 >> 56)
}

// octet reads the last n of four bytes, which are digits, as a number. The highest bit
// of bad is set where n is not 1 to 3 or the number is above 255.
func octet(w uint32, n int) (value, bad uint32) {
	shift := (-8 * n) & 31
	w = (w ^ zeros&(1<<32-1)) >> shift << shift
	// Now the hundreds, tens and ones are the bytes 1 to 3, absent ones zero.
	bad = 2<<16 + 5<<8 + 5 - bits.ReverseBytes32(w)
	return w * (1 + 10<<8 + 100<<16) >> 24, bad | uint32(n-1) | uint32(3-n)
}
