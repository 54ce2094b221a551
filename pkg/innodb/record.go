package innodb

// Offsets of the two records that every index page has, and where users' records begin (page0page.h).
const (
	compactInfimum, compactSupremum, compactStart = pageData + 5, pageData + 18, pageData + 26
	oldInfimum, oldSupremum, oldStart             = pageData + 7, pageData + 22, pageData + 31

	deletedFlag = 0x20
	minRecFlag  = 0x10
)

// PageFacts are what a leaf page holds. Lengths and bytes are of records with their headers.
type PageFacts struct {
	// Number is the page's, Prev and Next those of its neighbours by key, [None] where there is none.
	Number, Prev, Next uint32
	// Records are those that queries see; Deleted ones are marked, and wait for purge.
	Records, Deleted int
	// DataBytes are used by records, delete-marked ones among them; DeletedBytes by the latter.
	DataBytes, DeletedBytes int
	// Garbage are bytes of removed records, FreeBytes those that no record uses, Garbage among them.
	Garbage, FreeBytes int
	// Slots of the page's directory, two bytes each.
	Slots int
	// Lengths of the visible records, in key order; nil for ROW_FORMAT=COMPRESSED. Where records say theirs, as REDUNDANT ones do, or
	// the layout is known, all are Exact, and External counts values that are stored outside. Others' are taken from the distance to the next record:
	// one record's header counts for its neighbour where headers differ in length, and one that took the place of a longer one
	// counts as that; with the delete-marked ones they sum to DataBytes.
	Lengths  []uint16
	Exact    bool
	External int
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
