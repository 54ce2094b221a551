package datadir_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// write makes files, and the folders they need.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinksAreNamedAndNotFollowed(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	write(t, other, map[string]string{"far/a.MYD": "rows", "far/notes": "x", "logs/bin.000001": "\xfebin", "logs/secret": "x"})
	write(t, dir, map[string]string{
		"shop/a.MYI": "\xfe\xfe\x07\x01", "shop/b.isl": filepath.Join(other, "far/b.ibd"), "bin.index": filepath.Join(other, "logs/bin.000001") + "\n",
		"one.000001": "\xfebin", "two.000001": "text",
	})
	for link, target := range map[string]string{"shop/a.MYD": "far/a.MYD", "linked": "far", "shop/gone.MYD": "nothing"} {
		if err := os.Symlink(filepath.Join(other, target), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "one.000001"), filepath.Join(dir, "three.000001")); err != nil {
		t.Fatal(err)
	}
	tree := walk(t.Context(), t, dir)
	sumsToDu(t, tree)
	if got := names(tree.Of(space.Unknown)); !slices.Equal(got, []string{"two.000001"}) {
		t.Errorf("unknown %q", got)
	}
	var beyond []string
	for _, f := range tree.Files {
		if filepath.IsAbs(f.Path) {
			beyond = append(beyond, f.Path)
		}
	}
	if want := []string{filepath.Join(other, "far/a.MYD"), filepath.Join(other, "logs/bin.000001")}; !slices.Equal(beyond, want) {
		t.Errorf("beyond %q, want %q", beyond, want)
	}
}

func TestWalkEnds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"shop/a.ibd": "x"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := datadir.Walk(ctx, datadir.Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := datadir.Walk(t.Context(), datadir.Options{Dir: filepath.Join(dir, "shop/a.ibd")}); err == nil {
		t.Error("a file is no data folder")
	}
	if _, err := datadir.Walk(t.Context(), datadir.Options{Dir: filepath.Join(dir, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzIndexFile(f *testing.F) {
	f.Add([]byte("./binlog.000001\n./binlog.000002\n"))
	f.Add([]byte("/var/log/mysql/bin.000001\n../x.999999\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if names, ok := datadir.ParseIndex(bytes.NewReader(text)); ok {
			for _, name := range names {
				if len(name) > len(text) {
					t.Errorf("%q", name)
				}
			}
		}
	})
}

func TestTableNames(t *testing.T) {
	for file, want := range map[string]datadir.TableName{
		"shop/plain.ibd":                         {Schema: "shop", Table: "plain"},
		"web@002d2/parts#P#p0#SP#p0sp1.ibd":      {Schema: "web-2", Table: "parts", Partition: "p0/p0sp1"},
		"shop/parts#p#p1#sp#p1sp0.ibd":           {Schema: "shop", Table: "parts", Partition: "p1/p1sp0"},
		"shop/v#i#00.ibd":                        {Schema: "shop", Table: "v", Index: "vector 00"},
		"/mnt/ssd/shop/far@0020away.MYI":         {Schema: "shop", Table: "far away"},
		"shop/a@0023p@0023b#P#b@0023sp@0023.ibd": {Schema: "shop", Table: "a#p#b", Partition: "b#sp#"},
	} {
		if got := datadir.ParseName(file); got != want {
			t.Errorf("%s: %+v, want %+v", file, got, want)
		}
	}
}

func FuzzTableName(f *testing.F) {
	f.Add("web@002d2/parts#P#p0#SP#p0sp1.ibd")
	f.Fuzz(func(t *testing.T, file string) {
		n := datadir.ParseName(file)
		if len(n.Schema)+len(n.Table)+len(n.Partition)+len(n.Index) > len(file)+len("vector ")+1 {
			t.Errorf("%q: %+v", file, n)
		}
	})
}
