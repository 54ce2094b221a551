package innodb

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkStructure opens a small table's file and reads its structure, as is done with each of thousands.
func BenchmarkStructure(b *testing.B) {
	name := filepath.Join(b.TempDir(), "t.ibd")
	data, err := os.ReadFile("../../testdata/mysql/mariadb-10.11/shop/customers.ibd")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.Fatal(err)
	}
	var s Space
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Reset(f, info.Size()); err != nil {
			b.Fatal(err)
		}
		st, err := s.Structure(b.Context())
		if err != nil || len(st.Indexes) != 2 {
			b.Fatalf("%v, %v", st, err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
