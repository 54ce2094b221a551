package rebuild

import "math/rand/v2"

// insertAll builds all trees side by side, as rows that are inserted one by one do: each is as far as the others in its share of
// leaves. A tree in the order of the rows grows at its end, another one at pages that chance chooses.
func insertAll(builders []*builder, seed uint64) {
	steps := uint32(0)
	for _, b := range builders {
		b.inserts = true
		b.random = b.tree.Random || seed%2 != 0 && b != builders[0]
		if !b.tree.Empty {
			steps = max(steps, b.tree.Levels[0])
		}
	}
	chance := rand.New(rand.NewPCG(1, seed)) //nolint:gosec // repeatable on purpose
	// A leaf more is made when the others have no room; by chance it comes with the next ones.
	late := uint64(max(steps, 1) - 1)
	if seed%4 > 1 {
		late = 0
	}
	for i := uint32(1); i <= steps; i++ {
		for _, b := range builders {
			if len(b.tree.Levels) > 1 {
				b.growTo(uint32((uint64(b.tree.Levels[0])*uint64(i)+late)/uint64(steps)), chance)
			}
			b.lobsUpTo(i, steps, b.last)
		}
	}
}

// growTo splits leaves until there are so many, and what is above them (btr_page_split_and_insert). The root moves down with
// the first split, to a page that is taken without direction (btr_root_raise_and_insert).
func (b *builder) growTo(leaves uint32, chance *rand.Rand) {
	for b.made[0] < leaves {
		hint := uint32(0)
		if n := len(b.leaves); n > 0 {
			near := b.last
			if b.random {
				near = b.leaves[chance.IntN(n)]
			}
			hint = near + 1
		}
		b.space.ensure(splitExtents, 2, false)
		b.last = b.leaf.take(hint, b.made[0] > 0)
		b.leaves = append(b.leaves, b.last)
		b.made[0]++
		for level := 1; level < len(b.made)-1; level++ {
			if uint64(b.made[level])*uint64(b.tree.Levels[0]) < uint64(b.tree.Levels[level])*uint64(b.made[0]) {
				b.space.ensure(splitExtents, 2, false)
				b.top.take(0, true)
				b.made[level]++
			}
		}
	}
}

// splitExtents are what a split lets a file have free, beside what is kept: two in files that MySQL 9.7 left.
const splitExtents = 2
