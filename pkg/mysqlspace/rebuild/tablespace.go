package rebuild

import "math/bits"

// A page is held by the tablespace, or by a segment, in extents that are in one of these states (XDES_STATE of fsp0fsp.h).
type extentState uint8

const (
	extentFree     extentState = iota // in the tablespace's list of free extents
	extentFreeFrag                    // single pages of it serve several segments
	extentFullFrag                    // the same, none of them is free
	extentSegment                     // a segment's own
)

// extent is what an extent descriptor says: pages in use by their place, 256 of them at most (4K pages in 1 MiB).
type extent struct {
	state  extentState
	used   [4]uint64
	count  uint32
	holder *segment // of extentSegment
}

func (e *extent) isUsed(bit uint32) bool { return e.used[bit/64]&(1<<(bit%64)) != 0 }

func (e *extent) take(bit uint32) {
	e.used[bit/64] |= 1 << (bit % 64)
	e.count++
}

func (e *extent) release(bit uint32) {
	e.used[bit/64] &^= 1 << (bit % 64)
	e.count--
}

// firstFree is the lowest free page of e from hint on, and from the start where there is none (xdes_find_free).
func (e *extent) firstFree(hint, size uint32) uint32 {
	for _, from := range []uint32{hint, 0} {
		for bit := from; bit < size; {
			rest := ^e.used[bit/64] >> (bit % 64)
			if rest != 0 {
				if bit += uint32(bits.TrailingZeros64(rest)); bit < size {
					return bit
				}
				break
			}
			bit = (bit/64 + 1) * 64
		}
	}
	return size
}

// tablespace grows as a data file of InnoDB does. Page numbers and sizes are physical pages; extents are numbered by their
// place in the file. What it follows is fsp0fsp.cc, which MySQL and MariaDB have in common but for the named rules.
type tablespace struct {
	rules
	size      uint32 // FSP_SIZE: pages of the file
	freeLimit uint32 // FSP_FREE_LIMIT: descriptors up to here are made
	extents   []extent
	free      []uint32 // FSP_FREE
	freeFrag  []uint32 // FSP_FREE_FRAG
	inodes    int      // free places for segments on INODE pages
}

// rules are what differs between page sizes, row formats and servers.
type rules struct {
	extentPages uint32 // FSP_EXTENT_SIZE: 64, more for pages below 16K
	physical    uint32 // bytes of a page in the file
	growPages   uint32 // fsp_get_extent_size_in_pages: what a small file grows by
	autoextend  uint32 // AUTOEXTEND_SIZE of MySQL in pages, 0: none
	fragLimit   uint32 // FSEG_FRAG_ARR_N_SLOTS: single pages before a segment gets extents
	reserve     float64
	lease       bool // MySQL gives extents with a descriptor page to segments (XDES_FSEG_FRAG)
	keepNear    bool // MariaDB takes a page from the hinted extent before it grows a segment
	loadEnsures bool // MySQL keeps free extents also while a tablespace is made and its indexes are loaded
}

// freeAdd is FSP_FREE_ADD: extents that are described at a time.
const freeAdd = 4

func newTablespace(r rules, initial uint32) *tablespace {
	t := &tablespace{rules: r, size: initial}
	t.fillFreeList(true)
	return t
}

// sharedTablespace has so many pages, of which some are free: whole extents as far as they go, and the rest in one that segments
// share.
func sharedTablespace(r rules, pages, free uint32) *tablespace {
	t := &tablespace{rules: r, size: pages, inodes: int(r.fragLimit)}
	count := max(pages/r.extentPages, 1)
	t.extents = make([]extent, count)
	t.freeLimit = count * r.extentPages
	whole := min(free/r.extentPages, count-1)
	rest := min(free-whole*r.extentPages, r.extentPages-2)
	for number := range count {
		e := &t.extents[number]
		if number >= count-whole {
			t.free = append(t.free, number)
			continue
		}
		e.state = extentFullFrag
		used := r.extentPages
		if number == 0 {
			used = min(pages, r.extentPages) - min(rest, pages-2)
			e.state = extentFreeFrag
			t.freeFrag = append(t.freeFrag, number)
		}
		for bit := range used {
			e.take(bit)
		}
	}
	if t.extents[0].count == r.extentPages {
		t.extents[0].state, t.freeFrag = extentFullFrag, nil
	}
	return t
}

