package authlog

import (
	"encoding/binary"
	"math/bits"
)

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

// quadTail reads " ADDR port N" with a dotted quad as ADDR in front of b[end]. The only
// branches on what the text holds are those that hardly ever go the other way: how
// long an octet is is what a processor cannot guess.
func quadTail(b []byte, end int) peer {
	if end < 32 || end > len(b) {
		return peer{}
	}
	w := (*[32]byte)(b[end-32 : end])
	stop := 21 // of the address: clients' ports have five digits
	if string(w[21:27]) != " port " {
		stop = portAt(w)
	}
	if stop < 21 || stop > 25 { // tells the compiler, too, that all indexes are in w
		return peer{}
	}
	n := 26 - stop
	tail := binary.LittleEndian.Uint64(w[24:])
	port := decimal(tail>>((64-8*n)&63), n)
	if notDigits(tail)>>((64-8*n)&63) != 0 || port > 65535 {
		return peer{}
	}
	// What is no digit, a bit each, counted from the right: three dots, a space.
	m := places(binary.BigEndian.Uint64(w[stop-8:stop])) | places(binary.BigEndian.Uint64(w[stop-16:stop-8]))<<8
	dot3 := stop - 1 - bits.TrailingZeros32(m)&15
	m &= m - 1
	dot2 := stop - 1 - bits.TrailingZeros32(m)&15
	m &= m - 1
	dot1 := stop - 1 - bits.TrailingZeros32(m)&15
	m &= m - 1
	space := stop - 1 - bits.TrailingZeros32(m)&15
	if m == 0 || w[dot3] != '.' || w[dot2] != '.' || w[dot1] != '.' || w[space] != ' ' {
		return peer{}
	}
	o1, ok := afterSpace(dot1 - space - 1).read(w[dot1-4 : dot1])
	if !ok {
		return peer{}
	}
	o2, ok := afterDot(dot2 - dot1 - 1).read(w[dot2-4 : dot2])
	if !ok {
		return peer{}
	}
	o3, ok := afterDot(dot3 - dot2 - 1).read(w[dot3-4 : dot3])
	if !ok {
		return peer{}
	}
	o4, ok := afterDot(stop - dot3 - 1).read(w[stop-4 : stop])
	if !ok {
		return peer{}
	}
	end -= 32
	return peer{end + space + 1, end + stop, o1<<24 | o2<<16 | o3<<8 | o4, uint16(port)}
}

// portAt finds the " port " in front of the one to five digits that w ends with, 0 for none.
func portAt(w *[32]byte) int {
	n := bits.LeadingZeros64(notDigits(binary.LittleEndian.Uint64(w[24:]))) >> 3
	if n == 0 || n > 5 || string(w[26-n:32-n]) != " port " {
		return 0
	}
	return 26 - n
}

// places gives a bit for each byte of a word that is no digit, the lowest for the
// lowest.
func places(w uint64) uint32 {
	return uint32(notDigits(w) * 0x02040810204081 >> 56)
}

// octet reads four bytes, the last n of which are a number's digits, as the number.
// The sum of the digits by their weights comes to stand in the highest byte; sub
// takes off what the characters are above their digits, and what the byte in front of
// the digits would add.
type octet struct{ mul, sub, max uint32 }

const (
	mul1, mul2, mul3 = 1, 1 + 10<<8, 1 + 10<<8 + 100<<16
	char1            = '0' << 24
	char2            = '0'<<24 + '0'<<16
	char3            = '0'<<24 + '0'<<16 + '0'<<8
	all              = 1<<32 - 1
)

// afterDot gives the weights for n digits behind a dot. Other than one to three are above their max.
func afterDot(n int) octet {
	return [16]octet{
		1: {mul1, char1 * mul1 & all, all},
		2: {mul2, (char2 + '.'<<8) * mul2 & all, all},
		3: {mul3, (char3 + '.') * mul3 & all, '.'<<24 + '2'<<16 + '5'<<8 + '5'},
	}[n&15]
}

// afterSpace gives the weights for n digits behind a space.
func afterSpace(n int) octet {
	return [16]octet{
		1: {mul1, char1 * mul1 & all, all},
		2: {mul2, (char2 + ' '<<8) * mul2 & all, all},
		3: {mul3, (char3 + ' ') * mul3 & all, ' '<<24 + '2'<<16 + '5'<<8 + '5'},
	}[n&15]
}

// read gives the number, false for none of one to three digits up to 255.
func (o octet) read(b []byte) (uint32, bool) {
	w := binary.LittleEndian.Uint32(b)
	return (w*o.mul - o.sub) >> 24, bits.ReverseBytes32(w) <= o.max
}
