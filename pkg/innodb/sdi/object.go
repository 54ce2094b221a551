package sdi

import "math"

// The documents as they are written.
type (
	tablespaceObject struct {
		Name    string `json:"name"`
		Comment string `json:"comment"`
		Options Pairs  `json:"options"`
		Private Pairs  `json:"se_private_data"`
	}
	tableObject struct {
		Name       string            `json:"name"`
		Schema     string            `json:"schema_ref"`
		Comment    string            `json:"comment"`
		Engine     string            `json:"engine"`
		TableID    uint64            `json:"se_private_id"`
		RowFormat  RowFormat         `json:"row_format"`
		Options    Pairs             `json:"options"`
		Columns    []columnObject    `json:"columns"`
		Indexes    []indexObject     `json:"indexes"`
		Partitions []partitionObject `json:"partitions"`
	}
	columnObject struct {
		Name      string     `json:"name"`
		Type      string     `json:"column_type_utf8"`
		Kind      int        `json:"type"`
		Nullable  bool       `json:"is_nullable"`
		Virtual   bool       `json:"is_virtual"`
		Hidden    int        `json:"hidden"`
		Length    uint32     `json:"char_length"`
		Collation uint32     `json:"collation_id"`
		Numeric   uint32     `json:"numeric_precision"`
		Scale     uint32     `json:"numeric_scale"`
		DateTime  uint32     `json:"datetime_precision"`
		Elements  []struct{} `json:"elements"`
		Private   Pairs      `json:"se_private_data"`
	}
	indexObject struct {
		Name     string          `json:"name"`
		Hidden   bool            `json:"hidden"`
		Type     int             `json:"type"`
		Private  Pairs           `json:"se_private_data"`
		Elements []elementObject `json:"elements"`
	}
	elementObject struct {
		Column int    `json:"column_opx"`
		Length uint32 `json:"length"`
		Hidden bool   `json:"hidden"`
	}
	partitionObject struct {
		Name          string            `json:"name"`
		Comment       string            `json:"comment"`
		TableID       uint64            `json:"se_private_id"`
		Indexes       []indexObject     `json:"indexes"`
		Subpartitions []partitionObject `json:"subpartitions"`
	}
)

func (o *tableObject) table(id uint64, server uint32) Table {
	t := Table{
		ID: id, TableID: known(o.TableID), Schema: o.Schema, Name: o.Name, Engine: o.Engine, Comment: o.Comment, ServerVersion: server,
		RowFormat: o.RowFormat, Options: o.Options, Columns: make([]Column, len(o.Columns)), Indexes: indexes(o.Indexes),
		Partitions: partitions(o.Partitions, names(o.Indexes)),
	}
	for i := range o.Columns {
		t.Columns[i] = o.Columns[i].column()
	}
	return t
}

// names are the indexes' names: partitions' have none of their own.
func names(all []indexObject) []string {
	out := make([]string, len(all))
	for i := range all {
		out[i] = all[i].Name
	}
	return out
}

func (o *columnObject) column() Column {
	position := -1
	if _, ok := o.Private["physical_pos"]; ok {
		position = int(o.Private.Uint("physical_pos"))
	}
	return Column{
		Name: o.Name, Type: o.Type, Kind: o.Kind, Nullable: o.Nullable, Virtual: o.Virtual, Hidden: o.Hidden > 1, Length: o.Length,
		Collation: o.Collation, NumericPrecision: o.Numeric, NumericScale: o.Scale, DateTimePrecision: o.DateTime, ElementCount: len(o.Elements),
		VersionAdded: int(o.Private.Uint("version_added")), VersionDropped: int(o.Private.Uint("version_dropped")), PhysicalPosition: position,
	}
}

func indexes(all []indexObject) []Index {
	out := make([]Index, len(all))
	for i := range all {
		o := &all[i]
		out[i] = Index{
			Name: o.Name, ID: o.Private.Uint("id"), Root: uint32(o.Private.Uint("root")), Space: uint32(o.Private.Uint("space_id")),
			Type: o.Type, Hidden: o.Hidden, Elements: make([]Element, len(o.Elements)),
		}
		for j, e := range o.Elements {
			out[i].Elements[j] = Element(e)
		}
	}
	return out
}

func partitions(all []partitionObject, indexNames []string) []Partition {
	if len(all) == 0 {
		return nil
	}
	out := make([]Partition, len(all))
	for i := range all {
		o := &all[i]
		out[i] = Partition{
			Name: o.Name, TableID: known(o.TableID), Comment: o.Comment, Indexes: indexes(o.Indexes), Subpartitions: partitions(o.Subpartitions, indexNames),
		}
		for j := range min(len(indexNames), len(out[i].Indexes)) {
			out[i].Indexes[j].Name = indexNames[j]
		}
	}
	return out
}

// known turns the mark of no id into 0.
func known(id uint64) uint64 {
	if id == math.MaxUint64 {
		return 0
	}
	return id
}
