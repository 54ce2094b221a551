package rebuild

// noPage is FIL_NULL, a hint that hints at nothing.
const noPage = ^uint32(0)

// segment is a file segment: half an extent of single pages, then extents (fseg_inode_t).
type segment struct {
	space    *tablespace
	frag     []uint32
	free     []uint32 // FSEG_FREE
	notFull  []uint32 // FSEG_NOT_FULL
	reserved uint32
	used     uint32
}

// newSegment makes a segment and the INODE page that it needs (fseg_create).
func (t *tablespace) newSegment() *segment {
	if t.loadEnsures {
		t.ensure(2, 2, false)
	}
	if t.inodes == 0 {
		t.takePage(0)
		t.inodes = t.inodesPerPage()
	}
	t.inodes--
	return &segment{space: t}
}

// inodesPerPage is FSP_SEG_INODES_PER_PAGE: 50 bytes before them, 10 behind, each 64 bytes and its slots.
func (t *tablespace) inodesPerPage() int { return int((t.physical - 60) / (64 + 4*t.fragLimit)) }

// scarce says that fewer of the segment's pages are free than it keeps.
func (s *segment) scarce() bool {
	t := s.space
	if s.used < t.fragLimit {
		return false
	}
	free := s.reserved - s.used
	if t.keepNear && free >= 4*t.extentPages {
		return false
	}
	return float64(free) < t.keep(s.reserved)
}

// keep is what a segment of so many pages keeps free: an eighth in whole pages, or innodb_segment_reserve_factor.
func (r *rules) keep(reserved uint32) float64 {
	if r.reserve == 0 {
		return float64(reserved / 8)
	}
	return float64(reserved) * (r.reserve / 100)
}

// take takes a page (fseg_alloc_free_page_low). upward says that pages are taken in the order of keys (FSP_UP), else there is
// no direction.
func (s *segment) take(hint uint32, upward bool) uint32 {
	t := s.space
	e := t.descriptor(hint)
	if e == nil {
		hint = 0
		e = t.descriptor(0)
	}
	own := e.state == extentSegment && e.holder == s
	switch {
	case own && !e.isUsed(hint%t.extentPages):
		return s.mark(hint)
	case own && t.keepNear && e.count < t.extentPages:
		return s.markIn(hint/t.extentPages, hint%t.extentPages)
	case e.state == extentFree && s.scarce():
		s.add(t.takeExtent(hint))
		return s.mark(hint)
	case upward && s.scarce():
		return s.markIn(s.takeExtent(), 0)
	case own && e.count < t.extentPages:
		return s.markIn(hint/t.extentPages, hint%t.extentPages)
	case s.reserved > s.used && len(s.notFull) > 0:
		return s.markIn(s.notFull[0], 0)
	case s.reserved > s.used:
		return s.markIn(s.free[0], 0)
	case s.used < t.fragLimit:
		page := t.takePage(hint)
		s.frag = append(s.frag, page)
		s.reserved++
		s.used++
		return page
	default:
		return s.markIn(s.takeExtent(), 0)
	}
}

func (s *segment) add(number uint32) {
	e := &s.space.extents[number]
	e.state, e.holder = extentSegment, s
	s.free = append(s.free, number)
	s.reserved += s.space.extentPages
}

// takeExtent is an extent with free pages, of the segment's own list or the tablespace's (fseg_alloc_free_extent). What the
// servers mean to add to a large segment beyond it (fseg_fill_free_list) never is: the list that must be empty for it just
// got this extent.
func (s *segment) takeExtent() uint32 {
	t := s.space
	if len(s.free) > 0 {
		return s.free[0]
	}
	if number, ok := s.leaseExtent(); ok {
		return number
	}
	number := t.takeExtent(0)
	s.add(number)
	return number
}

// leaseExtent takes the last fragment extent if it holds its descriptor and bitmap pages alone (fsp_alloc_xdes_free_frag). The
// two count as used by the segment.
func (s *segment) leaseExtent() (uint32, bool) {
	t := s.space
	if !t.lease || len(t.freeFrag) == 0 {
		return 0, false
	}
	number := t.freeFrag[len(t.freeFrag)-1]
	e := &t.extents[number]
	if number*t.extentPages%t.physical != 0 || e.count != 2 {
		return 0, false
	}
	t.freeFrag = without(t.freeFrag, number)
	e.state, e.holder = extentSegment, s
	s.notFull = append(s.notFull, number)
	s.reserved += t.extentPages
	s.used += 2
	return number, true
}

// mark takes a page of an extent that the segment has (fseg_mark_page_used).
func (s *segment) mark(page uint32) uint32 {
	t := s.space
	number := page / t.extentPages
	e := &t.extents[number]
	if e.count == 0 {
		s.free = without(s.free, number)
		s.notFull = append(s.notFull, number)
	}
	e.take(page % t.extentPages)
	s.used++
	if e.count == t.extentPages {
		s.notFull = without(s.notFull, number)
	}
	return page
}

func (s *segment) markIn(number, hint uint32) uint32 {
	t := s.space
	return s.mark(number*t.extentPages + t.extents[number].firstFree(hint, t.extentPages))
}

// freePage gives a page back (fseg_free_page_low).
func (s *segment) freePage(page uint32) {
	t := s.space
	number := page / t.extentPages
	e := &t.extents[number]
	s.used--
	if e.state != extentSegment {
		s.frag = without(s.frag, page)
		s.reserved--
		t.freePage(page)
		return
	}
	if e.count == t.extentPages {
		s.notFull = append(s.notFull, number)
	}
	e.release(page % t.extentPages)
	if e.count == 0 {
		s.notFull = without(s.notFull, number)
		s.reserved -= t.extentPages
		t.freeExtent(number)
	}
}
