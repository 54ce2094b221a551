package gunzip

// block holds the codes of a block, and what it takes to make them.
type block struct {
	means             *meanings
	literal, distance table
	order             table
	lengths           [literals + distances]uint8
}

// begin reads the header of a block (RFC 1951, section 3.2.3).
func (z *Reader) begin() error {
	if z.last {
		return z.trailer()
	}
	head, err := z.bits.take(3)
	if err != nil {
		return err
	}
	z.last = head&1 != 0
	if z.block.means == nil {
		z.block.means = newMeanings()
	}
	switch head >> 1 {
	case 0:
		return z.beginStored()
	case 1:
		z.block.fixed()
	case 2:
		if err := z.block.dynamic(&z.bits); err != nil {
			return err
		}
	default:
		return ErrCorrupt
	}
	z.step = (*Reader).codes
	return nil
}

func (z *Reader) beginStored() error {
	z.bits.align()
	n, err := z.bits.take(32)
	if err != nil {
		return err
	}
	if n>>16 != ^n&0xffff {
		return ErrCorrupt
	}
	z.stored = int(n & 0xffff)
	z.bits.unread()
	z.step = (*Reader).copyStored
	return nil
}

// copyStored takes over what is left of a stored block.
func (z *Reader) copyStored() error {
	b := &z.bits
	for z.stored > 0 && z.made < history+chunk {
		if b.pos == b.end {
			if b.eof {
				return b.cut()
			}
			b.more()
			continue
		}
		n := copy(z.out[z.made:history+chunk], b.in[b.pos:min(b.end, b.pos+z.stored)])
		z.made += n
		b.pos += n
		z.stored -= n
	}
	if z.stored == 0 {
		z.step = (*Reader).begin
	}
	return nil
}

// fixed makes the codes that are the same for all (section 3.2.6).
func (b *block) fixed() {
	lengths := b.lengths[:literals]
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	b.literal.build(literalBits, lengths, b.means.literal[:])
	lengths = b.lengths[:distances]
	for i := range lengths {
		lengths[i] = 5
	}
	b.distance.build(distanceBits, lengths, b.means.distance[:])
}

// dynamic reads the codes of a block (section 3.2.7).
func (b *block) dynamic(in *bitReader) error {
	head, err := in.take(14)
	if err != nil {
		return err
	}
	numLiterals, numDistances, numOrder := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if numLiterals > 286 || numDistances > 30 {
		return ErrCorrupt
	}
	var order [19]uint8
	for _, i := range []uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:numOrder] {
		n, err := in.take(3)
		if err != nil {
			return err
		}
		order[i] = uint8(n)
	}
	if !b.order.build(orderBits, order[:], b.means.order[:]) {
		return ErrCorrupt
	}
	lengths := b.lengths[:numLiterals+numDistances]
	if err := b.readLengths(in, lengths); err != nil {
		return err
	}
	if !b.literal.build(literalBits, lengths[:numLiterals], b.means.literal[:]) ||
		!b.distance.build(distanceBits, lengths[numLiterals:], b.means.distance[:]) {
		return ErrCorrupt
	}
	return nil
}

// readLengths reads the lengths of codes, which are coded themselves.
func (b *block) readLengths(in *bitReader, lengths []uint8) error {
	for i := 0; i < len(lengths); {
		e, err := in.code(&b.order)
		if err != nil {
			return err
		}
		symbol := e.value()
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		repeated, least, width := uint8(0), 3, uint(3)
		switch {
		case symbol == 16 && i == 0:
			return ErrCorrupt
		case symbol == 16:
			repeated, width = lengths[i-1], 2
		case symbol == 18:
			least, width = 11, 7
		}
		n, err := in.take(width)
		if err != nil {
			return err
		}
		end := i + least + int(n)
		if end > len(lengths) {
			return ErrCorrupt
		}
		for ; i < end; i++ {
			lengths[i] = repeated
		}
	}
	return nil
}
