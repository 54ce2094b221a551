package datadir

import (
	"encoding/binary"
	"math"
)

// isamState is what the header of a MyISAM or Aria index file says of its table.
type isamState struct {
	rows, deleted       int64
	keyBytes, dataBytes int64 // lengths of the two files
	empty               int64 // bytes of the data file that deleted rows left
}

// Offsets of the state in a MyISAM index file: behind a header of 24 bytes and four of flags (storage/myisam/mi_open.c,
// mi_state_info_write), all of eight bytes, the most significant first.
const (
	isamRows     = 28
	isamDeleted  = 36
	isamKeyBytes = 60
	isamData     = 68
	isamEmpty    = 76
	isamEnd      = 84
)

// ariaShift is how much further Aria has the same: three LSNs of seven bytes come first (storage/maria/ma_open.c,
// _ma_state_info_write_sub), and behind the number of deleted rows one more place in the data file.
const ariaShift, ariaBitmap = 3 * 7, 8

// parseISAM reads the state from the front of an index file. ok is false for a front that is too short, or numbers that no
// file has.
func parseISAM(head []byte, aria bool) (s isamState, ok bool) {
	shift, bitmap := 0, 0
	if aria {
		shift, bitmap = ariaShift, ariaBitmap
	}
	if len(head) < isamEnd+shift+bitmap {
		return s, false
	}
	at := func(offset int) int64 {
		n := binary.BigEndian.Uint64(head[offset:])
		if n > math.MaxInt64/4 {
			ok = false
			return 0
		}
		return int64(n)
	}
	ok = true
	s.rows, s.deleted = at(isamRows+shift), at(isamDeleted+shift)
	shift += bitmap
	s.keyBytes, s.dataBytes, s.empty = at(isamKeyBytes+shift), at(isamData+shift), at(isamEmpty+shift)
	return s, ok && s.empty <= s.dataBytes
}
