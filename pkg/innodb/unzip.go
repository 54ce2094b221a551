package innodb

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"errors"
	"io"
	"slices"
)

// Lengths of what a page of a ROW_FORMAT=COMPRESSED tablespace keeps apart from its stream (page0zip.h).
const (
	zipSlot      = 2
	zipDeleted   = 0x8000
	zipOffset    = 0x3fff
	zipTrx       = 13 // transaction and roll pointer of a clustered index's leaf record
	zipChild     = 4  // page below, of an inner record
	recordHeader = 5
	sdiTrx       = 12 // where they are in a record of the SDI index
	sdiKey       = 12
)

// zipped is a page of the SDI index of such a tablespace that is being unpacked. The stream has what stands between the headers
// of records, in the order of their addresses, without what is kept apart; behind it come changes that were made since
// (page0zip.cc: page_zip_decompress, page_zip_apply_log).
type zipped struct {
	packed []byte
	plain  []byte
	// sorted are the origins of all records by key, those in use first; heap the same by address.
	sorted, heap []int
	used         int
	leaf         bool
	stream       *bytes.Reader
	inflate      io.Reader
	at           int  // how far plain is written
	ended        bool // the stream
}

// unzipSDI gives the page as it is in memory.
func (s *Space) unzipSDI(packed []byte, number uint32) ([]byte, error) {
	z := zipped{packed: packed, plain: make([]byte, s.Header.Flags.PageSize), leaf: u16(packed, pageLevel) == 0, at: compactStart}
	copy(z.plain, packed[:pageData])
	ok := z.directory() && z.records() && z.changes() && z.apart()
	if !ok {
		return nil, pageErrorf(number, "its compressed contents contradict themselves")
	}
	z.link()
	return z.plain, nil
}

// directory reads the origins from the page's end.
func (z *zipped) directory() bool {
	heap := int(u16(z.packed, pageHeap)&0x7fff) - 2
	z.used = int(u16(z.packed, pageRecords))
	if heap < 0 || z.used > heap || pageData+zipSlot*heap >= len(z.packed) {
		return false
	}
	for i := range heap {
		at := int(u16(z.packed, len(z.packed)-zipSlot*(i+1)) & zipOffset)
		if at < compactStart+recordHeader || at > len(z.plain)-sdiData {
			return false
		}
		z.sorted = append(z.sorted, at)
	}
	z.heap = slices.SortedFunc(slices.Values(z.sorted), cmp.Compare)
	z.stream = bytes.NewReader(z.packed[pageData : len(z.packed)-zipSlot*heap])
	return true
}

// records unpacks the stream. It begins with a description of the index's columns, which ends in a flush.
func (z *zipped) records() bool {
	inflate, err := zlib.NewReader(z.stream)
	if err != nil {
		return false
	}
	z.inflate = inflate
	var columns [64]byte
	if n, err := inflate.Read(columns[:]); n == len(columns) || err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	for i, origin := range z.heap {
		if !z.fill(origin - recordHeader) {
			return false
		}
		// The header's heap number and kind are not in the stream.
		heap := uint16(i+2) << 3
		if !z.leaf {
			heap |= 1
		}
		z.plain[origin-4], z.plain[origin-3] = byte(heap>>8), byte(heap)
		z.at = max(z.at, origin)
		if z.leaf && !z.ended && !z.fillLeaf(origin) {
			return false
		}
	}
	top := int(u16(z.packed, pageHeapTop))
	if !z.fill(top) {
		return false
	}
	n, err := inflate.Read(columns[:]) // the end, and its checksum
	return n == 0 && errors.Is(err, io.EOF)
}

