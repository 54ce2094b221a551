package mysqlspace

import (
	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

// predict hands a sampled tablespace to the model of rebuilds, with what the caller knows of the table beyond its file.
func predict(s *datadir.Sampled) (*rebuild.Prediction, error) {
	in := rebuild.Input{Server: rebuild.Server{MariaDB: s.MariaDB, CopyBulk: s.MariaDB}}
	var found rebuild.Table
	in.File, in.Indexes, found = rebuild.FromTablespace(s.Structure, s.Samples)
	in.Table = s.Table
	in.Table.Redundant, in.Table.Instant = found.Redundant, found.Instant || s.Table.Instant
	in.File.Bytes = s.Bytes
	return rebuild.Predict(in)
}
