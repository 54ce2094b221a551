package datadir

import (
	"encoding/binary"
	"errors"
	"strings"
)

// Definition is what a table's definition says of it as a whole.
type Definition struct {
	Engine    string // as SHOW TABLE STATUS has it; "" where it is not known
	Comment   string
	RowFormat string // "Dynamic", "Compressed" and the like where it was asked for; "" for the engine's default
	View      bool
}

// maxFRMBytes bounds what is read of a definition: thousands of columns take less.
const maxFRMBytes = 1 << 20

var errFRM = errors.New("no definition of a table or view")

// frm is the content of a .frm; reads beyond its end give zeros.
type frm []byte

func (f frm) u8(at int) int {
	if at < 0 || at >= len(f) {
		return 0
	}
	return int(f[at])
}

func (f frm) u16(at int) int {
	if at < 0 || at+2 > len(f) {
		return 0
	}
	return int(binary.LittleEndian.Uint16(f[at:]))
}

func (f frm) u32(at int) int {
	if at < 0 || at+4 > len(f) {
		return 0
	}
	return int(binary.LittleEndian.Uint32(f[at:]))
}

// text is the n bytes from at on; "" where they are not all there.
func (f frm) text(at, n int) string {
	if at < 0 || n < 0 || at > len(f) || n > len(f)-at {
		return ""
	}
	return strings.ToValidUTF8(string(f[at:at+n]), "\uFFFD")
}

// Offsets of the header of a .frm, which has 64 bytes (sql/table.cc, TABLE_SHARE::init_from_binary_frm_image; sql/unireg.cc).
const (
	frmEngine     = 3  // enum legacy_db_type
	frmNames      = 4  // length of what follows the header
	frmKeys       = 6  // where the keys are
	frmKeyLength  = 14 // their length, 0xffff where frmKeyLength4 has it
	frmRecord     = 16 // length of the record of defaults, which follows the keys
	frmRowType    = 40 // enum row_type
	frmKeyLength4 = 47
	frmVersion    = 51 // of the server
	frmExtra      = 55 // length of what follows the record
	frmPartition  = 61 // engine of the partitions, as frmEngine
	frmHeader     = 64
)

// Offsets in the second header, whose place follows the names.
const (
	formComment     = 46 // length of the comment; 255: it is with the extra data
	formCommentText = 47
)

// parseFRM reads what a binary definition, or the text of a view, says of the whole.
func parseFRM(b []byte) (Definition, error) {
	f := frm(b)
	switch {
	case strings.HasPrefix(f.text(0, 5), "TYPE="):
		return Definition{View: true}, nil
	case len(f) < frmHeader || f[0] != 0xfe || f[1] != 1:
		return Definition{}, errFRM
	}
	form := f.u32(frmHeader + f.u16(frmNames))
	keys := f.u16(frmKeyLength)
	if keys == 0xffff {
		keys = f.u32(frmKeyLength4)
	}
	extra := f.u16(frmKeys) + keys + f.u16(frmRecord)
	d := Definition{RowFormat: rowFormat(f.u8(frmRowType)), Engine: legacyEngine(f.u8(frmEngine))}
	name, comment := f.extra(extra, min(f.u32(frmExtra), len(f)))
	if name != "" && !strings.EqualFold(name, "partition") {
		d.Engine = engineName(name)
	} else if part := legacyEngine(f.u8(frmPartition)); part != "" {
		d.Engine = part
	}
	d.Comment = f.text(form+formCommentText, f.u8(form+formComment))
	if f.u8(form+formComment) == 255 {
		d.Comment = comment
	}
	return d, nil
}

// extra reads what follows the record of defaults: a connection string, the engine's name, partitions, names of full-text
// parsers, and a long comment. Each has its length before it.
func (f frm) extra(at, length int) (engine, comment string) {
	if length == 0 {
		return "", ""
	}
	end := at + length
	at += 2 + f.u16(at) // connection string
	if at+2 > end {
		return "", ""
	}
	engine = f.text(at+2, f.u16(at))
	at += 2 + f.u16(at)
	if at+5 < end {
		at += 5 + f.u32(at) // the clause that makes partitions, with a zero behind it
		if f.u32(frmVersion) >= 50110 {
			at++ // whether partitions are automatic
		}
	}
	if at+2 > end {
		return engine, ""
	}
	return engine, f.text(at+2, f.u16(at))
}

// legacyEngine is an engine by its number (sql/handler.h, enum legacy_db_type); "" for those that have a number of their own
// at each start.
func legacyEngine(n int) string {
	return map[int]string{
		6: "MEMORY", 9: "MyISAM", 10: "MRG_MyISAM", 12: "InnoDB", 14: "ndbcluster", 16: "ARCHIVE", 17: "CSV", 18: "FEDERATED",
		19: "BLACKHOLE", 42: "Aria",
	}[n]
}

// engineName is the usual spelling of a name that statements write in any case.
func engineName(name string) string {
	for _, known := range []string{"MEMORY", "MyISAM", "MRG_MyISAM", "InnoDB", "ARCHIVE", "CSV", "FEDERATED", "BLACKHOLE", "Aria", "ROCKSDB", "SEQUENCE"} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

// rowFormat is an enum row_type (sql/handler.h) by its name.
func rowFormat(n int) string {
	return map[int]string{1: "Fixed", 2: "Dynamic", 3: "Compressed", 4: "Redundant", 5: "Compact", 6: "Page"}[n]
}
