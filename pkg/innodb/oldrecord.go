package innodb

import (
	"context"
	"encoding/binary"
)

// oldRecord is a record in REDUNDANT format: it says itself where each field ends (rem0rec.h).
type oldRecord struct {
	page   []byte
	origin int
	fields int
	wide   bool // ends are two bytes each
}

// Bits of the end of a field.
const (
	oldNull     = 0x80
	oldWideNull = 0x8000
	oldExternal = 0x4000
	oldHeader   = 6
)

// readOld reads the header of a record; ok is false where it does not fit into the page.
func readOld(page []byte, origin int) (r oldRecord, ok bool) {
	r = oldRecord{page: page, origin: origin, fields: int(u16(page, origin-4)>>1) & 0x3ff, wide: page[origin-3]&1 == 0}
	size := 1
	if r.wide {
		size = 2
	}
	if r.fields == 0 || origin-oldHeader-size*r.fields < pageData {
		return r, false
	}
	return r, origin+r.length() <= len(page)-filTrailer
}

// end is where a field ends, from the origin.
func (r *oldRecord) end(i int) (end int, null bool) {
	if r.wide {
		n := int(u16(r.page, r.origin-oldHeader-2*(i+1)))
		return n & 0x3fff, n&oldWideNull != 0
	}
	n := int(r.page[r.origin-oldHeader-1-i])
	return n &^ oldNull, n&oldNull != 0
}

// length is that of the data.
func (r *oldRecord) length() int {
	end, _ := r.end(r.fields - 1)
	return end
}

// header is the length of what precedes the data.
func (r *oldRecord) header() int {
	if r.wide {
		return oldHeader + 2*r.fields
	}
	return oldHeader + r.fields
}

// external counts fields that are stored outside: only ends of two bytes can say so.
func (r *oldRecord) external() (n int) {
	for i := 0; r.wide && i < r.fields; i++ {
		if u16(r.page, r.origin-oldHeader-2*(i+1))&oldExternal != 0 {
			n++
		}
	}
	return n
}

// field gives a field's bytes; nil for NULL and for one that is not there.
func (r *oldRecord) field(i int) []byte {
	if i >= r.fields {
		return nil
	}
	start := 0
	if i > 0 {
		start, _ = r.end(i - 1)
	}
	end, null := r.end(i)
	if null || start > end || r.origin+end > len(r.page) {
		return nil
	}
	return r.page[r.origin+start : r.origin+end]
}

// number gives a field of at most 8 bytes as a number, 0 for NULL.
func (r *oldRecord) number(i int) uint64 {
	b := r.field(i)
	if len(b) > 8 {
		return 0
	}
	var wide [8]byte
	copy(wide[8-len(b):], b)
	return binary.BigEndian.Uint64(wide[:])
}

// oldRows calls add for each row of a table in REDUNDANT format, delete-marked ones left out, in the order of the clustered index.
// It fails only when ctx ends.
func (s *Space) oldRows(ctx context.Context, root uint32, add func(oldRecord), bad func(error)) error {
	leaf, err := s.oldLeftmost(root)
	if err != nil {
		bad(err)
		return ctx.Err()
	}
	for left := s.Header.FilePages; left > 0 && leaf != None && ctx.Err() == nil; left-- {
		page, err := s.oldPage(leaf)
		if err != nil {
			bad(err)
			break
		}
		whole := walk(page, func(origin int, info byte) {
			if info&(deletedFlag|minRecFlag) != 0 {
				return
			}
			if r, ok := readOld(page, origin); ok {
				add(r)
				return
			}
			bad(pageErrorf(leaf, "the record at %d leaves the page", origin))
		})
		if !whole {
			bad(pageErrorf(leaf, "its list of records contradicts itself"))
		}
		leaf = u32(page, filNext)
	}
	return ctx.Err()
}

func (s *Space) oldPage(number uint32) ([]byte, error) {
	page, err := s.content(number)
	if err != nil {
		return nil, err
	}
	if !typeOf(page).IsIndex() || u16(page, pageHeap)&0x8000 != 0 {
		return nil, pageErrorf(number, "it is no page of the dictionary")
	}
	return page, nil
}

// oldLeftmost goes down to the first leaf. The last field of an inner record is the page below.
func (s *Space) oldLeftmost(number uint32) (uint32, error) {
	last := 1 << 16
	for {
		page, err := s.oldPage(number)
		if err != nil {
			return 0, err
		}
		level := int(u16(page, pageLevel))
		if level == 0 {
			return number, nil
		}
		origin := nextRecord(page, oldInfimum, false)
		if level >= last || origin < oldStart || origin >= len(page)-filTrailer {
			return 0, pageErrorf(number, "the tree below it has no end")
		}
		r, ok := readOld(page, origin)
		if !ok {
			return 0, pageErrorf(number, "the record at %d leaves the page", origin)
		}
		last, number = level, uint32(r.number(r.fields-1))
	}
}
