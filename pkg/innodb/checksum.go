package innodb

import (
	"hash/crc32"
)

// noChecksum is stored where innodb_checksum_algorithm is none (BUF_NO_CHECKSUM_MAGIC).
const noChecksum = 0xdeadbeef

// Verify compares a page, as it is in the file, with its checksum and the two copies of its LSN; "" means that they agree. A page
// of zeros is one that was never written.
func (f Flags) Verify(page []byte) (reason string) {
	switch {
	case allZero(page):
		return ""
	case f.FullCRC32:
		return verifyFull(page)
	case f.Compressed:
		return verifyCompressed(page)
	}
	return verifyLegacy(page)
}

// castagnoli is made at each call: MakeTable gives the one table of the process.
func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// verifyFull is MariaDB's full_crc32: one CRC-32C over all but its own place at the end, and the LSN's low half before it
// (buf_page_is_corrupted in buf0buf.cc). A compressed page is as long as its type says.
func verifyFull(page []byte) string {
	size := len(page)
	if t := typeOf(page); t&fullCRC32Comp != 0 {
		if size = int(t&^fullCRC32Comp) << 8; size < filData || size >= len(page) {
			return "its compressed length is impossible"
		}
	}
	if castagnoli(page[:size-4]) != u32(page, size-4) {
		return "its checksum is wrong"
	}
	encrypted := u32(page, 0) != 0 // the key's version
	if size == len(page) && !encrypted && u32(page, filLSN+4) != u32(page, size-8) {
		return "the two copies of its LSN differ: it was written in part"
	}
	return ""
}

// verifyLegacy accepts each algorithm of innodb_checksum_algorithm: crc32, innodb, none (buf0checksum.cc).
func verifyLegacy(page []byte) string {
	size := len(page)
	head, tail := u32(page, 0), u32(page, size-filTrailer)
	if t := typeOf(page); t == typeMariaComp || t == typeMariaCrypt || t == TypeCompressed {
		return "" // the trailer is not written; a bad one does not unpack
	}
	if u32(page, filLSN+4) != u32(page, size-4) {
		return "the two copies of its LSN differ: it was written in part"
	}
	if head == noChecksum && tail == noChecksum {
		return ""
	}
	if sum := castagnoli(page[filOffset:filFlush]) ^ castagnoli(page[filData:size-filTrailer]); head == sum && tail == sum {
		return ""
	}
	if tail != fold(page[:filFlush]) && tail != u32(page, filLSN+4) {
		return "its checksum is wrong"
	}
	// Versions before 4.0.14 wrote no checksum there.
	if sum := fold(page[filOffset:filFlush]) + fold(page[filData:size-filTrailer]); head == sum || head == 0 {
		return ""
	}
	return "its checksum is wrong"
}

// verifyCompressed is page_zip_calc_checksum of page0zip.cc.
func verifyCompressed(page []byte) string {
	head := u32(page, 0)
	if head == noChecksum {
		return ""
	}
	if head == castagnoli(page[filOffset:filLSN])^castagnoli(page[filType:filType+2])^castagnoli(page[filSpace:]) {
		return ""
	}
	if head == adler(page[filOffset:filLSN], page[filType:filType+2], page[filSpace:]) {
		return ""
	}
	return "its checksum is wrong"
}

// adler is Adler-32 with a start of 0 instead of 1, as page0zip.cc calls zlib's.
func adler(parts ...[]byte) uint32 {
	var a, b uint32
	for _, part := range parts {
		for _, c := range part {
			a = (a + uint32(c)) % 65521
			b = (b + a) % 65521
		}
	}
	return b<<16 | a
}

// fold is ut_fold_binary of ut0rnd.ic, in its lower 32 bits.
func fold(b []byte) uint32 {
	const mask, mask2 = 1463735687, 1653893711
	var n uint32
	for _, c := range b {
		n = ((n^uint32(c)^mask2)<<8 + n) ^ mask
		n += uint32(c)
	}
	return n
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
