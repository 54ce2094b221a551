package innodb

import "context"

// Tally is what an exact scan counted.
type Tally struct {
	// Types are pages in use by type.
	Types map[PageType]uint32
	// Indexes are pages and records by index id.
	Indexes map[uint64]*IndexTally
	Bad     []error // pages that could not be read
}

// IndexTally is what an index has.
type IndexTally struct {
	Pages, Leaves uint32
	// Records of leaf pages that queries see, and those that are marked as deleted.
	Records, Deleted int64
}

// Scan reads every page that the descriptors say is in use. Its memory does not grow with the file.
func (s *Space) Scan(ctx context.Context) (*Tally, error) {
	out := &Tally{Types: map[PageType]uint32{}, Indexes: map[uint64]*IndexTally{}}
	bad := func(err error) {
		if len(out.Bad) < maxDamage {
			out.Bad = append(out.Bad, err)
		}
	}
	copies := s.doublewrite()
	for x := range s.extents(ctx, bad) {
		if x.state == extentFree || x.state == 0 {
			continue
		}
		for i := range x.pages {
			number := x.first + i
			switch {
			case !x.inUse(i) || number >= s.Header.FilePages || ctx.Err() != nil:
			case copies.hold(x.first):
				out.Types[TypeDoublewrite]++
			default:
				s.tally(out, number, bad)
			}
		}
	}
	return out, ctx.Err()
}

func (s *Space) tally(out *Tally, number uint32, bad func(error)) {
	page, err := s.content(number)
	if err != nil {
		bad(err)
		return
	}
	t := typeOf(page)
	out.Types[t]++
	if !t.IsIndex() {
		return
	}
	id := u64(page, pageIndex)
	index := out.Indexes[id]
	if index == nil {
		index = &IndexTally{}
		out.Indexes[id] = index
	}
	index.Pages++
	if u16(page, pageLevel) != 0 {
		return
	}
	index.Leaves++
	if s.Header.Flags.Compressed {
		f := s.zipFacts(page, number)
		index.Records += int64(f.Records)
		index.Deleted += int64(f.Deleted)
		return
	}
	whole := walk(page, func(_ int, info byte) {
		switch {
		case info&minRecFlag != 0: // describes INSTANT columns; it is delete-marked too when some were dropped
		case info&deletedFlag != 0:
			index.Deleted++
		default:
			index.Records++
		}
	})
	if !whole {
		bad(pageErrorf(number, "its list of records contradicts itself"))
	}
}
