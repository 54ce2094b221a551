package rebuild

import "math/rand/v2"

// lobs is how far the values that are stored apart have come.
type lobs struct {
	made, inValue uint32
	last          uint32
	// values are the pages of each; nil: all are alike.
	values []uint32
	done   int // values
}

// byChance has values of different lengths, which sum to the same: between nearly nothing and twice the mean.
func (l *lobs) byChance(tree *Tree, seed uint64) {
	if tree.LOB == 0 || tree.Values == 0 {
		return
	}
	chance := rand.New(rand.NewPCG(2, seed)) //nolint:gosec // repeatable on purpose
	weights := make([]float64, min(tree.Values, tree.LOB))
	sum := 0.0
	for i := range weights {
		weights[i] = 0.05 + 1.9*chance.Float64()
		sum += weights[i]
	}
	l.values = make([]uint32, len(weights))
	at, before := 0.0, uint32(0)
	for i, w := range weights {
		at += w
		until := uint32(at / sum * float64(tree.LOB))
		if i == len(weights)-1 {
			until = tree.LOB
		}
		l.values[i], before = until-before, until
	}
}

// lobsUpTo takes the pages of values that belong to part of so many leaves, the last of which is leaf.
func (b *builder) lobsUpTo(part, leaves, leaf uint32) {
	// Half a leaf is what the last one has on average.
	share := func(n uint32) uint32 {
		return uint32(min(uint64(n)*2*uint64(part)/(2*uint64(leaves)-1), uint64(n)))
	}
	if b.lob.values == nil {
		for want := share(b.tree.LOB); b.lob.made < want; {
			b.lobPage(leaf)
			if uint64(b.lob.inValue)*uint64(max(b.tree.Values, 1)) >= uint64(b.tree.LOB) {
				b.lob.inValue = 0
			}
		}
		return
	}
	for want := int(share(uint32(len(b.lob.values)))); b.lob.done < want; b.lob.done++ {
		b.lob.inValue = 0
		for range b.lob.values[b.lob.done] {
			b.lobPage(leaf)
		}
	}
}

// lobPage takes a page of a value (btr_store_big_rec_extern_fields of MariaDB, which hints at the page after the record's and
// then at the one after the last; lob::alloc_lob_page of MySQL, which does not).
func (b *builder) lobPage(leaf uint32) {
	if b.space.loadEnsures || b.inserts {
		b.space.ensure(1, 1, true)
	}
	hint := noPage
	if b.space.keepNear {
		hint = leaf + 1
		if b.lob.inValue > 0 {
			hint = b.lob.last + 1
		}
	}
	b.lob.last = b.leaf.take(hint, false)
	b.lob.made++
	b.lob.inValue++
}
