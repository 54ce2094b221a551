package datadir

import (
	"math"

	"github.com/opsctl/opsctl/pkg/innodb"
)

// fillOf is the share of the leaves' room that visible records use, 0 to 1; nil where no leaf was seen.
func fillOf(s *innodb.Sample) *float64 {
	var used, room float64
	for i := range s.Pages {
		p := &s.Pages[i]
		used += float64(p.DataBytes - p.DeletedBytes)
		room += float64(p.DataBytes + p.FreeBytes)
	}
	if room <= 0 {
		return nil
	}
	return new(min(1, max(0, used/room)))
}

// rowsOf estimates the visible records of an index: those of a leaf on average, times the leaves, which are the share of the
// segment's pages that leaves were in the sample.
func rowsOf(s *innodb.Sample) (n int64, known bool) {
	if len(s.Pages) == 0 || s.Read == 0 {
		return 0, false
	}
	var records float64
	for i := range s.Pages {
		records += float64(s.Pages[i].Records)
	}
	if s.Whole {
		return int64(records), true
	}
	return int64(math.Round(records / float64(s.Read) * float64(s.InUse))), true
}
