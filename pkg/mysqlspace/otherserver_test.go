package mysqlspace_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// TestFoldersOfTheOtherMake are refused before any table is compared: ids of tablespaces begin at 1 in both.
func TestFoldersOfTheOtherMake(t *testing.T) {
	for flavour, only := range map[string]string{"mariadb": "mysql.ibd", "mysql": "aria_log_control"} {
		dir := t.TempDir()
		for _, name := range []string{"ib_logfile0", only} {
			if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 4096), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := mysqlspace.Collect(t.Context(), mysqlspace.Options{Datadir: dir, Snapshot: &live.Snapshot{Flavour: flavour}})
		if !errors.Is(err, mysqlspace.ErrOtherServer) {
			t.Errorf("%s at the folder of the other: %v", flavour, err)
		}
	}
}

// TestTheFolderOfAReplica is that of a server with the same tables in the same tablespaces: a copy of another's, which a replica begins
// as.
func TestTheFolderOfAReplica(t *testing.T) {
	one := testpeers.RequireMariaDB(t, nil)
	if _, err := one.SQL(t.Context(), "create database shop; create table shop.t (id int primary key) engine=innodb"); err != nil {
		t.Fatal(err)
	}
	if err := one.Stop(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(folder, os.DirFS(one.Data)); err != nil {
		t.Fatal(err)
	}
	if err := one.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := mysqlspace.Options{Snapshot: snapshot(t, one), Datadir: folder}
	unsure := func(l space.Limit) bool { return strings.Contains(l.What, "whether the files are those of the server") }
	if report, err := mysqlspace.Collect(t.Context(), o); err != nil || !slices.ContainsFunc(report.Limits, unsure) {
		t.Errorf("a copy: %v, %+v", err, report)
	}
	two, err := testpeers.StartMariaDBOn(t.Context(), one.Tree(), testpeers.Folder{Path: folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := two.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := mysqlspace.Collect(t.Context(), o); !errors.Is(err, mysqlspace.ErrOtherServer) {
		t.Errorf("a folder that another server has in use: %v", err)
	}
	o.Datadir = one.Data
	if report, err := mysqlspace.Collect(t.Context(), o); err != nil || slices.ContainsFunc(report.Limits, unsure) {
		t.Errorf("its own: %v, %+v", err, report)
	}
}

// TestTheFolderOfAReplicaOfMySQL is known by the name that MySQL gives itself.
func TestTheFolderOfAReplicaOfMySQL(t *testing.T) {
	dir := t.TempDir()
	o := mysqlspace.Options{Datadir: dir, Snapshot: &live.Snapshot{Flavour: "mysql", Variables: map[string]string{"server_uuid": "11111111-aaaa-11ee-8000-000000000001"}}}
	for uuid, want := range map[string]error{"11111111-AAAA-11ee-8000-000000000001": nil, "22222222-aaaa-11ee-8000-000000000002": mysqlspace.ErrOtherServer} {
		err := errors.Join(os.WriteFile(filepath.Join(dir, "mysql.ibd"), make([]byte, 16384), 0o600),
			os.WriteFile(filepath.Join(dir, "auto.cnf"), []byte("[auto]\nserver-uuid="+uuid+"\n"), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mysqlspace.Collect(t.Context(), o); !errors.Is(err, want) {
			t.Errorf("%s: %v", uuid, err)
		}
	}
}
