package datadir

import (
	"cmp"
	"path"
	"sort"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Accounting sums the data folder by category, the largest first: together what du(1) says of it. What is beyond it is not
// in the sums.
func (t *Tree) Accounting() []space.Sum { return t.sums(false) }

// Beyond sums what tables, links and Options name beyond the data folder.
func (t *Tree) Beyond() []space.Sum { return t.sums(true) }

func (t *Tree) sums(beyond bool) []space.Sum {
	byCategory := make(map[space.Category]*space.Sum)
	for i := range t.Files {
		f := &t.Files[i]
		if f.linked || path.IsAbs(f.Path) != beyond {
			continue
		}
		sum := byCategory[f.Category]
		if sum == nil {
			sum = &space.Sum{Category: f.Category}
			byCategory[f.Category] = sum
		}
		sum.Bytes += f.Bytes
		sum.Apparent += f.Apparent
		sum.Files++
	}
	sums := make([]space.Sum, 0, len(byCategory))
	for _, sum := range byCategory {
		sums = append(sums, *sum)
	}
	sort.SliceStable(sums, func(i, j int) bool {
		a, b := &sums[i], &sums[j]
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Category, b.Category)) < 0
	})
	return sums
}

// Of are the files of a category, the largest first.
func (t *Tree) Of(category space.Category) []space.File {
	files := []space.File{}
	for i := range t.Files {
		if t.Files[i].Category == category {
			files = append(files, t.Files[i].File)
		}
	}
	sort.SliceStable(files, func(i, j int) bool { return files[i].Bytes > files[j].Bytes })
	return files
}
