package innodb

import "slices"

// Offsets in the page of the transaction system (trx0sys.h: TRX_SYS_DOUBLEWRITE, counted from the page's end).
const (
	trxSysPage         = 5
	doublewriteFromEnd = 200
	doublewriteMagicAt = 10
	doublewriteFirstAt = 14
	doublewriteMagic   = 536853855
)

// copies are the extents of the system tablespace in which the doublewrite buffer keeps copies of pages of other places: their
// headers say nothing of themselves.
type copies []uint32

func (c copies) hold(extent uint32) bool { return slices.Contains(c, extent) }

// doublewrite finds both extents, by their first pages. There are none outside of the system tablespace, nor in that of MySQL
// 8.0.20 and later, which keeps the buffer in files of its own.
func (s *Space) doublewrite() copies {
	if s.Header.SpaceID != 0 {
		return nil
	}
	page, err := s.content(trxSysPage)
	if err != nil || typeOf(page) != TypeTrxSys {
		return nil
	}
	at := len(page) - doublewriteFromEnd
	if u32(page, at+doublewriteMagicAt) != doublewriteMagic {
		return nil
	}
	return copies{u32(page, at+doublewriteFirstAt), u32(page, at+doublewriteFirstAt+4)}
}
