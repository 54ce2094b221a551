package rebuild_test

import (
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

func TestPagesAreTakenInTheOrderOfTheirKeys(t *testing.T) {
	t.Parallel()
	page := func(number, next uint32) innodb.PageFacts {
		return innodb.PageFacts{Number: number, Next: next, Lengths: []uint16{uint16(number)}}
	}
	for name, c := range map[string]struct {
		pages []innodb.PageFacts
		want  []uint16
	}{
		"a chain":    {[]innodb.PageFacts{page(4, 9), page(5, innodb.None), page(9, 5)}, []uint16{4, 9, 5}},
		"two chains": {[]innodb.PageFacts{page(4, 20), page(5, 8), page(8, innodb.None)}, []uint16{4, 5, 8}},
		"a circle":   {[]innodb.PageFacts{page(4, 5), page(5, 4), page(6, 4)}, []uint16{6, 4, 5}},
	} {
		st := &innodb.Structure{Indexes: make([]innodb.Index, 1)}
		st.Indexes[0].Leaf, st.Indexes[0].Internal = &innodb.Segment{}, &innodb.Segment{}
		_, indexes, _ := rebuild.FromTablespace(st, []*innodb.Sample{{Pages: c.pages}})
		var got []uint16
		for _, p := range indexes[0].Pages {
			got = append(got, p.Lengths...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestIndexesThatAreBuiltSideBySideTakeAPageMoreEach(t *testing.T) {
	t.Parallel()
	a := rebuild.Alloc{PageSize: 16384, PhysicalSize: 16384, Trees: []rebuild.Tree{leaves(5), onlyRoot(), onlyRoot(), onlyRoot()}}
	alone := rebuild.Simulate(a)
	for parallel, more := range map[int]int64{1: 0, 2: 1, 3: 2, 4: 2, 9: 2} {
		a.Parallel = parallel
		if got := rebuild.Simulate(a); got != alone+more*16384 {
			t.Errorf("%d at a time: %d pages more, want %d", parallel, (got-alone)/16384, more)
		}
	}
}

func TestTheFirstPageOfACopyIsSplitInTheMiddle(t *testing.T) {
	t.Parallel()
	// 152 records of 100 bytes fill a page: three pages' worth, of which the first is left half empty, become four.
	in := rebuild.Input{
		File:    rebuild.File{PageSize: 16384, PhysicalSize: 16384},
		Indexes: []rebuild.Index{{Clustered: true, Level: 1, RootRecords: 3, LeafUsed: 3, InternalUsed: 1, Pages: pages(3, 150, 100)}},
	}
	for method, n := range map[rebuild.Method]uint32{rebuild.InPlace: 3, rebuild.Copy: 4} {
		in.Method = method
		p, err := rebuild.Predict(in)
		want := rebuild.Simulate(rebuild.Alloc{
			PageSize: 16384, PhysicalSize: 16384, Trees: []rebuild.Tree{leaves(n)}, Inserts: method == rebuild.Copy,
		})
		if err != nil || p.Bytes != want {
			t.Errorf("%s: %+v, want %d bytes, %v", method, p, want, err)
		}
	}
}

func TestValuesThatAreReadWholeHaveNarrowBounds(t *testing.T) {
	t.Parallel()
	p := predict(t, rebuild.Index{
		Clustered: true, Level: 1, RootRecords: 7, LeafUsed: 8007, InternalUsed: 1, Pages: pages(7, 150, 100), LOB: 57, LOBLast: 14,
	})
	if p.High-p.Low > p.Bytes/10 || len(p.Why) == 0 {
		t.Errorf("%+v", p)
	}
}
