package disk

import (
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// wrote makes entries of a term, each with one byte.
func wrote(term, from uint64, n int) (all []*core.Entry) {
	for i := range n {
		all = append(all, &core.Entry{Index: new(from + uint64(i)), Term: &term, Data: []byte{byte(i)}})
	}
	return all
}

func terms(d *Disk) (all []uint64) {
	for i := d.First(); i <= d.Last(); i++ {
		term, ok := d.Term(i)
		if !ok {
			return nil
		}
		all = append(all, term)
	}
	return all
}

func TestWhatWasWrittenIsThere(t *testing.T) {
	d := New(core.NewSnapshot(1, 1, []uint64{1, 2, 3}, nil, nil))
	d.Save(&Write{Hard: core.Hard{Term: 2, Vote: 3}, HardSet: true, Entries: wrote(2, 2, 4)})
	if h, voters, _ := d.Initial(); h != (core.Hard{Term: 2, Vote: 3}) || !slices.Equal(voters, []uint64{1, 2, 3}) {
		t.Errorf("%+v, %v", h, voters)
	}
	before, _ := d.Entries(2, 6, 1<<20)
	d.Save(&Write{Entries: wrote(3, 4, 1)}) // a leader replaces the end
	if got := terms(d); !slices.Equal(got, []uint64{2, 2, 3}) {
		t.Errorf("terms %v", got)
	}
	if core.EntryTerm(before[2]) != 2 {
		t.Error("what was read before has changed")
	}
	if d.Hard().Vote != 3 {
		t.Error("a write without a hard state changed it")
	}
	if some, ok := d.Entries(2, 5, 1); !ok || len(some) != 1 {
		t.Errorf("of at most one byte there are %d entries: one at least", len(some))
	}
}

// TestATornWriteLeavesAPart looks what is there of a write in whose midst the node crashed.
func TestATornWriteLeavesAPart(t *testing.T) {
	for part := range 5 {
		d := New(core.NewSnapshot(1, 1, []uint64{1}, nil, nil))
		d.Save(&Write{Hard: core.Hard{Term: 1}, HardSet: true, Entries: wrote(1, 2, 1)})
		d.Tear(&Write{Hard: core.Hard{Term: 9, Vote: 9}, HardSet: true, Entries: wrote(9, 3, 4)}, part)
		if d.Last() != 2+uint64(part) || d.Hard().Term != 1 {
			t.Errorf("%d of 4 entries: the log ends at %d, in term %d", part, d.Last(), d.Hard().Term)
		}
	}
}

func TestCompactionKeepsWhatFollows(t *testing.T) {
	d := New(core.NewSnapshot(1, 1, []uint64{1}, nil, nil))
	d.Save(&Write{Entries: append(wrote(1, 2, 3), wrote(2, 5, 3)...)})
	d.Compact(5)
	if d.First() != 6 || d.Last() != 7 || !slices.Equal(terms(d), []uint64{2, 2}) {
		t.Errorf("%d to %d, %v", d.First(), d.Last(), terms(d))
	}
	if term, ok := d.Term(5); !ok || term != 2 {
		t.Errorf("the term before the first entry is %d, %v", term, ok)
	}
	if _, ok := d.Term(4); ok {
		t.Error("a term is known of what was compacted")
	}
	if _, ok := d.Entries(5, 8, 100); ok {
		t.Error("entries are there that were compacted")
	}
	d.Save(&Write{Entries: wrote(2, 5, 4)}) // late: some of it is compacted
	if d.First() != 6 || d.Last() != 8 {
		t.Errorf("%d to %d", d.First(), d.Last())
	}
	d.Save(&Write{Snapshot: core.NewSnapshot(20, 4, []uint64{1, 2}, nil, nil)})
	if d.First() != 21 || d.Last() != 20 {
		t.Errorf("behind a snapshot: %d to %d", d.First(), d.Last())
	}
}
