package rebuild_test

import (
	"errors"
	"testing"

	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

// pages are leaves that were read, each with so many records of one length.
func pages(n, records int, length uint16) []rebuild.Page {
	out := make([]rebuild.Page, n)
	for i := range out {
		for range records {
			out[i].Lengths = append(out[i].Lengths, length)
		}
	}
	return out
}

func predict(t *testing.T, indexes ...rebuild.Index) *rebuild.Prediction {
	t.Helper()
	p, err := rebuild.Predict(rebuild.Input{
		Server: rebuild.Server{MariaDB: true}, File: rebuild.File{PageSize: 16384, PhysicalSize: 16384}, Indexes: indexes,
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.Low > p.Bytes || p.High < p.Bytes {
		t.Fatalf("%d is not between %d and %d", p.Bytes, p.Low, p.High)
	}
	return p
}

func TestNothingIsPredictedFromNothing(t *testing.T) {
	t.Parallel()
	if _, err := rebuild.Predict(rebuild.Input{}); !errors.Is(err, rebuild.ErrNoIndex) {
		t.Errorf("%v", err)
	}
}

func TestHalfEmptyPagesAreFilledToFifteenSixteenths(t *testing.T) {
	t.Parallel()
	// 1000 leaves with 74 records of 100 bytes each: 152 and their slots fit below 16252-1024.
	p := predict(t, rebuild.Index{Clustered: true, Level: 1, RootRecords: 1000, LeafUsed: 1000, InternalUsed: 1, Pages: pages(50, 74, 100)})
	want := rebuild.Simulate(rebuild.Alloc{PageSize: 16384, PhysicalSize: 16384, MariaDB: true, Trees: []rebuild.Tree{{Levels: []uint32{488, 1}}}})
	if p.Bytes != want {
		t.Errorf("%d bytes, want %d", p.Bytes, want)
	}
}

func TestAnIndexThatIsReadWholeTellsTheOthersTheirRecords(t *testing.T) {
	t.Parallel()
	uneven := append(pages(20, 100, 100), pages(20, 40, 100)...)
	alone := predict(t, rebuild.Index{Clustered: true, Level: 1, RootRecords: 1000, LeafUsed: 1000, InternalUsed: 1, Pages: uneven})
	with := predict(
		t, rebuild.Index{Clustered: true, Level: 1, RootRecords: 1000, LeafUsed: 1000, InternalUsed: 1, Pages: uneven},
		rebuild.Index{Level: 1, RootRecords: 100, LeafUsed: 100, InternalUsed: 1, Pages: pages(100, 700, 15)},
	)
	if alone.High-alone.Low <= with.High-with.Low {
		t.Errorf("bounds are %d apart alone, %d with an exact number", alone.High-alone.Low, with.High-with.Low)
	}
}

func TestRecordsThatAreMarkedAsDeletedAreLeftOut(t *testing.T) {
	t.Parallel()
	marked := pages(40, 10, 100)
	for i := range marked {
		marked[i].Deleted = 140
	}
	index := rebuild.Index{Clustered: true, Level: 1, RootRecords: 40, LeafUsed: 40, InternalUsed: 1}
	index.Pages = marked
	few := predict(t, index)
	index.Pages = pages(40, 150, 100)
	if many := predict(t, index); few.High*4 > many.Low {
		t.Errorf("%d bytes of 10 records a page, %d of 150", few.Bytes, many.Bytes)
	}
}

func TestAnEmptyTableKeepsItsRoots(t *testing.T) {
	t.Parallel()
	if p := predict(t, rebuild.Index{Clustered: true, Level: 1, RootRecords: 2, LeafUsed: 2, InternalUsed: 1, Pages: pages(2, 0, 0)}); p.Bytes != 4*16384 {
		t.Errorf("%d bytes", p.Bytes)
	}
}

func TestAFullTextIndexIsCopied(t *testing.T) {
	t.Parallel()
	in := rebuild.Input{
		File:  rebuild.File{PageSize: 16384, PhysicalSize: 16384},
		Table: rebuild.Table{Fulltext: true}, Indexes: []rebuild.Index{{Clustered: true, Pages: pages(1, 1, 30)}},
	}
	if p, err := rebuild.Predict(in); err != nil || p.Method != rebuild.Copy {
		t.Errorf("%+v, %v", p, err)
	}
	in.Method = rebuild.InPlace
	if p, err := rebuild.Predict(in); err != nil || p.Method != rebuild.InPlace {
		t.Errorf("forced: %+v, %v", p, err)
	}
}

func TestASharedTablespaceNeverGetsSmaller(t *testing.T) {
	t.Parallel()
	in := rebuild.Input{
		File:    rebuild.File{PageSize: 16384, PhysicalSize: 16384, Bytes: 100 << 20, FreePages: 10, Shared: true},
		Indexes: []rebuild.Index{{Clustered: true, Level: 1, RootRecords: 1000, LeafUsed: 1000, InternalUsed: 1, Pages: pages(50, 74, 100)}},
	}
	p, err := rebuild.Predict(in)
	if err != nil || p.Low < 100<<20 || p.Bytes <= 100<<20 {
		t.Errorf("%+v, %v", p, err)
	}
	in.File.FreePages = 1 << 16
	if p, err = rebuild.Predict(in); err != nil || p.Bytes != 100<<20 || p.High > 104<<20 {
		t.Errorf("with room: %+v, %v", p, err)
	}
}

func TestACopyLeavesPagesOfSecondaryIndexesLessFull(t *testing.T) {
	t.Parallel()
	in := rebuild.Input{
		File: rebuild.File{PageSize: 16384, PhysicalSize: 16384},
		Indexes: []rebuild.Index{
			{Clustered: true, Level: 1, RootRecords: 100, LeafUsed: 100, InternalUsed: 1, Pages: pages(100, 150, 100)},
			{Level: 1, RootRecords: 500, LeafUsed: 500, InternalUsed: 1, Pages: pages(64, 30, 500)},
		},
	}
	sorted, err := rebuild.Predict(in)
	in.Method = rebuild.Copy
	inserted, err2 := rebuild.Predict(in)
	if err != nil || err2 != nil || inserted.Bytes <= sorted.Bytes || inserted.Low > sorted.High+1<<20 || len(inserted.Why) == 0 {
		t.Errorf("%+v %+v, %v %v", sorted, inserted, err, err2)
	}
}
