package rebuild

// room is what fits on a page (page_get_free_space_of_empty, page_dir_calc_reserved_space of page0page.ic).
type room struct {
	free    int // bytes of an empty page
	reserve int // bytes that a load leaves free once a page has two records
}

// Bytes of an empty page in front of the first record: headers, infimum and supremum; then behind the last: two directory slots
// and the trailer.
const (
	headCompact   = 120 // PAGE_NEW_SUPREMUM_END
	headRedundant = 125 // PAGE_OLD_SUPREMUM_END
	tail          = 12
)

// newRoom is a page of an index at the fill factor given, in percent. At 100 a clustered index keeps a sixteenth
// (dict_index_get_space_reserve), a secondary one nothing.
func newRoom(pageSize uint32, redundant, clustered bool, fillFactor int) room {
	size, head := int(pageSize), headCompact
	if redundant {
		head = headRedundant
	}
	r := room{free: size - head - tail, reserve: size * (100 - fillFactor) / 100}
	if clustered && fillFactor == 100 {
		r.reserve = size / 16
	}
	return r
}

// slots are the bytes that the directory of n records may take.
func slots(n int) int { return 2 * ((n + 3) / 4) }

// packer fills pages with records as a sorted load does (PageBulk::isSpaceAvailable, Page_load::is_space_available).
type packer struct {
	room
	pages   int // that are full
	records int // on the page that is being filled
	used    int // bytes of it
	// inserts says that records come one by one: the page that is the root is split in the middle when it is full, whatever the
	// order, as its last insert is forgotten when its records move below (btr_root_raise_and_insert). first are their lengths.
	inserts bool
	first   []int
}

// add puts a record of so many bytes on the page, or on the next.
func (p *packer) add(length int) {
	left := p.free - p.used - length - slots(p.records+1)
	if p.records > 0 && (left < 0 || p.records >= 2 && left < p.reserve) {
		p.pages++
		p.records, p.used = 0, 0
		p.split()
	}
	if p.inserts && p.pages == 0 {
		p.first = append(p.first, length)
	}
	p.records++
	p.used += length
}

// split leaves the upper half of the first page's records on the second.
func (p *packer) split() {
	for _, length := range p.first[len(p.first)/2:] {
		p.records++
		p.used += length
	}
	p.first = nil
}

// count is the number of pages so far with the last one as a share of a full one.
func (p *packer) count() float64 {
	return float64(p.pages) + float64(p.used+slots(p.records))/float64(p.free-p.reserve)
}

// whole is the number of pages so far.
func (p *packer) whole() int {
	if p.records > 0 {
		return p.pages + 1
	}
	return p.pages
}
