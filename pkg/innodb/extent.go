package innodb

import (
	"context"
	"iter"
	"math/bits"
)

// extentState is XDES_STATE (fsp0fsp.h).
type extentState uint32

const (
	extentFree     extentState = 1
	extentFreeFrag extentState = 2
	extentFullFrag extentState = 3
	extentSegment  extentState = 4
	extentSegFrag  extentState = 5 // MySQL 8: leased by a segment, pages shared
)

// extent is a descriptor: which pages of it are in use, and of which segment it is.
type extent struct {
	first   uint32 // its first page
	pages   uint32 // in the extent
	state   extentState
	segment uint64
	bitmap  []byte // two bits a page, the lower one set: free; valid until the next extent
}

// xdesSize is the length of a descriptor: XDES_BITMAP is at 24.
func xdesSize(f Flags) int { return 24 + int(f.ExtentPages()+3)/4 }

// inUse says whether the i-th page is used. Freed pages keep what they held, so that only this tells them apart.
func (x *extent) inUse(i uint32) bool { return x.bitmap[i/4]>>(2*(i%4))&1 == 0 }

// of says whether the extent's i-th page is in use and the segment's. An extent that MySQL 8 leases to one begins with
// descriptors and a bitmap of the change buffer, which stay the tablespace's.
func (x *extent) of(segment uint64, i uint32) bool {
	return x.segment == segment && x.inUse(i) && (x.state == extentSegment || x.state == extentSegFrag && i >= 2)
}

// usedBySegment counts them.
func (x *extent) usedBySegment() uint32 {
	used := x.used()
	if x.state == extentSegFrag {
		used -= min(used, 2)
	}
	return used
}

func (x *extent) used() uint32 {
	free := 0
	for _, b := range x.bitmap {
		free += bits.OnesCount8(b & 0x55)
	}
	return x.pages - uint32(free)
}

// extents are all descriptors below the free limit, in order. Pages of descriptors that are damaged are given to bad, and
// passed over. The memory does not grow with the file.
func (s *Space) extents(ctx context.Context, bad func(error)) iter.Seq[*extent] {
	return func(yield func(*extent) bool) {
		f := s.Header.Flags
		perPage := uint32(f.PhysicalSize) // pages that a page of descriptors describes
		x := &extent{pages: f.ExtentPages()}
		own := s.descriptors[:0]
		defer func() { s.descriptors = own }()
		limit := min(s.Header.FreeLimit, s.Header.FilePages)
		for at := uint32(0); at < limit && ctx.Err() == nil; at += perPage {
			page, err := s.content(at)
			if at == 0 && err != nil { // Open has said what is wrong with it
				page, err = s.head[:f.PhysicalSize], nil
			}
			if err != nil {
				bad(err)
				continue
			}
			own = append(own[:0], page...) // other pages are read in between
			for i := uint32(0); i < perPage/x.pages && at+i*x.pages < limit; i++ {
				x.read(own[xdesArray+int(i)*xdesSize(f):], at+i*x.pages)
				if !yield(x) {
					return
				}
			}
			if at+perPage < at {
				return
			}
		}
	}
}

func (x *extent) read(b []byte, first uint32) {
	x.first, x.segment, x.state = first, u64(b, 0), extentState(u32(b, 20))
	x.bitmap = b[24 : 24+x.pages/4]
}
