package innodb

// packedLength is what page compression wrote of a page, header included.
func packedLength(f Flags, raw []byte) int {
	t := typeOf(raw)
	switch {
	case f.FullCRC32 && t&fullCRC32Comp != 0:
		return int(t&^fullCRC32Comp) << 8
	case t == typeMariaComp:
		return filData + 2 + int(u16(raw, filData))
	case t == TypeCompressed:
		return filData + int(u16(raw, filFlush+6))
	}
	return len(raw)
}

// zipFacts are those of a leaf page of a ROW_FORMAT=COMPRESSED table (page0zip.h): the header is as ever, a zlib stream
// follows, then a log of changes; from the end come a directory of two bytes a record, for a clustered index 13 bytes of
// transaction and roll pointer a record, and 20 bytes for each value stored outside.
func (s *Space) zipFacts(page []byte, number uint32) PageFacts {
	f := PageFacts{Number: number, Prev: u32(page, filPrev), Next: u32(page, filNext), Garbage: int(u16(page, pageGarbage)), Slots: int(u16(page, pageSlots))}
	heap, top := int(u16(page, pageHeap)&0x7fff)-2, int(u16(page, pageHeapTop))
	records := int(u16(page, pageRecords))
	if heap < 0 || records > heap || 2*heap > len(page)-pageData || top < compactStart || f.Garbage > top-compactStart {
		f.Damaged = true
		return f
	}
	f.DataBytes = top - compactStart - f.Garbage
	f.FreeBytes = s.Header.Flags.PageSize - filTrailer - 2*f.Slots - compactStart - f.DataBytes
	for i := range records {
		if u16(page, len(page)-2*(i+1))&0x8000 != 0 {
			f.Deleted++
		}
	}
	f.Records = records - f.Deleted
	if records > 0 {
		f.DeletedBytes = f.DataBytes * f.Deleted / records
	}
	stream, inflated, ok := s.inflater.length(page[pageData : len(page)-2*heap])
	f.CompressedBytes, f.Damaged = pageData+stream+2*heap, !ok
	f.StreamBytes, f.InflatedBytes = stream, inflated
	return f
}