// descriptor is the extent of a page, nil where none is made yet (xdes_get_descriptor_with_space_hdr).
func (t *tablespace) descriptor(page uint32) *extent {
	if page >= t.size || page >= t.freeLimit {
		return nil
	}
	return &t.extents[page/t.extentPages]
}

// grow makes the file larger by what one attempt gives (fsp_try_extend_data_file).
func (t *tablespace) grow() {
	if t.autoextend > 0 {
		t.size += t.autoextend - t.size%t.autoextend
		return
	}
	t.size = max(t.size, t.growPages)
	step := t.growPages
	if t.size >= min(32*step, t.physical) { // fsp_get_pages_to_extend_ibd
		step *= freeAdd
	}
	t.size += step
	t.size -= t.size % (1 << 20 / t.physical)
}

// fillFreeList describes extents above the limit (fsp_fill_free_list). One that starts with a descriptor page and the page of
// the change buffer's bitmap becomes a fragment extent; four others at most become free.
func (t *tablespace) fillFreeList(first bool) {
	if !first && t.size < t.freeLimit+t.extentPages*freeAdd {
		t.grow()
	}
	at := t.freeLimit
	for count := 0; (first && at < 1) || (at+t.extentPages <= t.size && count < freeAdd); at += t.extentPages {
		t.extents = append(t.extents, extent{})
		number := at / t.extentPages
		t.freeLimit = at + t.extentPages
		if at%t.physical == 0 {
			e := &t.extents[number]
			e.state = extentFreeFrag
			e.take(0)
			e.take(1)
			t.freeFrag = append(t.freeFrag, number)
			continue
		}
		t.free = append(t.free, number)
		count++
	}
}

// takeExtent takes the extent of hint if it is free, else the first free one (fsp_alloc_free_extent).
func (t *tablespace) takeExtent(hint uint32) uint32 {
	number := hint / t.extentPages
	if e := t.descriptor(hint); e == nil || e.state != extentFree {
		for len(t.free) == 0 {
			t.fillFreeList(false)
		}
		number = t.free[0]
	}
	t.free = without(t.free, number)
	return number
}

// takePage takes a single page (fsp_alloc_free_page), and lets a file below one extent grow by it.
func (t *tablespace) takePage(hint uint32) uint32 {
	number := hint / t.extentPages
	if e := t.descriptor(hint); e == nil || e.state != extentFreeFrag {
		if len(t.freeFrag) == 0 {
			number = t.takeExtent(hint)
			t.extents[number].state = extentFreeFrag
			t.freeFrag = append(t.freeFrag, number)
		} else {
			number = t.freeFrag[0]
		}
		hint = 0
	}
	e := &t.extents[number]
	bit := e.firstFree(hint%t.extentPages, t.extentPages)
	page := number*t.extentPages + bit
	t.size = max(t.size, page+1)
	e.take(bit)
	if e.count == t.extentPages {
		e.state = extentFullFrag
		t.freeFrag = without(t.freeFrag, number)
	}
	return page
}

// freePage gives a single page back (fsp_free_page).
func (t *tablespace) freePage(page uint32) {
	number := page / t.extentPages
	e := &t.extents[number]
	e.release(page % t.extentPages)
	if e.state == extentFullFrag {
		e.state = extentFreeFrag
		t.freeFrag = append(t.freeFrag, number)
	}
	if e.count == 0 {
		t.freeFrag = without(t.freeFrag, number)
		t.freeExtent(number)
	}
}

func (t *tablespace) freeExtent(number uint32) {
	t.extents[number] = extent{}
	t.free = append(t.free, number)
}

// ensure lets the file grow until an operation that may need so many extents fits (fsp_reserve_free_extents): pages in a file
// below one extent; else extents, beyond two and one in a hundred that are kept for undo and cleaning, unless it is for a LOB.
func (t *tablespace) ensure(extents, pages uint32, lob bool) {
	for {
		if t.size < t.extentPages && pages < t.extentPages/2 {
			t.size = max(t.size, t.extents[0].count+pages)
			return
		}
		above := uint32(0)
		if t.size >= t.freeLimit {
			above = (t.size - t.freeLimit) / t.extentPages
		}
		if above > 0 {
			above--
			above -= above / (t.physical / t.extentPages)
		}
		have := uint32(len(t.free)) + above
		if lob {
			if have >= extents {
				return
			}
		} else if have > 2+t.size/t.extentPages*2/200+extents {
			return
		}
		t.grow()
	}
}

func without(list []uint32, number uint32) []uint32 {
	for i, n := range list {
		if n == number {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
