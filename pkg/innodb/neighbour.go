package innodb

import (
	"bytes"
	"context"
)

// follow reads the leaves that are left where large values hid them from the draw, if the root says that they are few: it goes from
// a leaf to its neighbours.
func (s *Space) follow(ctx context.Context, out *Sample, index *Index, o SampleOptions) {
	if index.Level != 1 || len(out.Pages) >= index.Records || index.Records > o.Pages {
		return
	}
	if len(out.Pages) == 0 {
		if leaf := s.below(index); leaf != None {
			s.look(out, index, leaf, o.Layout)
		}
	}
	read := make(map[uint32]bool, index.Records)
	for i := range out.Pages {
		read[out.Pages[i].Number] = true
	}
	for i := 0; i < len(out.Pages) && len(out.Pages) < index.Records && ctx.Err() == nil; i++ {
		for _, number := range []uint32{out.Pages[i].Next, out.Pages[i].Prev} {
			if number != None && !read[number] && len(out.Pages) < index.Records {
				read[number] = true
				s.look(out, index, number, o.Layout)
			}
		}
	}
	out.Whole = len(out.Pages) == index.Records
}

// below is a leaf that the root points at, None where none is found. The last field of a record of the root is the page; where it
// ends is where the next record's header begins, or the records end. Of that header it is not known what lengths it has, so that
// all likely ones are tried.
func (s *Space) below(index *Index) uint32 {
	raw, err := s.Page(index.Root)
	if err != nil || s.Header.Flags.Compressed {
		return None
	}
	page, err := s.unpack(raw, index.Root)
	if err != nil || !typeOf(page).IsIndex() || u64(page, pageIndex) != index.ID {
		return None
	}
	page = bytes.Clone(page) // the next page that is unpacked takes its memory
	top := int(u16(page, pageHeapTop))
	var f PageFacts
	if s.heap.collect(&f, page); f.Damaged || top > len(page) {
		return None
	}
	first := 0
	walk(page, func(origin int, _ byte) {
		if first == 0 {
			first = origin
		}
	})
	next := s.heap.next(first+1, top)
	shortest, longest := recordHeader, recordHeader+maxLengths
	if next == top {
		shortest, longest = 0, 0
	}
	for header := shortest; first > 0 && header <= longest; header++ {
		if at := next - header - 4; at >= first && s.isLeaf(index, u32(page, at)) {
			return u32(page, at)
		}
	}
	return None
}

// maxLengths are the bytes of nulls and lengths that are tried.
const maxLengths = 24

// isLeaf says whether a page is a leaf of an index.
func (s *Space) isLeaf(index *Index, number uint32) bool {
	if number == 0 || number >= s.Header.FilePages {
		return false
	}
	raw, err := s.Page(number)
	if err != nil {
		return false
	}
	page, err := s.unpack(raw, number)
	return err == nil && typeOf(page).IsIndex() && u64(page, pageIndex) == index.ID && u16(page, pageLevel) == 0
}
