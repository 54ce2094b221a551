package mysqlspace

import (
	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

// predict hands a sampled tablespace to the model of rebuilds.
func predict(s *datadir.Sampled) (*rebuild.Prediction, error) {
	st := s.Structure
	in := rebuild.Input{
		Server: rebuild.Server{MariaDB: s.MariaDB, CopyBulk: true}, Table: s.Table,
		File: rebuild.File{
			PageSize: uint32(st.Flags.PageSize), PhysicalSize: uint32(st.Flags.PhysicalSize), Bytes: s.Bytes, FreePages: st.FreePages,
			Shared: st.Flags.Shared, PageCompressed: st.Flags.PageCompressed,
		},
		Indexes: make([]rebuild.Index, 0, len(st.Indexes)),
	}
	clustered := true
	for i := range st.Indexes {
		index := &st.Indexes[i]
		x := rebuildIndex(index, s.Samples[i])
		if !x.SDI {
			x.Clustered = clustered
			in.Table.Redundant = in.Table.Redundant || clustered && !index.Compact
			clustered = false
		}
		in.Table.Spatial = in.Table.Spatial || index.Type == innodb.TypeRtree
		in.Table.Instant = in.Table.Instant || index.Type == innodb.TypeInstant
		in.Indexes = append(in.Indexes, x)
	}
	return rebuild.Predict(in)
}

func rebuildIndex(index *innodb.Index, sample *innodb.Sample) rebuild.Index {
	x := rebuild.Index{
		SDI: index.Type == innodb.TypeSDI, Level: index.Level, RootRecords: uint32(index.Records),
		LeafUsed: index.Leaf.Used, InternalUsed: index.Internal.Used,
		Pages: make([]rebuild.Page, 0, len(sample.Pages)), LOB: uint32(sample.LOBPages), Other: uint32(sample.OtherPages + sample.BadPages),
	}
	for i := range sample.Pages {
		p := &sample.Pages[i]
		x.Pages = append(x.Pages, rebuild.Page{Lengths: p.Lengths, Deleted: p.Deleted, Compressed: p.CompressedBytes, Allocated: p.PackedBytes})
	}
	return x
}
