package innodb

import "slices"

// Layout says how the records of an index in COMPACT or DYNAMIC format are made up, so that their lengths can be read from their
// headers. nil where that is not known.
type Layout []Field

// Field is a field of a record (dict0mem.h: dict_field_t).
type Field struct {
	Fixed    int  // bytes; 0: the record says the length
	Wide     bool // the length may take two bytes, and the value may be stored outside
	Nullable bool
}

// length reads a record's header: bytes with the header, and values that are stored outside. It is not ok for a record of another
// layout, as INSTANT changes leave, and for one that leaves the page (rem0rec.cc: rec_init_offsets_comp_ordinary).
func (l Layout) length(page []byte, r record) (length, external int, ok bool) {
	const ordinary, instantBits = 0, 0xc0
	if page[r.origin-3]&7 != ordinary || r.info&instantBits != 0 {
		return 0, 0, false
	}
	nullable := 0
	for _, f := range l {
		if f.Nullable {
			nullable++
		}
	}
	nulls := r.origin - recordHeader - 1
	at := nulls - (nullable+7)/8 // of the next length
	seen, data := 0, 0
	for _, f := range l {
		if f.Nullable {
			seen++
			if nulls-(seen-1)/8 < pageData {
				return 0, 0, false
			}
			if page[nulls-(seen-1)/8]>>((seen-1)%8)&1 != 0 {
				continue
			}
		}
		if f.Fixed > 0 {
			data += f.Fixed
			continue
		}
		if at-1 < pageData {
			return 0, 0, false
		}
		n := int(page[at])
		at--
		if f.Wide && n >= 0x80 {
			if n&0x40 != 0 {
				external++
			}
			n = n&0x3f<<8 | int(page[at])
			at--
		}
		data += n
	}
	return r.origin - 1 - at + data, external, r.origin+data <= len(page)-filTrailer
}

// Types of columns (data0type.h: DATA_VARCHAR and so on), and bits of the precise type.
const (
	typeChar      = 2
	typeFixBinary = 3
	typeBlob      = 5
	typeInt       = 6
	typeSys       = 8
	typeFloat     = 9
	typeDouble    = 10
	typeMySQL     = 13
	typeGeometry  = 14

	preciseBinary = 1024
	maxFixed      = 768 // longer ones say their length (DICT_MAX_FIXED_COL_LEN)
)

// Layout is that of an index by its id, as [ReadDictionary] makes it up: a clustered index has its key, transaction and roll
// pointer, then the other columns; another its own columns, then those of the clustered key. It is nil for a table in REDUNDANT
// format, whose records say their lengths, and where a column's character set is not known here. It does not hold for an index
// whose root is of [TypeInstant].
func (d *Dictionary) Layout(id uint64) Layout {
	t, index, ok := d.Index(id)
	if !ok || !t.Compact || index.Type&(IndexFulltext|IndexSpatial) != 0 || len(t.Indexes) == 0 {
		return nil
	}
	names := slices.Clone(index.Fields)
	var out Layout
	if index.Type&IndexClustered != 0 {
		if len(names) == 0 {
			out = append(out, Field{Fixed: 6}) // DB_ROW_ID
		}
	} else {
		names = missing(names, t.Indexes[0].Fields)
	}
	key := len(names)
	if index.Type&IndexClustered != 0 {
		all := make([]DictField, len(t.Columns))
		for i := range t.Columns {
			all[i].Column = t.Columns[i].Name
		}
		names = missing(names, all)
	}
	for i := 0; i <= len(names); i++ {
		if i == key && index.Type&IndexClustered != 0 {
			out = append(out, Field{Fixed: 6}, Field{Fixed: 7})
		}
		if i == len(names) {
			break
		}
		f, ok := t.field(names[i])
		if !ok {
			return nil
		}
		out = append(out, f)
	}
	if index.Type&IndexClustered == 0 && len(t.Indexes[0].Fields) == 0 {
		out = append(out, Field{Fixed: 6})
	}
	return out
}

// missing adds the fields that are not there whole.
func missing(have, more []DictField) []DictField {
	for _, f := range more {
		if !slices.ContainsFunc(have, func(h DictField) bool { return h.Column == f.Column && (h.Prefix == 0 || h.Prefix == f.Prefix) }) {
			have = append(have, f)
		}
	}
	return have
}

// field is a column's, or that of a prefix of it.
func (t *DictTable) field(of DictField) (f Field, ok bool) {
	i := slices.IndexFunc(t.Columns, func(c DictColumn) bool { return c.Name == of.Column })
	if i < 0 {
		return f, false
	}
	c := t.Columns[i]
	f = Field{Nullable: c.Nullable(), Wide: c.Length > 255 || c.Type == typeBlob || c.Type == typeGeometry}
	switch c.Type {
	case typeChar, typeFixBinary, typeInt, typeSys, typeFloat, typeDouble:
		f.Fixed = int(c.Length)
	case typeMySQL:
		single, known := singleByte(c.Precise >> 16)
		if c.Precise&preciseBinary == 0 && !known {
			return f, false
		}
		if c.Precise&preciseBinary != 0 || single {
			f.Fixed = int(c.Length)
		}
	}
	if of.Prefix > 0 && f.Fixed > int(of.Prefix) {
		f.Fixed = int(of.Prefix)
	}
	if f.Fixed > maxFixed {
		f.Fixed = 0
	}
	return f, true
}

// singleByte says whether each character of a collation has one byte; known is false for those that are not listed here.
func singleByte(collation uint32) (single, known bool) {
	switch collation {
	case 5, 8, 11, 15, 31, 47, 48, 49, 63, 65, 94: // latin1, ascii, binary
		return true, true
	case 33, 45, 46, 83: // utf8mb3 and utf8mb4
		return false, true
	}
	// The Unicode collations of UTF-8, and MariaDB's uca1400 ones of utf8mb3 and utf8mb4 (strings/ctype-uca.h).
	return false, collation >= 192 && collation <= 247 || collation >= 2048 && collation < 2048+2*256
}
