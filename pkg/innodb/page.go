package innodb

import (
	"encoding/binary"
	"fmt"
)

// PageType is the type in a page's header (FIL_PAGE_TYPE).
type PageType uint16

// The types of pages (fil0fil.h; those from 14 on mean other things in MariaDB, which has few of them).
const (
	TypeAllocated  PageType = 0
	TypeUndo       PageType = 2
	TypeInode      PageType = 3
	TypeIbufFree   PageType = 4
	TypeIbufBitmap PageType = 5
	TypeSys        PageType = 6
	TypeTrxSys     PageType = 7
	TypeFSPHeader  PageType = 8
	TypeXDES       PageType = 9
	TypeBlob       PageType = 10
	TypeZBlob      PageType = 11
	TypeZBlob2     PageType = 12
	TypeCompressed PageType = 14 // MySQL's page compression
	TypeEncrypted  PageType = 15
	TypeCompEncr   PageType = 16
	TypeEncrRtree  PageType = 17
	TypeInstant    PageType = 18 // MariaDB: the root of a table with INSTANT changes; MySQL: a large SDI
	TypeSDIZBlob   PageType = 19
	// TypeDoublewrite: a page of the doublewrite buffer, whatever it is a copy of.
	TypeDoublewrite PageType = 20
	TypeRsegArray   PageType = 21
	TypeLobIndex    PageType = 22
	TypeLobData     PageType = 23
	TypeLobFirst    PageType = 24
	TypeZlobFirst   PageType = 25
	TypeZlobData    PageType = 26
	TypeZlobIndex   PageType = 27
	TypeZlobFrag    PageType = 28
	TypeZlobEntry   PageType = 29
	TypeSDI         PageType = 17853
	TypeRtree       PageType = 17854
	TypeIndex       PageType = 17855
	typeMariaComp   PageType = 34354 // FIL_PAGE_PAGE_COMPRESSED
	typeMariaCrypt  PageType = 37401 // FIL_PAGE_PAGE_COMPRESSED_ENCRYPTED
	fullCRC32Comp   PageType = 1 << 15
)

// IsIndex says whether a page is one of a B-tree or R-tree.
func (t PageType) IsIndex() bool {
	return t == TypeIndex || t == TypeRtree || t == TypeSDI || t == TypeInstant
}

// IsLOB says whether a page holds part of a value that is stored outside its record.
func (t PageType) IsLOB() bool {
	return t >= TypeBlob && t <= TypeZBlob2 || t >= TypeLobIndex && t <= TypeZlobEntry || t == TypeSDIZBlob
}

// Offsets in a page's header: 38 bytes, the same in every page (fil0fil.h).
const (
	filOffset  = 4
	filPrev    = 8
	filNext    = 12
	filLSN     = 16
	filType    = 24
	filFlush   = 26
	filSpace   = 34
	filData    = 38
	filTrailer = 8
)

// None is the page number that means no page (FIL_NULL).
const None = 0xffffffff

func u16(b []byte, at int) uint16 { return binary.BigEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }
func u64(b []byte, at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }

func typeOf(page []byte) PageType { return PageType(u16(page, filType)) }

// PageError is what is wrong with a page.
type PageError struct {
	Page   uint32
	Reason string
	Err    error // [ErrEncrypted], or nil
}

func (e *PageError) Error() string { return fmt.Sprintf("page %d: %s", e.Page, e.Reason) }

func (e *PageError) Unwrap() error { return e.Err }

func pageErrorf(page uint32, format string, args ...any) error {
	return &PageError{Page: page, Reason: fmt.Sprintf(format, args...)}
}
