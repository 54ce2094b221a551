package innodb

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/opsctl/opsctl/pkg/innodb/sdi"
)

// tablespaces are the files that internal/testpeers/cmd/capturemysql captured from real servers.
func tablespaces(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/tablespaces/*.gz")
	if err != nil || len(files) < 10 {
		tb.Fatalf("%d samples, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			tb.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err := errors.Join(err, f.Close()); err != nil {
			tb.Fatal(err)
		}
		all[filepath.Base(file)] = data
	}
	return all
}

// restamp gives a page the checksum of what it now holds, so that a reader looks at it.
func restamp(f Flags, page []byte) {
	size := len(page)
	switch {
	case f.FullCRC32:
		if t := typeOf(page); t&fullCRC32Comp != 0 {
			if n := int(t&^fullCRC32Comp) << 8; n > filData && n < size {
				size = n
			}
		}
		if size == len(page) {
			copy(page[size-8:], page[filLSN+4:filLSN+8])
		}
		binary.BigEndian.PutUint32(page[size-4:], castagnoli(page[:size-4]))
	case f.Compressed:
		binary.BigEndian.PutUint32(page, castagnoli(page[filOffset:filLSN])^castagnoli(page[filType:filType+2])^castagnoli(page[filSpace:]))
	default:
		sum := castagnoli(page[filOffset:filFlush]) ^ castagnoli(page[filData:size-filTrailer])
		binary.BigEndian.PutUint32(page, sum)
		binary.BigEndian.PutUint32(page[size-filTrailer:], sum)
		copy(page[size-4:], page[filLSN+4:filLSN+8])
	}
}

// mutate changes a file in at most 32 places: eight bytes a change say the page, the place, how many bytes, and which.
func mutate(data, changes []byte) []byte {
	out := bytes.Clone(data)
	f, err := parseFlags(u32(out, fspFlags))
	if err != nil {
		return out
	}
	size := f.PhysicalSize
	for range 32 {
		if len(changes) < 8 {
			break
		}
		number := int(u16(changes, 0)) % (len(out) / size)
		page := out[number*size:][:size]
		at := int(u16(changes, 2)) % size
		copy(page[at:], changes[4:5+changes[4]%4])
		restamp(f, page)
		changes = changes[8:]
	}
	return out
}

// counted counts what is read.
type counted struct {
	r    io.ReaderAt
	read int64
}

func (c *counted) ReadAt(b []byte, at int64) (int, error) {
	c.read += int64(len(b))
	return c.r.ReadAt(b, at)
}

// readAll does all that can be done with a file. It must end, and not read without end.
func readAll(t *testing.T, data []byte) {
	t.Helper()
	r := &counted{r: bytes.NewReader(data)}
	s, err := Open(r, int64(len(data)))
	if err != nil {
		return
	}
	st, err := s.Structure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Damage) > maxDamage+1 {
		t.Fatalf("%d damages", len(st.Damage))
	}
	for i := range 2 * len(st.Indexes) {
		o := SampleOptions{Pages: 8, Seed: 7}
		if i >= len(st.Indexes) {
			o.Layout = Layout{{Fixed: 4}, {Wide: true, Nullable: true}, {Nullable: true}, {Wide: true}}
		}
		sample, err := s.Sample(t.Context(), &st.Indexes[i%len(st.Indexes)], o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range sample.Pages {
			if p.Records < 0 || p.Deleted < 0 || p.DataBytes < 0 || p.DataBytes > 64<<10 || len(p.Lengths) > 64<<10 {
				t.Fatalf("page %+v", p)
			}
		}
	}
	if _, err := s.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, _ := s.SDI(t.Context())
	if d != nil {
		st.NameFromSDI(d)
	}
	if dictionary, _ := ReadDictionary(t.Context(), s); dictionary != nil {
		st.NameFrom(dictionary)
		for _, table := range dictionary.Tables {
			for _, index := range table.Indexes {
				dictionary.Layout(index.ID)
			}
		}
	}
	// Each page is read by a handful of passes, with more readings of damaged ones, and a page or two for each index.
	if limit := 64 * (int64(len(data)) + 1<<20); r.read > limit {
		t.Fatalf("%d bytes were read of a file of %d", r.read, len(data))
	}
}

// FuzzTablespace reads changed copies of real files.
func FuzzTablespace(f *testing.F) {
	all := tablespaces(f)
	for name := range all {
		f.Add(name, []byte{})
		f.Add(name, []byte{0, 0, 0, 54, 0, 0, 0, 0, 0, 2, 0, 45, 3, 0, 0, 2}) // flags; the list of INODE pages
		f.Add(name, []byte{0, 3, 0, 42, 1, 0xff, 0xff, 0, 0, 3, 0, 110, 1, 0, 99, 0})
		f.Add(name, []byte{0, 3, 0, 24, 1, 0, 18, 0, 0, 4, 0, 12, 3, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, name string, changes []byte) {
		if data, ok := all[name]; ok {
			readAll(t, mutate(data, changes))
		}
	})
}

// FuzzOpen reads files that are short enough for the fuzzer to invent.
func FuzzOpen(f *testing.F) {
	for _, data := range tablespaces(f) {
		f.Add(data[:min(len(data), 4<<10)])
	}
	f.Fuzz(readAll)
}

// FuzzDocument decodes documents of the dictionary.
func FuzzDocument(f *testing.F) {
	for name, data := range tablespaces(f) {
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		root, err := s.sdiRoot()
		if err != nil {
			continue
		}
		page, err := s.sdiPage(root)
		if err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		page = bytes.Clone(page)
		walk(page, func(origin int, _ byte) {
			length, _ := sdiLength(page, origin)
			if text, err := s.inflater.document(page[origin+sdiData:][:length], sdiLimit); err == nil {
				f.Add(u32(page, origin), bytes.Clone(text))
			}
		})
	}
	f.Fuzz(func(_ *testing.T, kind uint32, text []byte) {
		d := &sdi.Document{}
		if d.Add(kind, 1, text) != nil {
			return
		}
		for i := range d.Tables {
			d.Tables[i].Walk(func(string, uint64, *sdi.Index) {})
		}
	})
}
