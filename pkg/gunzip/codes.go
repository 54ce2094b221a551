package gunzip

import "encoding/binary"

// near is how many bytes of input two codes with their extra bits are looked for in.
const near = 16

// codes unpacks a block until its end, or until the output is full.
func (z *Reader) codes() error {
	b := &z.bits
	for z.made < history+chunk && z.err == nil {
		switch {
		case b.end-b.pos >= near:
			if ended, err := z.quickCodes(); ended || err != nil {
				return err
			}
		case !b.eof:
			b.more()
		default:
			if ended, err := z.oneCode(); ended || err != nil {
				return err
			}
		}
	}
	return nil
}

// ends goes on behind the block.
func (z *Reader) ends() (bool, error) {
	z.step = (*Reader).begin
	return true, nil
}

// oneCode unpacks a literal or a match at the end of the input.
func (z *Reader) oneCode() (ended bool, err error) {
	b := &z.bits
	e, err := b.code(&z.block.literal)
	switch {
	case err != nil:
		return false, err
	case e&isLiteral != 0:
		z.out[z.made] = byte(e >> 16)
		z.made++
		return false, nil
	case e&isEnd != 0:
		return z.ends()
	case e&isOdd != 0:
		return false, ErrCorrupt
	}
	length, err := b.extra(e)
	if err != nil {
		return false, err
	}
	if e, err = b.code(&z.block.distance); err != nil {
		return false, err
	}
	distance, err := b.extra(e)
	if err != nil {
		return false, err
	}
	if e&isOdd != 0 || distance > z.reach() {
		return false, ErrCorrupt
	}
	match(z.out, z.made, distance, length)
	z.made += length
	return false, nil
}

// quickCodes unpacks while there is input enough to look at it by words. word and count
// are as in bitReader: filled up, word holds 56 bits or more, enough for two short
// literals and a length, or for a distance.
func (z *Reader) quickCodes() (ended bool, err error) {
	b, first := &z.bits, z.summed-z.past
	in, out, pos, word, count, made := b.in[:b.end], z.out, b.pos, b.word, b.count, z.made
	short := (*[1 << literalBits]entry)(z.block.literal.entries)
	shortDistance := (*[1 << distanceBits]entry)(z.block.distance.entries)
	for made < history+chunk && pos <= len(in)-near {
		word |= binary.LittleEndian.Uint64(in[pos:]) << (count & 63)
		pos += int(63-count) >> 3
		count |= 56
		e := short[word%(1<<literalBits)]
		for range 2 {
			if e&isLiteral == 0 {
				break
			}
			word, count = word>>e.taken(), count-e.taken()
			out[made] = byte(e >> 16)
			made++
			e = short[word%(1<<literalBits)]
		}
		if e&isFurther != 0 {
			e = z.block.literal.further(e, word)
		}
		if e&(isLiteral|isOdd) != 0 {
			if e&isLiteral != 0 {
				word, count = word>>e.taken(), count-e.taken()
				out[made] = byte(e >> 16)
				made++
				continue
			}
			if ended = e&isEnd != 0; ended {
				word, count = word>>e.taken(), count-e.taken()
				_, err = z.ends()
			} else {
				err = ErrCorrupt
			}
			break
		}
		length := e.extra(word)
		word, count = word>>e.taken(), count-e.taken()
		word |= binary.LittleEndian.Uint64(in[pos:]) << (count & 63)
		pos += int(63-count) >> 3
		count |= 56
		e = shortDistance[word%(1<<distanceBits)]
		if e&isFurther != 0 {
			e = z.block.distance.further(e, word)
		}
		distance := e.extra(word)
		if e&isOdd != 0 || distance > made-first {
			err = ErrCorrupt
			break
		}
		word, count = word>>e.taken(), count-e.taken()
		match(out, made, distance, length)
		made += length
	}
	b.pos, b.word, b.count, z.made = pos, word, count, made
	return ended, err
}

// match repeats length bytes from distance bytes before out[made]. It may write
// some more, up to 16 bytes.
func match(out []byte, made, distance, length int) {
	from := made - distance
	if distance >= length && length > 24 {
		copy(out[made:made+length], out[from:])
		return
	}
	if distance >= 16 {
		for {
			a, b := out[from:from+16], out[made:made+16]
			lo, hi := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(a[8:])
			binary.LittleEndian.PutUint64(b, lo)
			binary.LittleEndian.PutUint64(b[8:], hi)
			if length <= 16 {
				return
			}
			from, made, length = from+16, made+16, length-16
		}
	}
	for i := range length {
		out[made+i] = out[from+i]
	}
}
