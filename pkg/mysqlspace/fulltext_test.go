package mysqlspace_test

import (
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

const auxiliary = "FTS_0000000000000013_000000000000001f_INDEX_1"

// fulltext is a table with an auxiliary table of its full-text index, and one that is nobody's. said: the server has counted it.
func fulltext(said bool) *space.Report {
	line := func(table, index string, bytes, free, reclaimable int64) space.Item {
		return space.Item{
			Schema: "shop", Table: table, Index: index, Engine: "InnoDB", IndexBytes: &bytes, FreeBytes: &free, TotalBytes: new(bytes + free),
			FileBytes: new(bytes + free), ReclaimableBytes: &reclaimable, ReclaimableLowBytes: new(reclaimable - 1),
			ReclaimableHighBytes: new(reclaimable + 1), Method: "in-place", Source: space.FromFile, AsOf: now,
			Figures: map[string]space.Provenance{"reclaimableBytes": {Source: space.FromSample, AsOf: now}},
		}
	}
	words := line("words", "", 10, 3, 2)
	words.Comment, words.File = "of texts", "shop/words.ibd"
	if said {
		words.IndexBytes, words.TotalBytes = new(int64(110)), new(int64(113))
		words.Figures["indexBytes"] = space.Provenance{Source: space.FromStatistics, AsOf: now}
	}
	// FTS_ comes before the table's own line, as it does where only the server knew whose it is.
	return &space.Report{Items: []space.Item{line("words", auxiliary, 100, 20, 15), line("words", "FTS_0000000000000013_CONFIG", 0, 0, -5), words, line(auxiliary, "", 7, 0, 4)}}
}

func TestAuxiliaryTablesOfFulltextIndexesAreNotRebuiltByThemselves(t *testing.T) {
	for by, want := range map[string][]string{
		"table":     {"shop.words", "shop." + auxiliary},
		"partition": {"shop.words", "shop." + auxiliary},
		"index":     {"shop.words." + auxiliary, "shop.words", "shop." + auxiliary, "shop.words.FTS_0000000000000013_CONFIG"},
		"schema":    {"shop"},
	} {
		for _, said := range []bool{false, true} {
			s := mysqlspace.Selection{By: by}
			r := fulltext(said)
			s.Apply(r)
			if by == "index" && said { // which has no such lines
				continue
			}
			if got := names(r); !slices.Equal(got, want) {
				t.Errorf("by %s: %q", by, got)
			}
			if total := &r.Total; *total.IndexBytes != 117 || *total.TotalBytes != 140 || *total.FileBytes != 140 || *total.ReclaimableBytes != 2 || *total.ReclaimableHighBytes != 19 {
				t.Errorf("by %s: %d of indexes, %d in all, %d in files, %d to %d reclaimable", by,
					*total.IndexBytes, *total.TotalBytes, *total.FileBytes, *total.ReclaimableBytes, *total.ReclaimableHighBytes)
			}
			for i := range r.Items {
				checkPrediction(t, by, &r.Items[i])
			}
		}
	}
}

// checkPrediction wants one of the table and of sums alone, with what the auxiliary tables could free in the upper bound.
func checkPrediction(t *testing.T, by string, i *space.Item) {
	t.Helper()
	switch i.Name() {
	case "shop", "shop.words":
		if *i.ReclaimableBytes != 2 || *i.ReclaimableLowBytes != 1 || *i.ReclaimableHighBytes != 19 {
			t.Errorf("by %s: %s: %d (%d to %d)", by, i.Name(), *i.ReclaimableBytes, *i.ReclaimableLowBytes, *i.ReclaimableHighBytes)
		}
		if i.Table != "" && (i.Comment != "of texts" || i.File != "shop/words.ibd" || i.Method != "in-place" || by != "index" && len(i.Notes) != 1) {
			t.Errorf("by %s: %+v", by, i)
		}
	default:
		if _, known := i.Figures["reclaimableBytes"]; i.ReclaimableBytes != nil || i.ReclaimableHighBytes != nil || i.Method != "" || known {
			t.Errorf("by %s: %s is predicted", by, i.Name())
		}
	}
}
