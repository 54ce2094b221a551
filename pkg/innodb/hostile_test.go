package innodb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// sampleOf is a captured file, and its format.
func sampleOf(t *testing.T, name string) ([]byte, Flags) {
	t.Helper()
	data := tablespaces(t)[name+".gz"]
	f, err := parseFlags(u32(data, fspFlags))
	if err != nil {
		t.Fatal(err)
	}
	return data, f
}

func structureOf(t *testing.T, data []byte) *Structure {
	t.Helper()
	s, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.Structure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestWrongFilesAreNamed(t *testing.T) {
	data, _ := sampleOf(t, "mariadb-plain")
	other := bytes.Clone(data)
	copy(other, data[4096:8192])
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"empty":                    {nil, ErrTruncated},
		"half of a page":           {data[:2000], ErrTruncated},
		"text":                     {bytes.Repeat([]byte("no tablespace\n"), 1000), ErrNotTablespace},
		"zeros":                    {make([]byte, 1<<16), ErrNotTablespace},
		"another page as page 0":   {other, ErrNotTablespace},
		"two pages, the rest gone": {data[:8192], nil},
	} {
		s, err := Open(bytes.NewReader(c.data), int64(len(c.data)))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
		if c.want != nil {
			continue
		}
		st, err := s.Structure(t.Context())
		if err != nil || len(st.Damage) == 0 || !strings.Contains(errors.Join(st.Damage...).Error(), "truncated") {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
}

// TestDamageOfAPageLeavesTheRest breaks each page of a file once: no other index than the page's is lost, and the page is named.
func TestDamageOfAPageLeavesTheRest(t *testing.T) {
	data, f := sampleOf(t, "mariadb-plain")
	whole := structureOf(t, data)
	if len(whole.Damage) > 0 || len(whole.Indexes) != 2 {
		t.Fatalf("%+v", whole)
	}
	for number := 1; number < len(data)/f.PhysicalSize; number++ {
		broken := bytes.Clone(data)
		broken[number*f.PhysicalSize+200] ^= 0xff
		st := structureOf(t, broken)
		lost := 0
		for _, index := range whole.Indexes {
			if index.Root == uint32(number) {
				lost++
			}
		}
		if number == 2 { // the INODE page
			lost = 2
		}
		if len(st.Indexes) != 2-lost || (len(st.Damage) > 0) != (lost > 0) {
			t.Errorf("page %d: %d indexes, %v", number, len(st.Indexes), st.Damage)
		}
		var named *PageError
		if lost > 0 && (!errors.As(errors.Join(st.Damage...), &named) || named.Page != uint32(number)) {
			t.Errorf("page %d: %v", number, st.Damage)
		}
		s, err := Open(bytes.NewReader(broken), int64(len(broken)))
		if err != nil {
			t.Fatal(err)
		}
		tally, err := s.Scan(t.Context())
		if err != nil || len(tally.Bad) > 1 {
			t.Errorf("page %d: %v, %v", number, tally.Bad, err)
		}
	}
}

// TestMySQLsMarkOfEncryption sets it: nothing but the descriptors is read.
func TestMySQLsMarkOfEncryption(t *testing.T) {
	data, f := sampleOf(t, "mysql-plain")
	data = bytes.Clone(data)
	binary.BigEndian.PutUint32(data[fspFlags:], f.Raw|1<<13)
	restamp(f, data[:f.PhysicalSize])
	st := structureOf(t, data)
	if !st.Encrypted || len(st.Indexes) != 0 {
		t.Errorf("%+v", st)
	}
	s, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SDI(t.Context()); !errors.Is(err, ErrEncrypted) {
		t.Error(err)
	}
}

// TestEncryptedTablespacesAreNamed reads what MariaDB encrypted: it is said, and nothing is made of what the pages hold.
func TestEncryptedTablespacesAreNamed(t *testing.T) {
	for _, name := range []string{"mariadb-encrypted", "mariadb-encrypted-packed"} {
		data, f := sampleOf(t, name)
		st := structureOf(t, data)
		if !st.Encrypted || len(st.Indexes) != 0 || len(st.Damage) != 0 || st.FreePages == 0 {
			t.Errorf("%s: %+v", name, st)
		}
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		tally, err := s.Scan(t.Context())
		if err != nil || len(tally.Types) != 1 || len(tally.Indexes) != 0 || !errors.Is(errors.Join(tally.Bad...), ErrEncrypted) {
			t.Errorf("%s: %+v, %v", name, tally, err)
		}
		for number := range len(data) / f.PageSize {
			if reason := f.Verify(data[number*f.PageSize:][:f.PageSize]); reason != "" {
				t.Errorf("%s: page %d: %s", name, number, reason)
			}
		}
	}
	data, _ := sampleOf(t, "mariadb-lz4")
	s, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	tally, err := s.Scan(t.Context())
	if err != nil || len(tally.Bad) != 0 || len(tally.Indexes) != 1 {
		t.Fatalf("%+v, %v", tally, err)
	}
	for _, index := range tally.Indexes {
		if index.Records != 400 {
			t.Errorf("%d records of 400 are in pages packed with lz4", index.Records)
		}
	}
}

func TestRollbackSegments(t *testing.T) {
	for name, want := range map[string]int{"mysql-undo": 128, "mariadb-system": 128, "mysql-plain": 0} {
		data, _ := sampleOf(t, name)
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		places, err := s.RollbackPlaces(t.Context())
		if err != nil || len(places) != want {
			t.Errorf("%s: %d, %v", name, len(places), err)
		}
		for _, p := range places {
			if p.Page >= s.Header.FilePages { // the sample is cut
				continue
			}
			if r, err := s.Rollback(p.Page); err != nil || r.History > 100 {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
	}
}

// TestJoinedFiles cuts a file in two: what is read of both is what is read of the one.
func TestJoinedFiles(t *testing.T) {
	data, f := sampleOf(t, "mariadb-system")
	cut := 100 * f.PageSize
	r, size := Join(Part{bytes.NewReader(data[:cut]), int64(cut)}, Part{bytes.NewReader(data[cut:]), int64(len(data) - cut)})
	s, err := Open(r, size)
	if err != nil {
		t.Fatal(err)
	}
	for number := range uint32(len(data) / f.PageSize) {
		page, err := s.Page(number)
		if err != nil && !strings.Contains(err.Error(), "says that it is page") { // of the doublewrite buffer
			t.Error(err)
		}
		if !bytes.Equal(page, data[int(number)*f.PageSize:][:f.PageSize]) {
			t.Fatalf("page %d differs", number)
		}
	}
	all := make([]byte, len(data))
	if n, err := r.ReadAt(all, 0); n != len(data) || err != nil || !bytes.Equal(all, data) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// torn gives one page half written as often as left says.
type torn struct {
	data       []byte
	page, size int
	left       int
}

func (r *torn) ReadAt(b []byte, at int64) (int, error) {
	n := copy(b, r.data[at:])
	if place := r.page*r.size + r.size/2 - int(at); r.left > 0 && place >= 0 && place < n {
		r.left--
		b[place] ^= 0xff
	}
	return n, nil
}

// TestATornPageIsReadAgain: a server may be writing it. One that stays torn is damage of that page.
func TestATornPageIsReadAgain(t *testing.T) {
	data, f := sampleOf(t, "mariadb-plain")
	root := structureOf(t, data).Indexes[0].Root
	for times, whole := range map[int]bool{1: true, rereads: true, rereads + 1: false} {
		r := &torn{data: data, page: int(root), size: f.PhysicalSize, left: times}
		s, err := Open(r, int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		st, err := s.Structure(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if whole != (len(st.Damage) == 0 && len(st.Indexes) == 2) {
			t.Errorf("torn %d times: %v", times, st.Damage)
		}
		var named *PageError
		if !whole && (!errors.As(errors.Join(st.Damage...), &named) || named.Page != root) {
			t.Errorf("torn %d times: %v", times, st.Damage)
		}
	}
}
