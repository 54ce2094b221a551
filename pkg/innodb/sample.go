package innodb

import (
	"context"
	"math/rand/v2"
	"slices"
)

// SampleOptions bound a sample.
type SampleOptions struct {
	// Pages are read at most; all of a smaller segment. 0 for 64.
	Pages int
	// Seed chooses them: the same seed reads the same pages of the same file.
	Seed uint64
	// Layout, where it is known, makes lengths exact.
	Layout Layout
}

// Sample is what was seen of the pages of a leaf segment, chosen at random among those that the descriptors say are in use.
type Sample struct {
	// InUse are the pages of the segment, Read those that were looked at.
	InUse uint32
	Read  int
	// Whole says that all leaves were read.
	Whole bool
	// Pages are the leaf pages among them.
	Pages []PageFacts
	// LOBPages hold large values, OtherPages are of another index or kind, BadPages could not be read.
	LOBPages, OtherPages, BadPages int
	// LOBLast are pages that end a large value, LOBFirst those that begin one in MySQL 8; LOBBytes what they hold.
	LOBLast, LOBFirst int
	LOBBytes          int64
	// Repacked are pages of a tablespace with page compression as a rebuild would fill them.
	Repacked []Repacked
	repacker *repacker
}

// Sample reads pages of an index. It fails only when ctx ends.
func (s *Space) Sample(ctx context.Context, index *Index, o SampleOptions) (*Sample, error) {
	if o.Pages == 0 {
		o.Pages = 64
	}
	out := &Sample{InUse: index.Leaf.Used}
	if s.Header.Flags.PageCompressed {
		out.repacker = newRepacker(s.Header.Flags.PageSize)
	}
	numbers := s.choose(ctx, index.Leaf, o)
	if index.Level == 0 { // the root is the one leaf, and of the other segment
		out.InUse++
		numbers = append(numbers, index.Root)
	}
	for _, number := range numbers {
		if ctx.Err() != nil {
			break
		}
		out.Read++
		s.look(out, index, number, o.Layout)
	}
	out.Whole = len(out.Pages) > 0 && out.Read == int(out.InUse)
	s.follow(ctx, out, index, o)
	if out.repacker != nil {
		out.Repacked, out.repacker = out.repacker.result(), nil
	}
	return out, ctx.Err()
}

// choose draws pages of a segment without putting back, in the order in which they lie in the file.
func (s *Space) choose(ctx context.Context, g *Segment, o SampleOptions) []uint32 {
	wanted := drawn(g.Used, o)
	numbers := make([]uint32, 0, len(wanted))
	at := uint32(0) // the rank of the next page of the segment
	take := func(page uint32) {
		if len(wanted) > 0 && wanted[0] == at {
			numbers = append(numbers, page)
			wanted = wanted[1:]
		}
		at++
	}
	for _, page := range g.Fragments {
		take(page)
	}
	if len(wanted) == 0 || g.FullExtents+g.PartExtents == 0 {
		return numbers
	}
	for x := range s.extents(ctx, func(error) {}) {
		if x.state != extentSegment && x.state != extentSegFrag || x.segment != g.ID {
			continue
		}
		if len(wanted) == 0 {
			break
		}
		if wanted[0] >= at+x.usedBySegment() {
			at += x.usedBySegment()
			continue
		}
		for i := range x.pages {
			if x.of(g.ID, i) {
				take(x.first + i)
			}
		}
	}
	return numbers
}

// drawn are distinct numbers below n, in order.
func drawn(n uint32, o SampleOptions) []uint32 {
	all := make([]uint32, 0, min(int(n), o.Pages))
	if int(n) <= o.Pages {
		for i := range n {
			all = append(all, i)
		}
		return all
	}
	random := rand.New(rand.NewPCG(o.Seed, 0)) //nolint:gosec // a sample, no secret: it must be the same each time
	seen := make(map[uint32]bool, o.Pages)
	for len(all) < o.Pages {
		if i := random.Uint32N(n); !seen[i] {
			seen[i] = true
			all = append(all, i)
		}
	}
	slices.Sort(all)
	return all
}

// look adds a page to the sample.
func (s *Space) look(out *Sample, index *Index, number uint32, layout Layout) {
	raw, err := s.Page(number)
	if err != nil {
		out.BadPages++
		return
	}
	page, err := s.unpack(raw, number)
	if err != nil {
		out.BadPages++
		return
	}
	t := typeOf(page)
	switch {
	case t.IsLOB():
		out.lob(page, t)
	case !t.IsIndex() || u64(page, pageIndex) != index.ID || u16(page, pageLevel) != 0:
		out.OtherPages++
	case s.Header.Flags.Compressed:
		out.Pages = append(out.Pages, s.zipFacts(page, number))
	default:
		f := s.heap.facts(page, number, layout)
		if len(raw) > 0 && &raw[0] != &page[0] {
			f.PackedBytes = packedLength(s.Header.Flags, raw)
		}
		out.Pages = append(out.Pages, f)
		if out.repacker != nil && !f.Damaged {
			out.repacker.add(&s.heap, page, f.PackedBytes)
		}
	}
}

// lob counts a page of a large value: MariaDB's have a length and the next page behind the header (btr0cur.h), MySQL 8's a
// length at a place of their own (lob0first.h, lob0pages.h).
func (out *Sample) lob(page []byte, t PageType) {
	out.LOBPages++
	switch t {
	case TypeBlob:
		out.LOBBytes += int64(u32(page, filData))
		if u32(page, filData+4) == None {
			out.LOBLast++
		}
	case TypeLobFirst, TypeZlobFirst:
		out.LOBFirst++
	}
}
