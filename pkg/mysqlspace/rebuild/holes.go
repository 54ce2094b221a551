package rebuild

import "math"

// block is what a file system allocates at least, and page compression rounds up to: st_blksize on Linux.
const block = 4096

// allocated is what a page-compressed file takes: pages that are in use, each in whole blocks; what no page was written to is a
// hole.
func (in *Input) allocated(all []grown, sigmas float64) int64 {
	sum := 3 * float64(in.File.PageSize) // page 0, bitmap, INODE; written whole or nearly
	for i := range all {
		g := &all[i]
		tree := g.tree(sigmas, 0)
		per, spread := g.packedPage(float64(in.File.PageSize))
		per += sigmas * spread
		full := g.leaves.at(sigmas, 0)
		last := full - math.Floor(full)
		if len(tree.Levels) > 1 {
			sum += math.Floor(full)*per + math.Ceil(last*per/block)*block
		} else {
			sum += max(block, math.Ceil(full*per/block)*block)
		}
		for _, n := range tree.Levels[1:] {
			// Pages above the leaves hold keys in order, and page numbers: half of their size stands for what they pack to.
			sum += float64(n) * max(block, float64(in.File.PageSize)/2)
		}
		sum += float64(tree.LOB) * float64(in.File.PageSize)
	}
	return int64(sum)
}

// packedPage is what a full leaf takes, and its standard error: the bytes that packing left of the pages that were read, for as
// many records as a full one holds.
func (g *grown) packedPage(pageSize float64) (mean, err float64) {
	var sizes []float64
	for i := range g.index.Pages {
		p := &g.index.Pages[i]
		packed := float64(p.Packed)
		if packed == 0 || p.Heap == 0 {
			packed = pageSize
		} else {
			packed *= max(g.data/float64(p.Heap), 1)
		}
		sizes = append(sizes, min(math.Ceil(packed/block)*block, pageSize))
	}
	if len(sizes) == 0 {
		return pageSize, 0
	}
	mean, sd := moments(sizes)
	return mean, sd / math.Sqrt(float64(len(sizes)))
}
