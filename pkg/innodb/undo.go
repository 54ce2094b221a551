package innodb

import "context"

// RollbackPlace is where the header of a rollback segment is.
type RollbackPlace struct{ SpaceID, Page uint32 }

// Rollback is what the header of a rollback segment says (trx0rseg.h).
type Rollback struct {
	Place RollbackPlace
	// HistoryPages are pages of undo logs of committed transactions that purge has not done away with, History how many such
	// logs there are.
	HistoryPages, History uint32
	// Slots are undo logs of transactions that go on, or that are kept for the next one.
	Slots int
}

// Offsets of the array of rollback segments in an undo tablespace of MySQL 8 (trx0types.h: RSEG_ARRAY_*), and of the list in the
// page of the transaction system of MariaDB and MySQL up to 5.7 (trx0sys.h: TRX_SYS_RSEGS).
const (
	rsegArrayPage    = 3
	rsegArrayPages   = filData + 18
	rsegListAt       = filData + 18
	maxRollback      = 128
	rsegHistorySize  = filData + 4
	rsegHistory      = filData + 8
	rsegSlots        = filData + 34
	rsegBytesPerSlot = 16 // of a page: a quarter of them are slots of four bytes
)

// RollbackPlaces says where rollback segments are: in the undo tablespace of MySQL 8 and later itself; for MariaDB and MySQL 5.7
// the system tablespace lists those of all. A space that is neither has none.
func (s *Space) RollbackPlaces(ctx context.Context) ([]RollbackPlace, error) {
	if s.Header.Encrypted {
		return nil, ErrEncrypted
	}
	var all []RollbackPlace
	if s.Header.SpaceID == 0 {
		page, err := s.content(trxSysPage)
		if err != nil {
			return nil, err
		}
		for i := 0; typeOf(page) == TypeTrxSys && i < maxRollback; i++ {
			at := rsegListAt + 8*i
			if p := u32(page, at+4); p != None && p != 0 {
				all = append(all, RollbackPlace{u32(page, at), p})
			}
		}
		return all, ctx.Err()
	}
	if s.Header.FilePages <= rsegArrayPage {
		return nil, nil
	}
	page, err := s.content(rsegArrayPage)
	if err != nil || typeOf(page) != TypeRsegArray {
		return nil, err
	}
	for i := range maxRollback { // the array's own size stays 0
		if p := u32(page, rsegArrayPages+4*i); p != None && p != 0 {
			all = append(all, RollbackPlace{s.Header.SpaceID, p})
		}
	}
	return all, ctx.Err()
}

// Rollback reads the header of a rollback segment of this space.
func (s *Space) Rollback(number uint32) (Rollback, error) {
	r := Rollback{Place: RollbackPlace{s.Header.SpaceID, number}}
	page, err := s.content(number)
	if err != nil {
		return r, err
	}
	if t := typeOf(page); t != TypeSys {
		return r, pageErrorf(number, "it should begin a rollback segment, and has the type %d", t)
	}
	r.HistoryPages, r.History = u32(page, rsegHistorySize), u32(page, rsegHistory)
	for i := range s.Header.Flags.PageSize / rsegBytesPerSlot {
		at := rsegSlots + 4*i
		if at+4 > len(page)-filTrailer {
			break
		}
		if u32(page, at) != None {
			r.Slots++
		}
	}
	return r, nil
}
