package innodb

import (
	"context"
	"errors"
	"fmt"
	"sort"
)

// Dictionary is what the system tablespace says of all tables: that of MariaDB, and of MySQL up to 5.7 (dict0boot.h). MySQL 8
// and later keep theirs in mysql.ibd, and a copy in each tablespace: see [Space.SDI].
type Dictionary struct {
	Tables []DictTable // by id
	Damage []error

	byIndex map[uint64]dictPlace
}

// dictPlace is where an index is in Dictionary.Tables.
type dictPlace struct{ table, index int }

// DictTable is a table, or a partition of one.
type DictTable struct {
	ID uint64
	// Name is "schema/table", in the form that files have: see [DecodeName].
	Name    string
	SpaceID uint32 // 0 is the system tablespace
	// Compact: the rows are not in REDUNDANT format.
	Compact bool
	Columns []DictColumn // in their order; virtual ones are not among them
	Indexes []DictIndex  // by id: the clustered index first
}

// DictColumn is a stored column, with InnoDB's own types (data0type.h: DATA_VARCHAR and so on).
type DictColumn struct {
	Name    string
	Type    uint32 // mtype
	Precise uint32 // prtype: the SQL type in its lowest byte, then flags, then the collation
	Length  uint32 // bytes; 0 for BLOB and TEXT
}

// Nullable says whether the column can be NULL (DATA_NOT_NULL).
func (c DictColumn) Nullable() bool { return c.Precise&256 == 0 }

// Kinds of indexes in DictIndex.Type (dict0mem.h), which are bits.
const (
	IndexClustered = 1
	IndexUnique    = 2
	IndexChange    = 8 // the change buffer's
	IndexFulltext  = 32
	IndexSpatial   = 64
)

// DictIndex is an index.
type DictIndex struct {
	ID      uint64
	Name    string
	Type    uint32
	SpaceID uint32
	Root    uint32 // None for a full-text index, which is kept in tables of its own
	Fields  []DictField
}

// DictField is a column of an index's definition, with the bytes of a prefix, or 0 for the whole.
type DictField struct {
	Column string
	Prefix uint32
}

// Index finds an index by its id.
func (d *Dictionary) Index(id uint64) (table *DictTable, index *DictIndex, ok bool) {
	at, ok := d.byIndex[id]
	if !ok {
		return nil, nil, false
	}
	t := &d.Tables[at.table]
	return t, &t.Indexes[at.index], true
}

// ErrNoDictionary is that of a system tablespace without one, as that of MySQL 8 and later.
var ErrNoDictionary = errors.New("the system tablespace holds no dictionary")

// The dictionary's own tables, by the places of their roots in page 7 (dict0boot.h: DICT_HDR_TABLES and so on).
const (
	dictPage    = 7
	dictTables  = filData + 32
	dictColumns = filData + 40
	dictIndexes = filData + 44
	dictFields  = filData + 48
)

// ReadDictionary reads it from the system tablespace: ibdata1, or all files of it in one reader. Damaged pages are in Damage, and
// the rest is here all the same. Memory grows with the number of tables.
func ReadDictionary(ctx context.Context, system *Space) (*Dictionary, error) {
	if system.Header.SpaceID != 0 {
		return nil, fmt.Errorf("tablespace %d: %w", system.Header.SpaceID, ErrNoDictionary)
	}
	if system.Header.Encrypted {
		return nil, ErrEncrypted
	}
	page, err := system.content(dictPage)
	if err != nil {
		return nil, err
	}
	var roots [4]uint32
	for i, at := range []int{dictTables, dictColumns, dictIndexes, dictFields} {
		roots[i] = u32(page, at)
		if typeOf(page) != TypeSys || roots[i] == 0 || roots[i] >= system.Header.FilePages {
			return nil, ErrNoDictionary
		}
	}
	d := &Dictionary{byIndex: map[uint64]dictPlace{}}
	r := dictReader{d: d, tables: map[uint64]int{}}
	for i, add := range []func(oldRecord){r.table, r.column, r.index, r.field} {
		if err := system.oldRows(ctx, roots[i], add, d.bad); err != nil {
			return d, err
		}
		if i == 2 {
			r.sort()
		}
	}
	return d, nil
}

