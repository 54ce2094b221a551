package datadir_test

import (
	"sync/atomic"
	"testing"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
)

// TestTablespacesTellTheirMake reads a copy of some files of MariaDB, without aria_log_control.
func TestTablespacesTellTheirMake(t *testing.T) {
	tree, err := datadir.Walk(t.Context(), datadir.Options{Dir: "../../../testdata/mysql/mariadb-10.11"})
	if err != nil || tree.MariaDB() {
		t.Fatal(err, tree.MariaDB())
	}
	var mariadb, others atomic.Int64
	_, _, err = tree.Tables(t.Context(), datadir.TableOptions{Sample: 64, Predict: func(s *datadir.Sampled) (*rebuild.Prediction, error) {
		if s.MariaDB {
			mariadb.Add(1)
		} else {
			others.Add(1)
		}
		return nil, rebuild.ErrNoIndex
	}})
	if err != nil || mariadb.Load() == 0 || others.Load() > 0 {
		t.Errorf("%d tablespaces of MariaDB, %d of MySQL, %v", mariadb.Load(), others.Load(), err)
	}
}
