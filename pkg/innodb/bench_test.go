package innodb

import (
	"bytes"
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

// BenchmarkSample reads a few leaves of each index as well: what a fill costs beside the structure.
func BenchmarkSample(b *testing.B) {
	data, err := os.ReadFile("../../testdata/mysql/mariadb-10.11/shop/customers.ibd")
	if err != nil {
		b.Fatal(err)
	}
	var s Space
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Reset(bytes.NewReader(data), int64(len(data))); err != nil {
			b.Fatal(err)
		}
		st, err := s.Structure(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for i := range st.Indexes {
			if _, err := s.Sample(b.Context(), &st.Indexes[i], SampleOptions{Pages: 8}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkSDI reads the dictionary of a small table of MySQL's.
func BenchmarkSDI(b *testing.B) {
	data := tablespaces(b)["mysql-plain.gz"]
	var s Space
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Reset(bytes.NewReader(data), int64(len(data))); err != nil {
			b.Fatal(err)
		}
		if d, err := s.SDI(b.Context()); err != nil || len(d.Tables) != 1 {
			b.Fatal(err)
		}
	}
}