func (d *Dictionary) bad(err error) {
	if len(d.Damage) < maxDamage {
		d.Damage = append(d.Damage, err)
	}
}

// dictReader puts rows together.
type dictReader struct {
	d      *Dictionary
	tables map[uint64]int // places in d.Tables by id
}

// table is a row of SYS_TABLES: name, transaction, roll pointer, id, columns, type, mix id, mix length, cluster, space.
func (r *dictReader) table(row oldRecord) {
	t := DictTable{Name: string(row.field(0)), ID: row.number(3), SpaceID: uint32(row.number(9)), Compact: row.number(4)>>31 == 1}
	if _, twice := r.tables[t.ID]; twice || t.Name == "" {
		return
	}
	r.tables[t.ID] = len(r.d.Tables)
	r.d.Tables = append(r.d.Tables, t)
}

// column is a row of SYS_COLUMNS: table, position, transaction, roll pointer, name, type, precise type, length, precision.
func (r *dictReader) column(row oldRecord) {
	if i, ok := r.tables[row.number(0)]; ok && row.number(6)&dataVirtual == 0 {
		t := &r.d.Tables[i]
		t.Columns = append(t.Columns, DictColumn{
			Name: string(row.field(4)), Type: uint32(row.number(5)), Precise: uint32(row.number(6)), Length: uint32(row.number(7)),
		})
	}
}

// dataVirtual is DATA_VIRTUAL.
const dataVirtual = 8192

// index is a row of SYS_INDEXES: table, id, transaction, roll pointer, name, fields, type, space, root. A name that begins with
// 0xff is of one that is being made.
func (r *dictReader) index(row oldRecord) {
	if i, ok := r.tables[row.number(0)]; ok {
		t := &r.d.Tables[i]
		t.Indexes = append(t.Indexes, DictIndex{
			ID: row.number(1), Name: string(row.field(4)), Type: uint32(row.number(6)), SpaceID: uint32(row.number(7)), Root: uint32(row.number(8)),
		})
	}
}

// sort puts tables in the order of their ids, once all of them and their indexes are there.
func (r *dictReader) sort() {
	sort.SliceStable(r.d.Tables, func(i, j int) bool { return compareIDs(r.d.Tables[i].ID, r.d.Tables[j].ID) < 0 })
	for i := range r.d.Tables {
		t := &r.d.Tables[i]
		sort.SliceStable(t.Indexes, func(i, j int) bool { return compareIDs(t.Indexes[i].ID, t.Indexes[j].ID) < 0 })
		for j := range t.Indexes {
			r.d.byIndex[t.Indexes[j].ID] = dictPlace{i, j}
		}
	}
}

func compareIDs(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// field is a row of SYS_FIELDS: index, position, transaction, roll pointer, column. In an index with a prefix or a descending
// column the position is in the upper half, and the lower has the prefix, and MariaDB's mark of a descending column as its
// highest bit. A first position of 0 with neither looks the same in both forms.
func (r *dictReader) field(row oldRecord) {
	_, index, ok := r.d.Index(row.number(0))
	if !ok {
		return
	}
	position, f := uint32(row.number(1)), DictField{Column: string(row.field(4))}
	if position != uint32(len(index.Fields)) || position>>16 != 0 {
		f.Prefix = position & 0x7fff
	}
	index.Fields = append(index.Fields, f)
}

// NameFrom gives the structure's indexes their names and tables, as far as the dictionary has them.
func (st *Structure) NameFrom(d *Dictionary) {
	for i := range st.Indexes {
		if t, index, ok := d.Index(st.Indexes[i].ID); ok && index.SpaceID == st.SpaceID {
			st.Indexes[i].Name, st.Indexes[i].Table = index.Name, DecodeName(t.Name)
		}
	}
}
