package rebuild

import "math"

// estimate is a number of pages with its standard error.
type estimate struct{ value, err float64 }

// bounds are value and 2.5 standard errors to either side, and share of it in addition: what is not known to chance.
func (e estimate) at(sigmas, share float64) float64 {
	v := e.value + sigmas*e.err
	if sigmas > 0 {
		return v * (1 + share)
	}
	return max(v*(1-share), 0)
}

// grown is what an index will be.
type grown struct {
	index *Index
	// records are those that are live; perRecord is the share of a page that one takes once they are packed.
	records, perRecord estimate
	empty, root        bool // no record; all records fit on the root
	leaves             estimate
	lob                estimate
	values             float64 // that are stored apart
	perLeaf            float64 // entries that a page above the leaves holds; 0: unknown
	whole              bool    // all leaves were read
	packed             uint32  // leaves that the records which were read fill
}

// leavesOf is the number of leaves that an index has, and of its LOB pages: exact where the root points at all leaves or no
// LOB can be, else by their shares in the sample.
func leavesOf(x *Index) (leaves, lob estimate) {
	used := float64(x.LeafUsed)
	read := float64(len(x.Pages)) + float64(x.LOB) + float64(x.Other)
	switch {
	case x.Level == 0:
		return estimate{value: 1}, estimate{value: used}
	case x.Level == 1 && x.RootRecords > 0 && x.RootRecords <= x.LeafUsed:
		return estimate{value: float64(x.RootRecords)}, estimate{value: used - float64(x.RootRecords)}
	case !x.Clustered || x.LOB+x.Other == 0 || read == 0:
		return estimate{value: used}, estimate{}
	}
	share := func(n float64) estimate {
		p := n / read
		return estimate{used * p, used * math.Sqrt(p*(1-p)/read*max(0, 1-read/used))}
	}
	return share(float64(len(x.Pages))), share(float64(x.LOB))
}

// grow estimates an index after a sorted load from the leaves that were read: how many live records there are, and what share
// of a page each takes when they are packed anew.
func grow(x *Index, r room, inserts bool) grown {
	leaves, lob := leavesOf(x)
	g := grown{index: x, lob: lob}
	n := float64(len(x.Pages))
	g.whole = n >= leaves.value
	p := packer{room: r, inserts: inserts && g.whole}
	counts, shares := make([]float64, len(x.Pages)), make([]float64, len(x.Pages))
	records, deleted := 0, 0
	for i := range x.Pages {
		page := &x.Pages[i]
		before := p.count()
		for _, length := range page.Lengths {
			p.add(int(length))
		}
		counts[i], shares[i] = float64(len(page.Lengths)), p.count()-before
		records += len(page.Lengths)
		deleted += page.Deleted
	}
	if n == 0 {
		// Nothing says how full they are: as they are, or half of that.
		g.leaves = estimate{leaves.value * 0.75, leaves.value * 0.15}
		return g
	}
	if g.whole {
		leaves = estimate{value: n}
	}
	g.records, g.perRecord = ratio(counts, shares, leaves)
	g.leaves, g.packed = estimate{value: p.count()}, uint32(p.whole())
	if ends := x.LOBFirst + x.LOBLast; ends > 0 {
		g.values = lob.value * float64(ends) / float64(x.LOB)
	}
	// Their places depend on which records are on a page with them.
	g.lob.err = math.Hypot(g.lob.err, 0.01*g.lob.value)
	if deleted > 0 {
		g.lob.value *= float64(records) / float64(records+deleted)
	}
	g.empty = records == 0 && g.whole
	g.root = p.whole() <= 1 && g.whole
	if x.Level > 1 && x.InternalUsed > 1 {
		g.perLeaf = leaves.value / float64(x.InternalUsed-1)
	}
	return g
}

