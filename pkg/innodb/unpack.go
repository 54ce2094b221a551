package innodb

import (
	"bytes"
	"compress/zlib"
	"io"
)

// content is [Space.Page], unpacked where it is page-compressed. It stays valid until the next call.
func (s *Space) content(number uint32) ([]byte, error) {
	page, err := s.Page(number)
	if err != nil {
		return nil, err
	}
	return s.unpack(page, number)
}

// unpack gives the page that a page-compressed one stands for; any other comes back as it is. The algorithms are zlib, and for
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
		packed, algorithm = page[filFlush:size-4], s.Header.Flags.Algorithm
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

// inflate undoes zlib, which is algorithm 1 of both servers. MariaDB packs the whole page, MySQL what follows the header.
func (s *Space) inflate(page []byte, number uint32, packed []byte, algorithm int, original PageType) ([]byte, error) {
	if algorithm != 1 {
		return nil, pageErrorf(number, "it is compressed by algorithm %d, which is not read", algorithm)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, pageErrorf(number, "unpacking it: %v", err)
	}
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
	if n, err := io.ReadFull(z, s.plain[from:]); err != nil && n < pageData {
		return nil, pageErrorf(number, "unpacking it: %v", err)
	}
	if original != 0 {
		s.plain[filType], s.plain[filType+1] = byte(original>>8), byte(original)
	}
	return s.plain, nil
}
