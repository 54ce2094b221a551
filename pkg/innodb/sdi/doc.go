// Package sdi decodes serialized dictionary information: what MySQL 8 and later write into a tablespace of the tables that are
// in it (sql/dd/impl/sdi.cc). Only what says how tables use the disk is kept: names, ids, columns, indexes, partitions, options.
package sdi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Kinds of records: sdi_key_t::type.
const (
	KindTable      = 1
	KindTablespace = 2
)

// Document is all that a tablespace says of itself.
type Document struct {
	Tables     []Table
	Tablespace Tablespace // its Name is "" where it does not say
}

// Tablespace is what a tablespace says of itself.
type Tablespace struct {
	ID      uint64 // that of the dictionary; the tablespace's own is in Private
	Name    string
	Comment string
	Options Pairs
	Private Pairs
}

// Table is a table of the tablespace. A partitioned one is whole in the tablespace of its first partition alone.
type Table struct {
	ID            uint64 // dictionary's
	TableID       uint64 // InnoDB's; 0 for a partitioned table, whose partitions have one each
	Schema, Name  string
	Engine        string
	Comment       string
	ServerVersion uint32 // such as 90704
	RowFormat     RowFormat
	Options       Pairs
	Columns       []Column
	Indexes       []Index
	Partitions    []Partition
}

// RowFormat is the dictionary's (dd::Table::enum_row_format).
type RowFormat int

// Row formats.
const (
	RowFixed RowFormat = iota + 1
	RowDynamic
	RowCompressed
	RowRedundant
	RowCompact
	RowPaged
)

// Column is a column, those that the server adds among them, and those that an INSTANT change dropped but rows still have.
type Column struct {
	Name string
	// Type is as CREATE TABLE says it, "" for hidden columns; Kind is dd::enum_column_types.
	Type              string
	Kind              int
	Nullable, Virtual bool
	Hidden            bool   // queries do not see it
	Length            uint32 // char_length: bytes at most
	Collation         uint32
	VersionAdded      int // 0: there from the beginning
	VersionDropped    int // 0: it is there
	PhysicalPosition  int // in the record; -1: not said, then in the order of Columns
	ElementCount      int // of ENUM and SET

	NumericPrecision, NumericScale, DateTimePrecision uint32
}

// Index is an index.
type Index struct {
	Name  string
	ID    uint64 // InnoDB's; 0 in a partitioned table: each partition's has its own
	Root  uint32
	Space uint32
	// Type is dd::Index::enum_index_type: 1 primary, 2 unique, 3 multiple, 4 full-text, 5 spatial.
	Type     int
	Hidden   bool
	Elements []Element
}

// Element is a column of an index. Hidden ones are not of its definition: the rest of a clustered index's row, a secondary
// index's primary key.
type Element struct {
	Column int    // index in Table.Columns
	Length uint32 // of a prefix, in bytes; 4294967295: all
	Hidden bool
}

// Partition is a partition, or a subpartition of it.
type Partition struct {
	Name          string
	TableID       uint64 // InnoDB's; 0 where subpartitions hold the rows
	Comment       string
	Indexes       []Index // names are the table's at the same place
	Subpartitions []Partition
}

// Pairs are key=value; texts, as the dictionary writes them (sql/dd/impl/properties_impl.cc: a backslash before a separator).
type Pairs map[string]string

// UnmarshalJSON reads the text.
func (p *Pairs) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*p = parsePairs(text)
	return nil
}

func parsePairs(text string) Pairs {
	if text == "" {
		return nil
	}
	p := Pairs{}
	var key, word strings.Builder
	at := &key
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			at.WriteByte(text[i])
		case c == '=' && at == &key:
			at = &word
		case c == ';':
			p[key.String()] = word.String()
			key.Reset()
			word.Reset()
			at = &key
		default:
			at.WriteByte(c)
		}
	}
	return p
}

// Uint is a pair's number, 0 where it is none.
func (p Pairs) Uint(key string) uint64 {
	n, err := strconv.ParseUint(p[key], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Add decodes a record of the given kind and id. Another kind is ignored.
func (d *Document) Add(kind uint32, id uint64, text []byte) error {
	switch kind {
	case KindTable:
		var o struct {
			Object tableObject `json:"dd_object"`
			Server uint32      `json:"mysqld_version_id"`
		}
		if err := json.Unmarshal(text, &o); err != nil {
			return fmt.Errorf("decoding the dictionary's table %d: %w", id, err)
		}
		d.Tables = append(d.Tables, o.Object.table(id, o.Server))
	case KindTablespace:
		var o struct {
			Object tablespaceObject `json:"dd_object"`
		}
		if err := json.Unmarshal(text, &o); err != nil {
			return fmt.Errorf("decoding the dictionary's tablespace %d: %w", id, err)
		}
		d.Tablespace = Tablespace{ID: id, Name: o.Object.Name, Comment: o.Object.Comment, Options: o.Object.Options, Private: o.Object.Private}
	}
	return nil
}

// Walk calls f for each index of the table with rows: its own, or those of its partitions, by the partition's name, a
// subpartition's behind "#SP#", and InnoDB's id of what holds the rows.
func (t *Table) Walk(f func(partition string, tableID uint64, index *Index)) {
	if len(t.Partitions) == 0 {
		for i := range t.Indexes {
			f("", t.TableID, &t.Indexes[i])
		}
		return
	}
	for i := range t.Partitions {
		t.Partitions[i].walk("", f)
	}
}

func (p *Partition) walk(above string, f func(string, uint64, *Index)) {
	if len(p.Subpartitions) > 0 {
		for i := range p.Subpartitions {
			p.Subpartitions[i].walk(p.Name+"#SP#", f)
		}
		return
	}
	for i := range p.Indexes {
		f(above+p.Name, p.TableID, &p.Indexes[i])
	}
}
