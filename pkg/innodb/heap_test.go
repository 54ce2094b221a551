package innodb

import (
	"bytes"
	"testing"
)

// TestLengthsSumToThePagesBytes holds what is measured of real pages to what their headers say is in use.
func TestLengthsSumToThePagesBytes(t *testing.T) {
	for name, want := range map[string]struct {
		records int
		exact   bool
	}{
		"mariadb-plain": {200, false}, "mariadb-redundant": {400, true}, "mariadb-lz4": {400, false}, "mysql-plain": {200, false},
		"mysql-instant": {49, false}, "mariadb-instant": {49, false}, "mariadb-lob": {5, false},
	} {
		data, _ := sampleOf(t, name)
		s, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		st, err := s.Structure(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		index := &st.Indexes[0]
		if index.Type == TypeSDI {
			index = &st.Indexes[1]
		}
		sample, err := s.Sample(t.Context(), index, SampleOptions{Pages: 1000})
		if err != nil {
			t.Fatal(err)
		}
		records := 0
		for _, p := range sample.Pages {
			sum := p.DeletedBytes
			for _, n := range p.Lengths {
				sum += int(n)
			}
			// The description of instant columns is no row.
			whole := sum == p.DataBytes || name == "mariadb-instant" && sum < p.DataBytes
			if p.Damaged || p.Exact != want.exact || len(p.Lengths) != p.Records || !whole {
				t.Errorf("%s: %+v sums to %d", name, p, sum)
			}
			records += p.Records
		}
		if records != want.records {
			t.Errorf("%s: %d records, not %d", name, records, want.records)
		}
	}
}
