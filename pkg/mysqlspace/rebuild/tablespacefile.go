package rebuild

import (
	"math"

	"github.com/opsctl/opsctl/pkg/innodb"
)

// FromTablespace turns what was read of a file into the part of an [Input] that comes from files. samples are of its
// indexes, in the same order; an index with nil, or behind their end, is taken as it is. The caller adds what the file does not say.
func FromTablespace(st *innodb.Structure, samples []*innodb.Sample) (File, []Index, Table) {
	f := File{
		PageSize: clamp(st.Flags.PageSize), PhysicalSize: clamp(st.Flags.PhysicalSize), Compressed: st.Flags.Compressed, FreePages: st.FreePages,
		Bytes:  int64(st.FilePages) * int64(st.Flags.PhysicalSize),
		Shared: st.Flags.Shared, PageCompressed: st.Flags.PageCompressed,
	}
	var table Table
	var indexes []Index
	clustered := false
	for i := range st.Indexes {
		x := &st.Indexes[i]
		index := Index{
			SDI: x.Type == innodb.TypeSDI, Spatial: x.Type == innodb.TypeRtree, Level: x.Level, RootRecords: clamp(x.Records),
			LeafUsed: x.Leaf.Used, InternalUsed: x.Internal.Used,
		}
		index.Clustered = !index.SDI && !clustered
		clustered = clustered || index.Clustered
		if index.Clustered {
			table.Redundant = !x.Compact
			table.Instant = x.Type == innodb.TypeInstant
		}
		if i < len(samples) && samples[i] != nil {
			index.add(samples[i])
		}
		indexes = append(indexes, index)
	}
	return f, indexes, table
}

// add takes over what was sampled.
func (x *Index) add(s *innodb.Sample) {
	x.LOB, x.Other = clamp(s.LOBPages), clamp(s.OtherPages+s.BadPages)
	x.LOBFirst, x.LOBLast = clamp(s.LOBFirst), clamp(s.LOBLast)
	for _, p := range s.Repacked {
		x.Repacked = append(x.Repacked, Repacked(p))
	}
	for _, i := range inKeyOrder(s.Pages) {
		p := &s.Pages[i]
		if p.Damaged {
			x.Other++
			continue
		}
		page := Page{
			Lengths: p.Lengths, Deleted: p.Deleted, Stream: p.StreamBytes, Inflated: p.InflatedBytes,
			Data: p.DataBytes, Garbage: p.Garbage, Packed: p.PackedBytes,
		}
		if page.Lengths == nil && p.Records > 0 {
			page.Lengths = even(p.DataBytes-p.DeletedBytes, p.Records)
		}
		x.Pages = append(x.Pages, page)
	}
}

// inKeyOrder are the places of the pages, each behind the one that it follows by its keys where that was read.
func inKeyOrder(pages []innodb.PageFacts) []int {
	place := make(map[uint32]int, len(pages))
	for i := range pages {
		place[pages[i].Number] = i
	}
	follows := make([]bool, len(pages))
	for i := range pages {
		if next, read := place[pages[i].Next]; read {
			follows[next] = true
		}
	}
	out, taken := make([]int, 0, len(pages)), make([]bool, len(pages))
	take := func(i int) {
		for read := true; read && !taken[i]; i, read = place[pages[i].Next] {
			taken[i] = true
			out = append(out, i)
		}
	}
	for i := range pages {
		if !follows[i] {
			take(i)
		}
	}
	for i := range pages { // a damaged file may have a circle
		take(i)
	}
	return out
}

// even is n records that share so many bytes.
func even(bytes, n int) []uint16 {
	out := make([]uint16, n)
	for i := range out {
		out[i] = uint16(min(max(bytes*(i+1)/n-bytes*i/n, 0), math.MaxUint16))
	}
	return out
}

func clamp(n int) uint32 { return uint32(min(max(n, 0), math.MaxInt32)) }
