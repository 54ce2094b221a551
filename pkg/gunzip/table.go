package gunzip

import "math/bits"

// entry tells what the code at the beginning of some bits means. Its lowest byte is how
// many bits code and extra bits take together, the next one how many the code takes; the
// upper half is a literal, the base of a length or a distance, or where a further table
// begins. The flags stand between.
type entry uint32

const (
	isLiteral entry = 1 << 31
	isOdd     entry = 1 << 15 // none of the common: one of the next three, or no code at all
	isEnd     entry = 1 << 14
	isFurther entry = 1 << 13 // lowest byte: bits of this table; the next five bits: of the further one
)

func (e entry) taken() uint { return uint(e & 63) }
func (e entry) code() uint  { return uint(e>>8) & 31 }
func (e entry) value() int  { return int(e>>16) & 0x7fff }

// extra gives base and extra bits of a length or a distance, from the bits that begin
// with its code.
func (e entry) extra(word uint64) int {
	return e.value() + int(word&(1<<e.taken()-1)>>e.code())
}

const (
	maxCode      = 15
	literalBits  = 11
	distanceBits = 8
	orderBits    = 7
	literals     = 288
	distances    = 32
)

// The meanings of the symbols: of literals and lengths, of distances, of the lengths of
// codes (RFC 1951, section 3.2.5 and 3.2.7). Symbols without one are isOdd.
type meanings struct {
	literal  [literals]entry
	distance [distances]entry
	order    [19]entry
}

func newMeanings() *meanings {
	m := &meanings{}
	for i := range 256 {
		m.literal[i] = isLiteral | entry(i)<<16
	}
	m.literal[256] = isOdd | isEnd
	base := 3
	for i := range 28 {
		extra := max(i/4-1, 0)
		m.literal[257+i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	m.literal[285] = 258 << 16
	m.literal[286], m.literal[287] = isOdd, isOdd
	base = 1
	for i := range 30 {
		extra := max(i/2-1, 0)
		m.distance[i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	m.distance[30], m.distance[31] = isOdd, isOdd
	for i := range m.order {
		m.order[i] = entry(i) << 16
	}
	return m
}

// table finds the entries of codes, by the first bits of the input; those of longer codes
// in further tables behind the first.
type table struct {
	bits    uint
	entries []entry
}

func (t *table) find(word uint64) entry {
	e := t.entries[word&(1<<t.bits-1)]
	if e&isFurther != 0 {
		e = t.further(e, word)
	}
	return e
}

func (t *table) further(e entry, word uint64) entry {
	return t.entries[e.value()+int(word>>t.bits&(1<<e.code()-1))]
}

// build makes the table of the codes whose lengths are given, one a symbol, 0 for none. It
// reports false for lengths that make no code: all bits must be one, but for a code
// of a single bit, or of none, which some writers make of distances that they do not use.
func (t *table) build(first uint, lengths []uint8, means []entry) bool {
	var count, next [maxCode + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	longest, code := 0, 0
	for n := 1; n <= maxCode; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
		if count[n] > 0 {
			longest = n
		}
	}
	if end := next[longest] + count[longest]; longest > 0 && end != 1<<longest && (end != 1 || longest != 1) {
		return false
	}
	t.bits = first
	size := 1 << first
	if cap(t.entries) < size {
		t.entries = make([]entry, size, 2*size)
	}
	t.entries = t.entries[:size]
	for i := range t.entries {
		t.entries[i] = isOdd
	}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		t.put(uint(bits.Reverse16(uint16(next[n]))>>(16-n)), uint(n), uint(longest), means[symbol])
		next[n]++
	}
	return true
}

// put enters a code of n bits, the lowest of which comes first, wherever it begins the
// bits. longest is the length of the longest code.
func (t *table) put(code, n, longest uint, means entry) {
	means += entry(n)<<8 + entry(n)
	into, skip, size := 0, uint(0), t.bits
	if n > t.bits {
		skip, size = t.bits, longest-t.bits
		e := &t.entries[code&(1<<t.bits-1)]
		if *e&isFurther == 0 {
			*e = isOdd | isFurther | entry(len(t.entries))<<16 | entry(size)<<8 | entry(t.bits)
			for range 1 << size {
				t.entries = append(t.entries, isOdd)
			}
			e = &t.entries[code&(1<<t.bits-1)]
		}
		into = e.value()
	}
	for i := code >> skip; i < 1<<size; i += 1 << (n - skip) {
		t.entries[into+int(i)] = means
	}
}
