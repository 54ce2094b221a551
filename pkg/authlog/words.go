package authlog

import "encoding/binary"

// The hot paths look at eight bytes at a time, as one little-endian number: the
// first byte of the text is the lowest.

const (
	eachByte = 0x0101010101010101
	lowBits  = 0x7f * eachByte
	highBits = 0x80 * eachByte
	zeros    = '0' * eachByte
)

// word gives the eight bytes from b[i] on.
func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// notDigits sets the high bit of each byte that is no decimal digit, and no other.
func notDigits(w uint64) uint64 {
	w ^= zeros // digits become 0 to 9, all else more
	return (w&lowBits + (0x80-10)*eachByte | w) & highBits
}

// decimal reads the first n bytes of a word, 1 to 8 digits, as a number: the sums
// of neighbouring digits first, then those of the pairs, then those of the fours.
func decimal(w uint64, n int) uint32 {
	w = (w ^ zeros) << ((64 - 8*n) & 63)
	w = w*10 + w>>8
	const pair = 0x000000ff000000ff
	return uint32((w&pair*(100+1000000<<32) + w>>16&pair*(1+10000<<32)) >> 32)
}

// among is not zero where the byte c is in a word.
func among(c byte, w uint64) uint64 {
	w ^= uint64(c) * eachByte // c becomes 0
	return (w - eachByte) & ^w & highBits
}
