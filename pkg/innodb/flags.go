package innodb

import "fmt"

// Flags are what page 0 says of a tablespace (FSP_SPACE_FLAGS). There are two layouts: that of MySQL and older MariaDB, and
// MariaDB's full_crc32, told apart by bit 4 (fsp0types.h).
type Flags struct {
	Raw       uint32
	FullCRC32 bool
	// PageSize is that of the server, 4096 to 65536 bytes: that of uncompressed pages, which sets the size of an extent.
	PageSize int
	// PhysicalSize is the size of a page in the file: with ROW_FORMAT=COMPRESSED that of KEY_BLOCK_SIZE, which may be PageSize too.
	PhysicalSize int
	// Compressed is ROW_FORMAT=COMPRESSED.
	Compressed bool
	// PageCompressed: MariaDB's PAGE_COMPRESSED=1. MySQL's COMPRESSION= leaves no trace here, only in pages.
	PageCompressed bool
	// Algorithm is MariaDB's page compression: 1 zlib, 2 lz4, 3 lzo, 4 lzma, 5 bzip2, 6 snappy; 0 where it is not said here.
	Algorithm int
	// Encrypted is said here by MySQL only; see [Header.Encrypted].
	Encrypted   bool
	Shared      bool // MySQL: a general tablespace
	Temporary   bool // MySQL
	SDI         bool // MySQL 8 and later: the dictionary's copy is inside
	AtomicBlobs bool // DYNAMIC or COMPRESSED
	DataDir     bool // MySQL: DATA DIRECTORY
}

// ExtentPages are the pages of an extent: 1 MiB of them, but never less than 64 (FSP_EXTENT_SIZE).
func (f Flags) ExtentPages() uint32 { return uint32(max(64, 1<<20/f.PageSize)) }

func parseFlags(raw uint32) (Flags, error) {
	if raw&(1<<4) != 0 {
		return fullCRC32(raw)
	}
	f := Flags{
		Raw: raw, PageSize: 16 << 10, AtomicBlobs: raw>>5&1 != 0,
		DataDir: raw>>10&1 != 0, Shared: raw>>11&1 != 0, Temporary: raw>>12&1 != 0, Encrypted: raw>>13&1 != 0, SDI: raw>>14&1 != 0,
		PageCompressed: raw>>16&1 != 0,
	}
	if size := raw >> 6 & 15; size != 0 {
		f.PageSize = 512 << size
	}
	f.PhysicalSize = f.PageSize
	if size := raw >> 1 & 15; size != 0 {
		f.PhysicalSize, f.Compressed = 512<<size, true
	}
	return f, f.check()
}

func fullCRC32(raw uint32) (Flags, error) {
	f := Flags{Raw: raw, FullCRC32: true, AtomicBlobs: true, PageSize: 512 << (raw & 15), Algorithm: int(raw >> 5 & 7)}
	f.PageCompressed = f.Algorithm != 0
	f.PhysicalSize = f.PageSize
	return f, f.check()
}

func (f Flags) check() error {
	if f.PageSize < 4<<10 || f.PageSize > 64<<10 || f.PhysicalSize < 1<<10 || f.PhysicalSize > f.PageSize {
		return fmt.Errorf("the tablespace flags 0x%x mean pages of %d in %d bytes", f.Raw, f.PageSize, f.PhysicalSize)
	}
	return nil
}
