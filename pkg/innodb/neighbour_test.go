package innodb

import (
	"bytes"
	"testing"
)

// TestLeavesAreFoundFromTheRoot reads all leaves of small trees of which none was drawn.
func TestLeavesAreFoundFromTheRoot(t *testing.T) {
	for _, name := range []string{"mariadb-plain", "mariadb-redundant", "mysql-plain", "mariadb-packed"} {
		data, _ := sampleOf(t, name)
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, index := range structureOf(t, data).Indexes {
			if index.Level != 1 {
				continue
			}
			out := &Sample{}
			s.follow(t.Context(), out, &index, SampleOptions{Pages: 64})
			if !out.Whole || len(out.Pages) != index.Records || out.OtherPages+out.BadPages > 0 {
				t.Errorf("%s, index %d: %d of %d leaves, %d other pages", name, index.ID, len(out.Pages), index.Records, out.OtherPages)
			}
			few := &Sample{}
			if s.follow(t.Context(), few, &index, SampleOptions{Pages: index.Records - 1}); len(few.Pages) > 0 {
				t.Errorf("%s, index %d: read %d leaves, more than were asked for", name, index.ID, len(few.Pages))
			}
		}
	}
}

// TestAPageIsPackedAsTheServerDoes holds pages that are filled anew from full ones to those: a full page
// takes less for a byte than one with room, by the headers and what of them the order makes alike.
func TestAPageIsPackedAsTheServerDoes(t *testing.T) {
	for _, name := range []string{"mariadb-packed", "mariadb-lz4"} {
		data, _ := sampleOf(t, name)
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		sample, err := s.Sample(t.Context(), &structureOf(t, data).Indexes[0], SampleOptions{})
		if err != nil || len(sample.Repacked) == 0 {
			t.Fatalf("%s: %v, %d pages", name, err, len(sample.Repacked))
		}
		written, content, packed, filled := 0.0, 0.0, 0.0, 0.0
		for _, p := range sample.Pages {
			written, content = written+float64(p.PackedBytes), content+float64(p.DataBytes)
		}
		for _, p := range sample.Repacked {
			packed, filled = packed+float64(p.Packed), filled+float64(p.Content)
		}
		if have, want := packed/filled, written/content; have < 0.75*want || have > want {
			t.Errorf("%s: a byte of records takes %.3f, in the file %.3f", name, have, want)
		}
	}
}

// TestTheEndOfABlockMayBeMissing has files of 2K pages that lack a page: MariaDB lets them grow by blocks of 4096 bytes.
func TestTheEndOfABlockMayBeMissing(t *testing.T) {
	s := &Space{}
	s.Header.Flags.PhysicalSize, s.Header.Pages = 2048, 69
	for pages, want := range map[uint32]bool{68: true, 67: false} {
		if s.Header.FilePages = pages; s.lastBlock() != want {
			t.Errorf("%d of 69 pages: %v", pages, !want)
		}
	}
	s.Header.Flags.PhysicalSize, s.Header.FilePages = 4096, 68
	if s.lastBlock() {
		t.Error("a page of 4096 bytes may not be missing")
	}
}
