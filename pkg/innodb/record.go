package innodb

import "slices"

// Offsets of the two records that every index page has, and where users' records begin (page0page.h).
const (
	compactInfimum, compactSupremum, compactStart = pageData + 5, pageData + 18, pageData + 26
	oldInfimum, oldSupremum, oldStart             = pageData + 7, pageData + 22, pageData + 31

	deletedFlag = 0x20
	minRecFlag  = 0x10
)

// PageFacts are what a leaf page holds. Lengths and bytes are of records with their headers.
type PageFacts struct {
	Number uint32
	// Records are those that queries see; Deleted ones are marked, and wait for purge.
	Records, Deleted int
	// DataBytes are used by records, delete-marked ones among them; DeletedBytes by the latter.
	DataBytes, DeletedBytes int
	// Garbage are bytes of removed records, FreeBytes those that no record uses, Garbage among them.
	Garbage, FreeBytes int
	// Slots of the page's directory, two bytes each.
	Slots int
	// Lengths of the visible records, in key order. They are taken from the distance to the next record, so that one record's
	// header counts for its neighbour where headers differ in length; their sum is exact. nil for ROW_FORMAT=COMPRESSED.
	Lengths []uint16
	// CompressedBytes are what ROW_FORMAT=COMPRESSED uses of the page. StreamBytes of them are deflated, and InflatedBytes come
	// out of those: the page as it was when it was last compressed, without the changes that were logged behind since.
	CompressedBytes, StreamBytes, InflatedBytes int
	// PackedBytes are what page compression wrote of the page; 0 where it is not packed.
	PackedBytes int
	// Damaged: the list of records contradicts itself; what was counted so far stands.
	Damaged bool
}

// walk follows the records of an uncompressed index page in key order: where each begins, and its info bits. It ends false when
// the list leaves the page or has a cycle.
func walk(page []byte, visit func(origin int, info byte)) (whole bool) {
	compact := u16(page, pageHeap)&0x8000 != 0
	at, end, infoAt := oldInfimum, oldSupremum, 6
	if compact {
		at, end, infoAt = compactInfimum, compactSupremum, 5
	}
	for left := int(u16(page, pageHeap) & 0x7fff); left >= 0; left-- {
		at = nextRecord(page, at, compact)
		if at == end {
			return true
		}
		if at < end || at >= len(page)-filTrailer {
			return false
		}
		visit(at, page[at-infoAt]&0xf0)
	}
	return false
}

func nextRecord(page []byte, at int, compact bool) int {
	next := int(u16(page, at-2))
	if compact {
		return (at + next) & (len(page) - 1)
	}
	return next
}

// facts of an uncompressed leaf page.
func facts(page []byte, number uint32) PageFacts {
	f := PageFacts{Number: number, Garbage: int(u16(page, pageGarbage)), Slots: int(u16(page, pageSlots))}
	start := oldStart
	if u16(page, pageHeap)&0x8000 != 0 {
		start = compactStart
	}
	top := int(u16(page, pageHeapTop))
	if top < start || top > len(page) || f.Garbage > top-start {
		f.Damaged = true
		return f
	}
	f.DataBytes = top - start - f.Garbage
	f.FreeBytes = len(page) - filTrailer - 2*f.Slots - start - f.DataBytes
	f.lengths(page, start, top)
	return f
}

// lengths needs the removed records as well: the heap is records, one behind the other.
func (f *PageFacts) lengths(page []byte, start, top int) {
	type record struct {
		origin  int
		deleted bool
	}
	var live []record
	f.Damaged = !walk(page, func(origin int, info byte) {
		if info&minRecFlag == 0 { // a leaf's first record with it is the description of INSTANT columns
			live = append(live, record{origin, info&deletedFlag != 0})
		}
	})
	heap := make([]int, 0, len(live))
	for _, r := range live {
		heap = append(heap, r.origin)
	}
	heap = removed(page, heap)
	slices.Sort(heap)
	for _, r := range live {
		// The last one has the header of the first: the others have that of their neighbour.
		length := top - r.origin + heap[0] - start
		if i, _ := slices.BinarySearch(heap, r.origin); i+1 < len(heap) {
			length = heap[i+1] - r.origin
		}
		length = max(0, min(length, top-start))
		if r.deleted {
			f.Deleted++
			f.DeletedBytes += length
			continue
		}
		f.Records++
		f.Lengths = append(f.Lengths, uint16(length))
	}
}

// removed adds the records of the list PAGE_FREE.
func removed(page []byte, heap []int) []int {
	compact := u16(page, pageHeap)&0x8000 != 0
	at := int(u16(page, pageFree))
	for left := int(u16(page, pageHeap) & 0x7fff); left > 0 && at >= oldStart && at < len(page)-filTrailer; left-- {
		heap = append(heap, at)
		next := nextRecord(page, at, compact)
		if next == at {
			break
		}
		at = next
	}
	return heap
}