// fill unpacks up to a place. What the stream does not have was added after the page was packed, and stands in the log.
func (z *zipped) fill(to int) bool {
	if z.ended {
		return true
	}
	if to < z.at || to > len(z.plain) {
		return false
	}
	_, err := io.ReadFull(z.inflate, z.plain[z.at:to])
	z.at = to
	z.ended = err != nil
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// fillLeaf unpacks a record's data around what is kept apart.
func (z *zipped) fillLeaf(origin int) bool {
	if !z.fill(origin + sdiTrx) {
		return false
	}
	z.at += zipTrx
	length, external := sdiLength(z.plain, origin)
	if !external {
		return z.fill(origin + sdiData + length)
	}
	if length < externRef || !z.fill(origin+sdiData+length-externRef) || z.at+externRef > len(z.plain) {
		return false
	}
	z.at += externRef
	return true
}

// sdiLength is the length of a record's last column, in one or two bytes before the header, and whether it is stored outside.
func sdiLength(page []byte, origin int) (length int, external bool) {
	length = int(page[origin-recordHeader-1])
	if length < 0x80 {
		return length, false
	}
	return length&0x3f<<8 | int(page[origin-recordHeader-2]), length&0x40 != 0
}

// changes applies the log behind the stream: the number of a record, then what precedes its header backwards, then its data; an odd
// number clears the record.
func (z *zipped) changes() bool {
	log := z.packed[len(z.packed)-zipSlot*len(z.heap)-z.stream.Len() : len(z.packed)-zipSlot*len(z.heap)]
	for len(log) > 0 && log[0] != 0 {
		n := int(log[0])
		log = log[1:]
		if n&0x80 != 0 {
			if len(log) == 0 {
				return false
			}
			n = n&0x7f<<8 | int(log[0])
			log = log[1:]
		}
		if n>>1 == 0 || n>>1 > len(z.heap) {
			return false
		}
		if n&1 != 0 {
			continue // it is in no list any more
		}
		read, ok := z.change(z.heap[n>>1-1], log)
		if !ok {
			return false
		}
		log = log[read:]
	}
	return true
}

// change writes a record anew, and returns how much of the log that took.
func (z *zipped) change(origin int, log []byte) (read int, ok bool) {
	if !z.leaf {
		if origin+sdiKey > len(z.plain) {
			return 0, false
		}
		return sdiKey, copy(z.plain[origin:origin+sdiKey], log) == sdiKey
	}
	lengths := 1
	if len(log) > 0 && log[0] >= 0x80 {
		lengths = 2
	}
	if len(log) < lengths {
		return 0, false
	}
	for i := range lengths {
		z.plain[origin-recordHeader-1-i] = log[i]
	}
	length, external := sdiLength(z.plain, origin)
	if external {
		length -= externRef
	}
	rest := log[lengths:]
	data := sdiData - zipTrx - sdiTrx + length // behind transaction and roll pointer
	if length < 0 || len(rest) < sdiTrx+data || origin+sdiData+length > len(z.plain) {
		return 0, false
	}
	copy(z.plain[origin:], rest[:sdiTrx])
	copy(z.plain[origin+sdiTrx+zipTrx:], rest[sdiTrx:sdiTrx+data])
	return lengths + sdiTrx + data, true
}

// apart copies what stands before the directory, record by record from its end: pages below, or references to other pages, which
// only records in use have.
func (z *zipped) apart() bool {
	end := len(z.packed) - zipSlot*len(z.heap)
	if !z.leaf {
		for i, origin := range z.heap {
			at := end - zipChild*(i+1)
			if at < pageData || origin+sdiKey+zipChild > len(z.plain) {
				return false
			}
			copy(z.plain[origin+sdiKey:], z.packed[at:at+zipChild])
		}
		return true
	}
	end -= zipTrx * len(z.heap)
	inUse := z.sorted[:z.used]
	for _, origin := range z.heap {
		length, external := sdiLength(z.plain, origin)
		if !external || !slices.Contains(inUse, origin) {
			continue
		}
		end -= externRef
		to := origin + sdiData + length - externRef
		if end < pageData || length < externRef || to+externRef > len(z.plain) {
			return false
		}
		copy(z.plain[to:], z.packed[end:end+externRef])
	}
	return true
}

// link makes the list of records, and marks the deleted ones.
func (z *zipped) link() {
	at := compactInfimum
	for i, origin := range append(slices.Clone(z.sorted[:z.used]), compactSupremum) {
		next := uint16(origin - at)
		z.plain[at-2], z.plain[at-1] = byte(next>>8), byte(next)
		if i < z.used && u16(z.packed, len(z.packed)-zipSlot*(i+1))&zipDeleted != 0 {
			z.plain[origin-recordHeader] |= deletedFlag
		}
		at = origin
	}
}
