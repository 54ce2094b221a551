package rebuild

import (
	"math"
	"math/rand/v2"
)

// zipped is what records of ROW_FORMAT=COMPRESSED take on a page (page0zip.h): a deflated stream of them, and apart from it two
// bytes of directory a record, in the leaves of a clustered index thirteen bytes of transaction and roll pointer more.
type zipped struct {
	ratio     estimate // bytes of the stream for a byte of what is deflated, and how that varies from page to page
	length    float64  // bytes of a record before compression, its header included
	clustered bool
	physical  uint32 // bytes of a page in the file
}

// Bytes of a page in front of its stream (PAGE_DATA), and of what ends the log of changes behind it.
const zipHead, zipEnd = 94, 1

// fits says how many records a page can hold whose stream has this ratio.
func (z *zipped) fits(ratio float64) float64 {
	ratio = min(ratio, 1)     // what does not get smaller is stored
	apart, header := 2.0, 5.0 // REC_N_NEW_EXTRA_BYTES are not deflated
	if z.clustered {
		apart, header = 15, 18
	}
	return (float64(z.physical) - zipHead - zipEnd) / (ratio*max(z.length-header, 1) + apart)
}

// Of dict0dict.cc: every so many compressions, if more than five in a hundred failed, a page gets so many bytes of padding more,
// up to half of it; after five rounds without it gets as many less (innodb_compression_failure_threshold_pct,
// innodb_compression_pad_pct_max, as they are unless they were changed).
const (
	zipRound    = 128
	zipPad      = 128
	zipFailed   = 5
	zipRounds   = 5
	zipPages    = 20000 // that are simulated; what remains goes on like the last half of them
	zipMaxSplit = 8
)

// pages is the number of pages that a sorted load makes of so many records. It fills a page as if it were not compressed, less
// the padding; a page that does not compress into its size is split in the middle.
func (z *zipped) pages(records float64, r room, pageSize uint32) float64 {
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable on purpose
	pad, rounds, failed, tried := 0.0, 0, 0, 0
	perRecord := z.length + 0.5
	left, made, halfMade, halfLeft := records, 0.0, 0.0, 0.0
	// compress counts the pages that records become: one, or those of both halves.
	var compress func(n float64, depth int) float64
	compress = func(n float64, depth int) float64 {
		tried++
		if n <= max(z.fits(z.ratio.value+z.ratio.err*chance.NormFloat64()), 1) || depth == zipMaxSplit {
			return 1
		}
		failed++
		return compress(n/2, depth+1) + compress(n/2, depth+1)
	}
	for left > 0.5 && made < zipPages {
		n := min(max(math.Floor((float64(r.free)-pad)/perRecord), 2), left)
		left -= n
		made += compress(n, 0)
		if made < zipPages/2 {
			halfMade, halfLeft = made, left
		}
		if tried < zipRound {
			continue
		}
		if failed*100 > zipFailed*tried {
			pad, rounds = min(pad+zipPad, float64(pageSize)/2), 0
		} else if rounds++; rounds >= zipRounds && pad > 0 {
			pad, rounds = pad-zipPad, 0
		}
		failed, tried = 0, 0
	}
	if left > 0.5 && halfLeft > left {
		made += left * (made - halfMade) / (halfLeft - left)
	}
	return made
}

// compressed estimates the leaves of an index of a ROW_FORMAT=COMPRESSED table.
func (g *grown) compressed(r room, f *File) {
	z := zipped{clustered: g.index.Clustered, physical: f.PhysicalSize}
	var ratios []float64
	bytes, records := 0.0, 0.0
	for i := range g.index.Pages {
		p := &g.index.Pages[i]
		for _, length := range p.Lengths {
			bytes += float64(length)
		}
		records += float64(len(p.Lengths))
		if p.Inflated > 0 && p.Stream > 0 {
			ratios = append(ratios, float64(p.Stream)/float64(p.Inflated))
		}
	}
	if records == 0 || len(ratios) == 0 {
		return
	}
	z.length = bytes / records
	z.ratio.value, z.ratio.err = moments(ratios)
	at := func(more, ratio float64) float64 {
		y := z
		y.ratio.value += ratio * z.ratio.err / math.Sqrt(float64(len(ratios)))
		return y.pages(g.records.value+more*g.records.err, r, f.PageSize)
	}
	v := at(0, 0)
	g.leaves.value = v
	g.leaves.err = math.Hypot(math.Hypot(at(1, 0)-v, at(0, 1)-v), zipError*v)
	g.root, g.whole = v <= 1, false
}

// zipError is what the model of compression misses, as a share of the pages: the ratio of pages that are fuller than those
// which were read, and failures that come in other places.
const zipError = 0.02
