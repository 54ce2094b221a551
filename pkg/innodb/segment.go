package innodb

import (
	"context"
	"errors"
	"fmt"
)

// ErrUnowned is damage, or a live file of which the descriptors were written and the INODE page was not yet.
var ErrUnowned = errors.New("extents belong to segments that do not exist")

// Segment is a set of pages with one use: the leaf pages of an index and their large values, its inner pages, or something of
// the server's own.
type Segment struct {
	ID uint64
	// Used are the pages in use by the descriptors' bitmaps, Reserved those that no other segment can have.
	Used, Reserved uint32
	// Fragments are single pages in extents that segments share.
	Fragments []uint32
	// FullExtents, PartExtents and FreeExtents are the segment's own, by how many of their pages are used.
	FullExtents, PartExtents, FreeExtents uint32

	page, offset uint32 // where its INODE is
}

// Offsets of an INODE page and of an INODE in it (fsp0fsp.h).
const (
	inodeArray    = filData + 12
	inodeFrag     = 64
	inodeMagic    = 97937874
	inodeMagicAt  = 60
	maxInodePages = 1 << 16
)

// inodes reads the INODE of each segment: those of the pages in both lists of page 0. A cycle or a page of another kind ends a
// list, and is given to bad.
func (s *Space) inodes(ctx context.Context, bad func(error)) []*Segment {
	var all []*Segment
	seen := map[uint32]bool{}
	for _, base := range []int{fspInodesFull, fspInodesFree} {
		next := u32(s.head, base+4)
		for left := min(u32(s.head, base), maxInodePages); left > 0 && next != None && ctx.Err() == nil; left-- {
			page, err := s.content(next)
			if err == nil && (seen[next] || typeOf(page) != TypeInode) {
				err = pageErrorf(next, "a list of INODE pages leads to it, and it is none or comes twice")
			}
			if err != nil {
				bad(err)
				break
			}
			seen[next] = true
			all = s.inodesOf(all, page, next)
			next = u32(page, filData+6)
		}
	}
	return all
}

func (s *Space) inodesOf(all []*Segment, page []byte, number uint32) []*Segment {
	slots := int(s.Header.Flags.ExtentPages() / 2)
	length := inodeFrag + 4*slots
	for at := inodeArray; at+length+10 <= len(page); at += length {
		if u64(page, at) == 0 || u32(page, at+inodeMagicAt) != inodeMagic {
			continue
		}
		g := &Segment{ID: u64(page, at), page: number, offset: uint32(at)}
		for i := range slots {
			if p := u32(page, at+inodeFrag+4*i); p != None && p < s.Header.FilePages {
				g.Fragments = append(g.Fragments, p)
			}
		}
		all = append(all, g)
	}
	return all
}

// fill adds what the descriptors say to segments, and returns the pages below the free limit that nobody has.
func (s *Space) fill(ctx context.Context, segments []*Segment, bad func(error)) (free uint32) {
	byID := make(map[uint64]*Segment, len(segments))
	for _, g := range segments {
		byID[g.ID] = g
		g.Used = uint32(len(g.Fragments))
		g.Reserved = g.Used
	}
	unowned := 0
	for x := range s.extents(ctx, bad) {
		switch x.state {
		case extentFree, extentFreeFrag, extentFullFrag:
			free += s.within(x) - min(s.within(x), x.used())
		case extentSegment, extentSegFrag:
			g := byID[x.segment]
			if g == nil {
				unowned++
				continue
			}
			g.take(x)
		default:
			bad(pageErrorf(x.first, "the descriptor of its extent has the unknown state %d", x.state))
		}
	}
	if unowned > 0 && !s.Header.Encrypted {
		bad(fmt.Errorf("%d %w", unowned, ErrUnowned))
	}
	return free
}

// within are the pages of an extent that the file has: a small one ends in the first.
func (s *Space) within(x *extent) uint32 { return min(x.pages, s.Header.FilePages-x.first) }

func (g *Segment) take(x *extent) {
	used := x.usedBySegment()
	g.Used += used
	g.Reserved += x.pages
	switch used {
	case 0:
		g.FreeExtents++
	case x.pages:
		g.FullExtents++
	default:
		g.PartExtents++
	}
}
