package innodb

import (
	"errors"
	"fmt"
	"io"
)

// Errors of [Open] and of what needs the contents of pages.
var (
	ErrTruncated     = errors.New("the file is shorter than its first pages")
	ErrNotTablespace = errors.New("no InnoDB tablespace")
	ErrEncrypted     = errors.New("encrypted: without the key only its size is known")
)

// HeadBytes are read at once: the first pages, which hold all of the structure of a small table.
const HeadBytes = 128 << 10

// rereads is how often a page that contradicts its checksum is read again: a running server may just be writing it.
const rereads = 3

// Space is a tablespace that is being read. It is used by one goroutine at a time.
type Space struct {
	Header Header

	r     io.ReaderAt
	size  int64
	head  []byte // the file's first bytes
	page  []byte // of the last page that was read
	plain []byte // of a page that was unpacked

	heap        heap
	inflater    inflater
	sdiPages    uint32 // that were read of documents that have pages of their own: not more than there are
	descriptors []byte // of the page of descriptors that is being walked; nobody walks two
}

// Header is what page 0 says (fsp0fsp.h).
type Header struct {
	SpaceID uint32
	Flags   Flags
	// Pages is the size that the server gave the space, FilePages that of the file: they differ while it grows, or when the
	// file is damaged.
	Pages, FilePages uint32
	// FreeLimit: no page from here on was ever used.
	FreeLimit uint32
	// FragUsed are the pages used in extents that segments share.
	FragUsed uint32
	// FreeExtents are those of the list FSP_FREE: in nobody's use, below the limit.
	FreeExtents uint32
	LSN         uint64
	// ServerVersion is MySQL's that wrote page 0, such as 90704; 0 for MariaDB and before MySQL 8.
	ServerVersion uint32
	// Encrypted: the pages' contents cannot be read.
	Encrypted bool
	// Damage is what page 0 contradicts, "" when it is whole.
	Damage string
}

