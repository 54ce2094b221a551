package innodb

import (
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// content is [Space.Page], unpacked where it is page-compressed. It stays valid until the next call.
func (s *Space) content(number uint32) ([]byte, error) {
	page, err := s.Page(number)
	if err != nil {
		return nil, err
	}
	if s.sealed(page, number) {
		return nil, &PageError{Page: number, Reason: ErrEncrypted.Error(), Err: ErrEncrypted}
	}
	return s.unpack(page, number)
}

// unpack gives the page that a page-compressed one stands for; any other comes back as it is. The algorithms are zlib and lz4; of
// the others the error says which was met. Its type alone is in the header of MySQL's.
func (s *Space) unpack(page []byte, number uint32) ([]byte, error) {
	var packed []byte
	var algorithm int
	var original PageType
	switch t := typeOf(page); {
	case s.Header.Flags.FullCRC32 && t&fullCRC32Comp != 0:
		size := int(t&^fullCRC32Comp) << 8
		if size <= filFlush+4 || size > len(page) {
			return nil, pageErrorf(number, "its compressed length is impossible")
		}
		packed, algorithm = page[filFlush:exactLength(page, size, s.Header.Flags.Algorithm)], s.Header.Flags.Algorithm
	case t == typeMariaComp:
		size := int(u16(page, filData))
		if size == 0 || filData+2+size > len(page) {
			return nil, pageErrorf(number, "its compressed length is impossible")
		}
		packed, algorithm = page[filData+2:filData+2+size], int(u64(page, filFlush))
	case t == TypeCompressed && !s.Header.Flags.FullCRC32:
		size := int(u16(page, filFlush+6))
		if size == 0 || filData+size > len(page) {
			return nil, pageErrorf(number, "its compressed length is impossible")
		}
		packed, algorithm, original = page[filData:filData+size], int(page[filFlush+1]), PageType(u16(page, filFlush+2))
	default:
		return page, nil
	}
	return s.inflate(page, number, packed, algorithm, original)
}

// exactLength is where a packed page of full_crc32 ends. Its length counts 256 bytes; algorithms that must know theirs have its
// last byte before the checksum (fil_page_decompress_for_full_crc32 in fil0pagecompress.cc).
func exactLength(page []byte, size, algorithm int) int {
	switch algorithm {
	case packedLZ4, packedLZO, packedSnappy:
	default:
		return size - 4
	}
	end := size - 5
	if last := int(page[end]); last != 0 {
		end += last - 256
	}
	return max(end, filFlush)
}

// Algorithms of page compression: 1 is zlib and 2 is lz4 on both servers.
const (
	packedZlib   = 1
	packedLZ4    = 2
	packedLZO    = 3
	packedSnappy = 6
)

// inflate unpacks what MariaDB packs whole, and MySQL, which says the original type, behind the header.
func (s *Space) inflate(page []byte, number uint32, packed []byte, algorithm int, original PageType) ([]byte, error) {
	size := s.Header.Flags.PageSize
	if cap(s.plain) < size {
		s.plain = make([]byte, size)
	}
	s.plain = s.plain[:size]
	clear(s.plain)
	from := 0
	if original != 0 {
		from = copy(s.plain, page[:filData])
	}
	n, err := s.decompress(s.plain[from:], packed, algorithm)
	if err != nil && n < pageData {
		return nil, pageErrorf(number, "unpacking it: %v", err)
	}
	if original != 0 {
		s.plain[filType], s.plain[filType+1] = byte(original>>8), byte(original)
	}
	return s.plain, nil
}

// decompress fills to, and returns how many bytes it wrote.
func (s *Space) decompress(to, packed []byte, algorithm int) (int, error) {
	switch algorithm {
	case packedZlib:
		z, err := s.inflater.open(packed)
		if err != nil {
			return 0, err
		}
		return io.ReadFull(z, to)
	case packedLZ4:
		return lz4.UncompressBlock(packed, to)
	default:
		names := [...]string{"none", "zlib", "lz4", "lzo", "lzma", "bzip2", "snappy"}
		if algorithm < 0 || algorithm >= len(names) {
			return 0, fmt.Errorf("there is no algorithm %d", algorithm)
		}
		return 0, fmt.Errorf("pages packed with %s are not read", names[algorithm])
	}
}
