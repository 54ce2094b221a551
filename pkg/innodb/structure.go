package innodb

import (
	"context"
	"fmt"
)

// Structure is what a tablespace is made of, read from page 0, the descriptors, the INODE pages and the roots of its indexes.
type Structure struct {
	Header
	// FreePages are those of the file that no segment has; SpareAbove of them lie beyond the free limit.
	FreePages, SpareAbove uint32
	Indexes               []Index
	// Segments are all of the space, also those of no index.
	Segments []*Segment
	// Damage is what could not be read, or contradicts itself; the rest is here all the same.
	Damage []error
}

// Index is a B-tree, or an R-tree, in the order in which they were made: the clustered index of a table comes first.
type Index struct {
	ID   uint64
	Root uint32
	// Level of the root; 0: the root is the only leaf.
	Level int
	Type  PageType // of the root: TypeIndex, TypeRtree, TypeSDI, TypeInstant
	// Records in the root.
	Records int
	// Compact: the records are not in REDUNDANT format.
	Compact        bool
	Leaf, Internal *Segment
	// Name and Table are from a dictionary, "" without one.
	Name, Table string
}

// maxDamage bounds what is said of one file.
const maxDamage = 20

// Structure reads it. Of an encrypted tablespace only the descriptors can be read: it has no segments and no indexes. It fails only when ctx ends; what is damaged is in the result.
func (s *Space) Structure(ctx context.Context) (*Structure, error) {
	st := &Structure{Header: s.Header}
	left := 0
	bad := func(err error) {
		if len(st.Damage) < maxDamage {
			st.Damage = append(st.Damage, err)
			return
		}
		left++
	}
	if s.Header.Damage != "" {
		bad(&PageError{Page: 0, Reason: s.Header.Damage})
	}
	if s.Header.Pages > s.Header.FilePages && !s.lastBlock() {
		bad(fmt.Errorf("the file has %d pages of the %d that it should have: it is truncated", s.Header.FilePages, s.Header.Pages))
	}
	if !s.Header.Encrypted {
		st.Segments = s.inodes(ctx, bad)
	}
	st.FreePages = s.fill(ctx, st.Segments, bad)
	if s.Header.FilePages > s.Header.FreeLimit {
		st.SpareAbove = s.Header.FilePages - s.Header.FreeLimit
		st.FreePages += st.SpareAbove
	}
	if !s.Header.Encrypted {
		st.Indexes = s.indexes(ctx, st.Segments, bad)
	}
	if left > 0 {
		st.Damage = append(st.Damage, fmt.Errorf("%d more of the like", left))
	}
	return st, ctx.Err()
}

// lastBlock says that a file of pages below 4096 bytes lacks nothing but the end of a block: MariaDB makes such a file larger by
// whole blocks, and leaves the rest to the pages' being written (fil0fil.cc: fil_space_extend_must_retry).
func (s *Space) lastBlock() bool {
	const block = 4096
	return s.Header.Flags.PhysicalSize < block && int64(s.Header.Pages-s.Header.FilePages)*int64(s.Header.Flags.PhysicalSize) < block
}

// Offsets of the header of an index page (page0page.h).
const (
	pageSlots    = filData
	pageHeapTop  = filData + 2
	pageHeap     = filData + 4
	pageFree     = filData + 6
	pageGarbage  = filData + 8
	pageRecords  = filData + 16
	pageLevel    = filData + 26
	pageIndex    = filData + 28
	pageLeafSeg  = filData + 36
	pageTopSeg   = filData + 46
	pageData     = filData + 56
	maxIndexRoot = 1 << 16
)

// indexes finds roots: the first page of the segment of inner pages, whose header names that segment and the one of leaves.
func (s *Space) indexes(ctx context.Context, segments []*Segment, bad func(error)) []Index {
	byPlace := make(map[uint64]*Segment, len(segments))
	for _, g := range segments {
		byPlace[uint64(g.page)<<32|uint64(g.offset)] = g
	}
	leaves := map[*Segment]bool{}
	var all []Index
	for _, g := range segments {
		if leaves[g] || len(g.Fragments) == 0 || ctx.Err() != nil || len(all) == maxIndexRoot {
			continue
		}
		root := g.Fragments[0]
		page, err := s.content(root)
		if err != nil {
			bad(err)
			continue
		}
		if index, ok := readRoot(page, root, g, byPlace); ok {
			leaves[index.Leaf] = true
			all = append(all, index)
		}
	}
	return all
}

func readRoot(page []byte, root uint32, top *Segment, byPlace map[uint64]*Segment) (Index, bool) {
	place := func(at int) uint64 { return uint64(u32(page, at+4))<<32 | uint64(u16(page, at+8)) }
	leaf := byPlace[place(pageLeafSeg)]
	if !typeOf(page).IsIndex() || byPlace[place(pageTopSeg)] != top || leaf == nil || leaf == top {
		return Index{}, false
	}
	return Index{
		ID: u64(page, pageIndex), Root: root, Level: int(u16(page, pageLevel)), Type: typeOf(page),
		Records: int(u16(page, pageRecords)), Compact: u16(page, pageHeap)&0x8000 != 0, Leaf: leaf, Internal: top,
	}, true
}