// Open reads page 0 of a tablespace of size bytes. It keeps r, and closes nothing.
//
// Errors: [ErrTruncated], [ErrNotTablespace], what reading gave, and a [PageError] for flags that mean nothing.
func Open(r io.ReaderAt, size int64) (*Space, error) {
	s := &Space{r: r, size: size, head: make([]byte, min(size, HeadBytes))}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reset is Open with the memory of s, for readers of many files.
func (s *Space) Reset(r io.ReaderAt, size int64) error {
	if cap(s.head) < HeadBytes {
		s.head = make([]byte, HeadBytes)
	}
	s.r, s.size, s.head = r, size, s.head[:min(size, HeadBytes)]
	return s.open()
}

func (s *Space) open() error {
	if s.size < 1<<10 {
		return fmt.Errorf("%d bytes: %w", s.size, ErrTruncated)
	}
	if n, err := s.r.ReadAt(s.head, 0); n < len(s.head) {
		return fmt.Errorf("reading its first pages: %w", err)
	}
	if u32(s.head, filOffset) != 0 || u32(s.head, filSpace) != u32(s.head, filData) || !s.isFirst() {
		return ErrNotTablespace
	}
	flags, err := parseFlags(u32(s.head, fspFlags))
	if err != nil {
		return &PageError{Page: 0, Reason: err.Error()}
	}
	if s.size < int64(flags.PhysicalSize) {
		return fmt.Errorf("%d bytes: %w", s.size, ErrTruncated)
	}
	s.readHeader(flags)
	return nil
}

// isFirst says whether page 0 can be that of a tablespace: FSP_HDR. Some old versions left the type 0.
func (s *Space) isFirst() bool {
	t := typeOf(s.head)
	return t == TypeFSPHeader || t == TypeAllocated && u32(s.head, fspSize) > 0
}

// Offsets of the header of a tablespace in page 0.
const (
	fspSize       = filData + 8
	fspFreeLimit  = filData + 12
	fspFlags      = filData + 16
	fspFragUsed   = filData + 20
	fspFree       = filData + 24
	fspInodesFull = filData + 80
	fspInodesFree = filData + 96
	xdesArray     = filData + 112
)

func (s *Space) readHeader(flags Flags) {
	h := s.head
	s.Header = Header{
		SpaceID: u32(h, filData), Flags: flags, Pages: u32(h, fspSize), FilePages: uint32(min(s.size/int64(flags.PhysicalSize), None-1)),
		FreeLimit: u32(h, fspFreeLimit), FragUsed: u32(h, fspFragUsed), FreeExtents: u32(h, fspFree), LSN: u64(h, filLSN),
		Damage: flags.Verify(h[:flags.PhysicalSize]),
	}
	if flags.SDI {
		s.Header.ServerVersion = u32(h, filPrev)
	}
	s.Header.Encrypted = flags.Encrypted || s.cryptData()
}

// encryptionOffset is where page 0 keeps encryption data, behind its extent descriptors.
func (s *Space) encryptionOffset() int {
	f := s.Header.Flags
	return xdesArray + xdesSize(f)*(f.PhysicalSize/int(f.ExtentPages()))
}

// cryptData looks for MariaDB's encryption data (fil0crypt.cc): a magic number, the scheme, a vector of 16 bytes, and the least
// version of a key that pages are encrypted with, 0 while they are plain. It stands 38 bytes behind the descriptors, since
// fsp_header_get_encryption_offset adds the length of the page's header twice.
func (s *Space) cryptData() bool {
	const magic, scheme, version = "s\x0e\x0cREt", 6, 24
	at := s.encryptionOffset() + filData
	if at+version+4 > s.Header.Flags.PhysicalSize || string(s.head[at:at+scheme]) != magic {
		return false
	}
	return s.head[at+scheme] == 1 && u32(s.head, at+version) != 0
}

// sealed says whether a page's contents are encrypted: MariaDB has the key's version in its header (fil0fil.h:
// FIL_PAGE_FCRC32_KEY_VERSION, FIL_PAGE_FILE_FLUSH_LSN_OR_KEY_VERSION), MySQL a type. Descriptors never are.
func (s *Space) sealed(page []byte, number uint32) bool {
	f := s.Header.Flags
	if number%uint32(f.PhysicalSize) == 0 {
		return false
	}
	if f.FullCRC32 {
		return u32(page, 0) != 0
	}
	switch typeOf(page) {
	case TypeEncrypted, TypeCompEncr, TypeEncrRtree, typeMariaCrypt:
		return true
	case typeMariaComp, TypeCompressed:
		return false
	}
	return s.Header.Encrypted && !f.Encrypted && u32(page, filFlush) != 0
}

// Page reads a page as it is in the file. It stays valid until the next call. An error is a [PageError], also for one that
// contradicts its checksum after some more reads; the page is given then all the same.
func (s *Space) Page(number uint32) ([]byte, error) {
	size := s.Header.Flags.PhysicalSize
	if number >= s.Header.FilePages {
		return nil, pageErrorf(number, "it is past the end of the file")
	}
	if end := (int(number) + 1) * size; end <= len(s.head) {
		if page := s.head[end-size : end]; s.wrong(page, number) == "" {
			return page, nil
		}
	}
	if cap(s.page) < size {
		s.page = make([]byte, size)
	}
	s.page = s.page[:size]
	var reason string
	for range rereads {
		if _, err := s.r.ReadAt(s.page, int64(number)*int64(size)); err != nil {
			return nil, pageErrorf(number, "reading it: %v", err)
		}
		if reason = s.wrong(s.page, number); reason == "" {
			return s.page, nil
		}
	}
	return s.page, &PageError{Page: number, Reason: reason}
}

// wrong says what contradicts in a page, "" for nothing.
func (s *Space) wrong(page []byte, number uint32) string {
	if allZero(page[:filData]) {
		return ""
	}
	if at := u32(page, filOffset); at != number {
		return fmt.Sprintf("it says that it is page %d", at)
	}
	if s.Header.Encrypted && number != 0 {
		return "" // what its checksum covers depends on the version
	}
	return s.Header.Flags.Verify(page)
}