// ratio estimates the records of so many leaves, and the share of a page that each will take: a ratio, whose error is that of
// the shares which it does not explain.
func ratio(counts, shares []float64, leaves estimate) (records, perRecord estimate) {
	n := float64(len(counts))
	unseen := math.Sqrt(max(0, 1-n/leaves.value))
	mean, sd := moments(counts)
	records.value = leaves.value * mean
	records.err = math.Hypot(leaves.value*sd/math.Sqrt(n)*unseen, leaves.err*mean)
	if mean == 0 {
		return records, estimate{}
	}
	share, _ := moments(shares)
	perRecord.value = share / mean
	residuals := make([]float64, len(counts))
	for i := range counts {
		residuals[i] = shares[i] - perRecord.value*counts[i]
	}
	_, sd = moments(residuals)
	perRecord.err = sd / mean / math.Sqrt(n) * unseen
	return records, perRecord
}

// pool makes one number of records of what the indexes say, as each row is in all of them once, weighted by how sure each is.
// One that was read whole says it exactly. An index that differs by more than chance explains is left alone: one that has an
// entry for each element of an array, or that was read while it changed.
func pool(all []grown) {
	best := -1
	for i := range all {
		if len(all[i].index.Pages) > 0 && (best < 0 || all[i].records.err < all[best].records.err) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	pooled := all[best].records
	var agree []int
	weights, sum := 0.0, 0.0
	for i := range all {
		r := all[i].records
		apart := math.Hypot(r.err, pooled.err)
		if len(all[i].index.Pages) == 0 || math.Abs(r.value-all[best].records.value) > 4*apart+1 {
			continue
		}
		agree = append(agree, i)
		w := 1 / max(r.err*r.err, 1e-9)
		weights += w
		sum += w * r.value
	}
	pooled = estimate{sum / weights, 1 / math.Sqrt(weights)}
	for _, i := range agree {
		all[i].records = pooled
	}
	for i := range all {
		if g := &all[i]; !g.whole && len(g.index.Pages) > 0 {
			g.leaves = g.records.times(g.perRecord)
		}
	}
}

// What rows that come in another order than that of an index make of it: keys at random leave pages ln 2 full, which is 1.44
// pages for one; keys in order leave them full. Which it is the file does not tell, so that it lies in between.
const (
	scattered      = 1.22
	scatteredError = 0.1
)

// scatter lets the secondary indexes grow as inserts do.
func scatter(all []grown) {
	for i := range all {
		g := &all[i]
		switch {
		case g.root:
		case g.index.Clustered:
			if !g.whole {
				g.leaves.value += 0.5 // the first one stays half empty
			}
		default:
			g.leaves.err = math.Hypot(g.leaves.err*scattered, g.leaves.value*scatteredError)
			g.leaves.value *= scattered
			g.whole = false
		}
	}
}

// times is the product of two that do not depend on each other.
func (e estimate) times(o estimate) estimate {
	return estimate{e.value * o.value, math.Hypot(e.err*o.value, e.value*o.err)}
}

func moments(values []float64) (mean, sd float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		sd += (v - mean) * (v - mean)
	}
	if len(values) > 1 {
		sd = math.Sqrt(sd / float64(len(values)-1))
	}
	return mean, sd
}

// tree is the index at so many standard errors from what is likely.
func (g *grown) tree(sigmas, share float64) Tree {
	t := Tree{Empty: g.empty, LOB: whole(g.lob.at(sigmas, 0)), Values: whole(g.values)}
	leaves := g.leafPages(sigmas, share)
	if g.empty || g.root || leaves <= 1 {
		t.Levels = []uint32{1}
		return t
	}
	t.Levels = []uint32{leaves}
	// A tree whose root points at all leaves need not get higher with fewer of them.
	for n := float64(leaves); g.perLeaf > 1 && n > g.perLeaf; {
		n = math.Ceil(n / g.perLeaf)
		if n > 1 {
			t.Levels = append(t.Levels, whole(n))
		}
	}
	t.Levels = append(t.Levels, 1)
	return t
}

// leafPages are those that are not empty, the last of which may have few records.
func (g *grown) leafPages(sigmas, share float64) uint32 {
	switch {
	case !g.whole:
		return whole(g.leaves.at(sigmas, share))
	case sigmas == 0:
		return g.packed
	}
	return whole(math.Ceil(g.leaves.at(sigmas, share)))
}

func whole(v float64) uint32 { return uint32(math.Round(max(v, 0))) }
