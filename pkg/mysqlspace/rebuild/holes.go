package rebuild

import "math"

// block is what a file system allocates at least, and page compression rounds up to: st_blksize on Linux.
const block = 4096

func blocks(bytes float64) float64 { return math.Ceil(bytes/block) * block }

// allocated is what a page-compressed file takes: pages that are in use, each in whole blocks; what no page was written to is a
// hole. Page 0 is never packed, the bitmap, INODE and root pages nearly hold nothing.
func (in *Input) allocated(all []grown, sigmas float64) int64 {
	size := float64(in.File.PageSize)
	sum := size + 2*block
	if size > block {
		sum += block // one of them needs a second block
	}
	for i := range all {
		g := &all[i]
		p := g.packing(size)
		bytes := p.bytes * (1 + sigmas*p.err)
		page := p.blocks(bytes, size)
		full := g.leaves.at(sigmas, 0)
		sum += math.Floor(full) * page
		if rest := full - math.Floor(full); rest > 0 {
			sum += min(blocks(max(rest*bytes, 1)), size)
		}
		levels := g.tree(sigmas, 0).Levels
		if len(levels) > 1 {
			sum += block
		}
		for _, n := range levels[1:max(len(levels)-1, 1)] {
			sum += float64(n) * blocks(size/2) // keys in order and page numbers pack well
		}
		sum += math.Round(g.lob.at(sigmas, 0)) * page
	}
	return max(int64(sum+math.Copysign(min(math.Abs(sigmas), 1), sigmas)*2*block), 0)
}

// What the model misses, as a share of the packed bytes: with enough pages to tell records from what was removed, and without.
const (
	packError    = 0.015
	packErrorFew = 0.08
	// What removed records count for where there are too few pages to tell: those of a clustered index in part are copies of
	// records that moved, and pack well.
	garbageClustered = 0.5
	garbageSecondary = 1.0
	fewPages         = 8
)

// packing is what page compression makes of a full leaf: its bytes, how they scatter from page to page, and their standard error,
// both as shares.
type packing struct{ bytes, spread, err float64 }

// blocks is the mean of what such pages take: near the edge of a block some take one more.
func (p packing) blocks(bytes, size float64) float64 {
	sum := 0.0
	for _, z := range []float64{-1.15, -0.32, 0.32, 1.15} { // quartiles' means of a normal distribution
		sum += min(blocks(bytes*(1+z*p.spread)), size) / 4
	}
	return sum
}

// packing fits the packed bytes of the pages that were read to the bytes of their records and to those of records that were
// removed, which stay on a page until it is reorganized but pack better. A rebuilt page has the former alone.
func (g *grown) packing(size float64) packing {
	var dd, dg, gg, pd, pg float64
	var ratios []float64
	weight := garbageSecondary
	if g.index.Clustered {
		weight = garbageClustered
	}
	length, records := 0.0, 0.0
	for i := range g.index.Pages {
		p := &g.index.Pages[i]
		for _, n := range p.Lengths {
			length += float64(n)
		}
		records += float64(len(p.Lengths))
		packed, d, garbage := float64(p.Packed), float64(p.Data), float64(p.Garbage)
		if packed == 0 {
			packed = size
		}
		dd, dg, gg = dd+d*d, dg+d*garbage, gg+garbage*garbage
		pd, pg = pd+packed*d, pg+packed*garbage
		if d > 0 {
			ratios = append(ratios, packed/(d+weight*garbage))
		}
	}
	if records == 0 || g.perRecord.value == 0 || len(ratios) == 0 {
		return packing{bytes: size}
	}
	if len(g.index.Repacked) > 0 {
		p := repacked(g.index.Repacked, length/records/g.perRecord.value)
		if g.index.Clustered {
			alike := systemBytes / g.perRecord.value / p.bytes
			p.bytes *= 1 - alike
			p.err = math.Hypot(p.err, alike/2)
		}
		return p
	}
	slope, sd := moments(ratios)
	miss := packErrorFew
	if det := dd*gg - dg*dg; len(ratios) > fewPages && det > 1e-3*dd*gg {
		slope, miss = min(max((pd*gg-pg*dg)/det, slope*0.85), slope*1.2), packError
	}
	relative := sd / slope
	return packing{
		bytes: slope * length / records / g.perRecord.value, spread: min(relative, 0.02),
		err: math.Hypot(relative/math.Sqrt(float64(len(ratios))), miss),
	}
}

// repacked is the packing of pages with so many bytes of records, from pages that were filled with records and packed.
func repacked(pages []Repacked, content float64) packing {
	var ratios []float64
	for _, p := range pages {
		ratios = append(ratios, float64(p.Packed)/float64(max(p.Content, 1)))
	}
	ratio, sd := moments(ratios)
	relative := sd / ratio
	return packing{bytes: ratio * content, spread: min(relative, 0.02), err: math.Hypot(relative/math.Sqrt(float64(len(ratios))), repackError)}
}

// systemBytes are what the transaction and the roll pointer of a record take once they are packed, if a rebuild makes them alike
// (row_merge_buf_add, trx id reset) and they were not before.
const systemBytes = 1.5

// repackError is what the model of page compression misses, as a share of the packed bytes: another algorithm gains as much on a
// page that is full as on one that is not.
const repackError = 0.01
