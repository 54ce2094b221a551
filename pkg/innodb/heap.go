package innodb

import "math/bits"

// heap is what measuring a page needs: where records begin. The heap of a page is records, one behind the other, those that were
// removed among them. It is used for one page after the other.
type heap struct {
	begins  [64 << 10 / 64]uint64 // a bit for each byte of the page
	records []record
}

// record is one of the list of records.
type record struct {
	origin int
	info   byte
}

func (h *heap) mark(origin int) { h.begins[origin/64] |= 1 << (origin % 64) }

// next is the first record's origin at or behind a place, or end where there is none before it.
func (h *heap) next(at, end int) int {
	for word := at / 64; word < len(h.begins) && word*64 < end; word++ {
		set := h.begins[word]
		if word == at/64 {
			set &= ^uint64(0) << (at % 64)
		}
		if set != 0 {
			return min(word*64+bits.TrailingZeros64(set), end)
		}
	}
	return end
}

// facts of an uncompressed leaf page.
func (h *heap) facts(page []byte, number uint32, layout Layout) PageFacts {
	f := PageFacts{Number: number, Prev: u32(page, filPrev), Next: u32(page, filNext), Garbage: int(u16(page, pageGarbage)), Slots: int(u16(page, pageSlots))}
	start := oldStart
	f.Exact = true
	if u16(page, pageHeap)&0x8000 != 0 {
		start, f.Exact = compactStart, layout != nil
	}
	top := int(u16(page, pageHeapTop))
	if top < start || top > len(page) || f.Garbage > top-start {
		f.Damaged = true
		return f
	}
	f.DataBytes = top - start - f.Garbage
	f.FreeBytes = len(page) - filTrailer - 2*f.Slots - start - f.DataBytes
	h.collect(&f, page)
	f.Lengths = make([]uint16, 0, len(h.records))
	for _, r := range h.records {
		h.count(&f, page, r, layout, start, top)
	}
	return f
}

// collect finds all records, those that were removed as well.
func (h *heap) collect(f *PageFacts, page []byte) {
	clear(h.begins[:len(page)/64])
	h.records = h.records[:0]
	f.Damaged = !walk(page, func(origin int, info byte) {
		h.mark(origin)
		if info&minRecFlag == 0 { // a leaf's first record with it is the description of INSTANT columns
			h.records = append(h.records, record{origin, info})
		}
	})
	compact := u16(page, pageHeap)&0x8000 != 0
	at := int(u16(page, pageFree))
	for left := int(u16(page, pageHeap) & 0x7fff); left > 0 && at >= compactStart && at < len(page)-filTrailer; left-- {
		h.mark(at)
		next := nextRecord(page, at, compact)
		if next == at {
			break
		}
		at = next
	}
}

// count adds a record to the facts.
func (h *heap) count(f *PageFacts, page []byte, r record, layout Layout, start, top int) {
	next := h.next(r.origin+1, top)
	length := next - r.origin
	if next == top {
		// The last one has the header of the first: the others have that of their neighbour.
		length += h.next(start, top) - start
	}
	length = max(0, min(length, top-start))
	if exact, external, ok := exactly(page, r, layout); ok {
		length = exact
		f.External += external
	} else {
		f.Exact = false
	}
	if r.info&deletedFlag != 0 {
		f.Deleted++
		f.DeletedBytes += length
		return
	}
	f.Records++
	f.Lengths = append(f.Lengths, uint16(length))
}

// exactly is what a record says of its length, where it does, or where its layout is known.
func exactly(page []byte, r record, layout Layout) (length, external int, ok bool) {
	if u16(page, pageHeap)&0x8000 != 0 {
		if layout == nil {
			return 0, 0, false
		}
		return layout.length(page, r)
	}
	old, ok := readOld(page, r.origin)
	if !ok {
		return 0, 0, false
	}
	return old.header() + old.length(), old.external(), true
}
