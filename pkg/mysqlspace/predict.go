package mysqlspace

import (
	"strconv"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

// predict hands a sampled tablespace to the model of rebuilds, with what is known of the table and the server beyond its file.
func (o *Options) predict(s *datadir.Sampled) (*rebuild.Prediction, error) {
	in := rebuild.Input{Server: o.rebuilder(s.MariaDB)}
	var found rebuild.Table
	in.File, in.Indexes, found = rebuild.FromTablespace(s.Structure, s.Samples)
	in.Table = s.Table
	in.Table.Redundant, in.Table.Instant = found.Redundant, found.Instant || s.Table.Instant
	in.File.Bytes = s.Bytes
	return rebuild.Predict(in)
}

// rebuilder is the server that would rebuild: the one that was asked with its settings, else one with the defaults of now.
func (o *Options) rebuilder(mariadb bool) rebuild.Server {
	server := rebuild.Server{MariaDB: mariadb, CopyBulk: mariadb}
	snap := o.Snapshot
	if snap == nil {
		return server
	}
	server.FillFactor, server.Threads = int(snap.Bytes("innodb_fill_factor", 0)), int(snap.Bytes("innodb_ddl_threads", 0))
	if reserve, err := strconv.ParseFloat(snap.Variables["innodb_segment_reserve_factor"], 64); err == nil {
		server.Reserve = reserve
	}
	server.CopyBulk = mariadb && snap.On("innodb_alter_copy_bulk") // releases without it insert row by row
	return server
}
