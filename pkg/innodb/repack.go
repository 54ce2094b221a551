package innodb

import (
	"compress/flate"
	"encoding/binary"
)

// Repacked is a page as a rebuild would fill it from records that were sampled: their bytes, and what page compression would make
// of the page.
type Repacked struct{ Content, Packed int }

// repacker fills pages anew in a tablespace with page compression, and deflates them. What the server's own algorithm makes of it
// is as much more or less as it makes of the pages that are there.
type repacker struct {
	page    []byte
	records int
	limit   int // of the content
	pages   []Repacked
	// written and deflated are the bytes of pages that are there: the server's and those made here.
	written, deflated int
	count             countingWriter
	w                 *flate.Writer
}

// repacks bounds the pages of each kind that are deflated.
const repacks = 24

// countingWriter counts what is written.
type countingWriter int

func (c *countingWriter) Write(b []byte) (int, error) {
	*c += countingWriter(len(b))
	return len(b), nil
}

func newRepacker(pageSize int) *repacker {
	r := &repacker{page: make([]byte, compactStart, pageSize), limit: pageSize - pageSize/16 - compactStart - filTrailer}
	r.w, _ = flate.NewWriter(&r.count, flate.DefaultCompression) // the level is valid
	return r
}

// deflate is what a page takes.
func (r *repacker) deflate(page []byte) int {
	r.count = 0
	r.w.Reset(&r.count)
	_, _ = r.w.Write(page) // a writer that counts does not fail
	_ = r.w.Close()
	return filData + int(r.count)
}

// add takes the visible records of a page, the last one that [heap.facts] was asked about, and compares what the page takes, if it
// is packed.
func (r *repacker) add(h *heap, page []byte, packed int) {
	if len(r.pages) >= repacks {
		return
	}
	if packed > 0 {
		r.written += packed
		r.deflated += r.deflate(page[filData:])
	}
	top := int(u16(page, pageHeapTop))
	if top > len(page) {
		return
	}
	for _, record := range h.records {
		if record.info&deletedFlag == 0 && record.origin < top {
			r.record(page[record.origin-recordHeader : h.next(record.origin+1, top)-recordHeader])
		}
	}
}

// record adds one with its header, in which neighbours and numbers are those of a page that is filled in order.
func (r *repacker) record(bytes []byte) {
	used := len(r.page) - compactStart
	if len(bytes) < recordHeader || len(bytes) > r.limit {
		return
	}
	if used+len(bytes)+r.records/2 > r.limit {
		r.finish()
	}
	at := len(r.page)
	r.page = append(r.page, bytes...)
	r.records++
	binary.BigEndian.PutUint16(r.page[at+1:], uint16(r.records+1)<<3)
	binary.BigEndian.PutUint16(r.page[at+3:], uint16(len(bytes)))
}

// finish packs the page that is being filled.
func (r *repacker) finish() {
	content := len(r.page) - compactStart
	whole := r.page[:cap(r.page)]
	clear(whole[len(r.page):])
	packed := r.deflate(whole[filData:])
	if r.deflated > 0 {
		packed = int(float64(packed) * float64(r.written) / float64(r.deflated))
	}
	r.pages = append(r.pages, Repacked{Content: content, Packed: packed})
	r.page, r.records = r.page[:compactStart], 0
}

// result are the pages; one that is not full counts only where there is no other.
func (r *repacker) result() []Repacked {
	if len(r.pages) == 0 && r.records > 0 {
		r.finish()
	}
	return r.pages
}
