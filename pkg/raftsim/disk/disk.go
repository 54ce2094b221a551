// Package disk is a simulated node's disk: what of its log is there after a crash. Writing is the caller's, who knows the time: a
// write that was begun and not finished when the node crashed may be there, in part or not at all.
package disk

import (
	"slices"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// Disk is what survives. It is a [core.Storage]: the core reads from it what it does not hold itself.
type Disk struct {
	hard     core.Hard
	snapshot *core.Snapshot
	entries  []*core.Entry // from first on
	first    uint64
	before   uint64 // term of the entry before the first
}

// New is a disk with a snapshot; nil for an empty one.
func New(s *core.Snapshot) *Disk {
	d := &Disk{first: 1}
	if s != nil {
		d.restore(s)
		d.hard = core.Hard{Term: core.SnapshotTerm(s), Commit: core.SnapshotIndex(s)}
	}
	return d
}

// Write is what one fsync(2) makes durable.
type Write struct {
	Hard     core.Hard
	HardSet  bool
	Snapshot *core.Snapshot // nil for none
	Entries  []*core.Entry
}

// Save makes a write durable: entries first, then the rest, as etcd's WAL has it (server/storage/wal/wal.go, Save).
func (d *Disk) Save(w *Write) {
	if w.Snapshot != nil && core.SnapshotIndex(w.Snapshot) > d.snapshotIndex() {
		d.restore(w.Snapshot)
	}
	d.append(w.Entries)
	if w.HardSet {
		d.hard = w.Hard
	}
}

// Tear makes only the first n entries of a write durable, as a crash in the midst of it does.
func (d *Disk) Tear(w *Write, n int) {
	if w.Snapshot == nil {
		d.append(w.Entries[:min(n, len(w.Entries))])
	}
}

func (d *Disk) append(entries []*core.Entry) {
	if len(entries) == 0 {
		return
	}
	at := core.EntryIndex(entries[0])
	if at < d.first { // compacted since
		skip := min(d.first-at, uint64(len(entries)))
		entries, at = entries[skip:], at+skip
		if len(entries) == 0 {
			return
		}
	}
	if at > d.Last()+1 {
		panic("a log with a hole")
	}
	// What stood there before is replaced in an array of its own: the core may still read the former.
	if keep := at - d.first; keep < uint64(len(d.entries)) {
		d.entries = slices.Clip(d.entries[:keep])
	}
	d.entries = append(d.entries, entries...)
}

func (d *Disk) restore(s *core.Snapshot) {
	index, term := core.SnapshotIndex(s), core.SnapshotTerm(s)
	d.snapshot, d.first, d.before, d.entries = s, index+1, term, nil
}

// Keep has a snapshot of the machine at an entry that is applied, kept for those who lag.
func (d *Disk) Keep(s *core.Snapshot) { d.snapshot = s }

// Compact forgets the entries up to one, which a snapshot covers.
func (d *Disk) Compact(through uint64) {
	if through < d.first || through > d.Last() {
		return
	}
	n := through - d.first + 1
	d.before = core.EntryTerm(d.entries[n-1])
	d.entries = slices.Clone(d.entries[n:])
	d.first = through + 1
}

// Hard is the term, vote and commit that are durable.
func (d *Disk) Hard() core.Hard { return d.hard }

func (d *Disk) snapshotIndex() uint64 {
	if d.snapshot == nil {
		return 0
	}
	return core.SnapshotIndex(d.snapshot)
}

// Initial is core.Storage's: the members are those of the snapshot, from which a machine starts as well.
func (d *Disk) Initial() (h core.Hard, voters, learners []uint64) {
	if d.snapshot != nil {
		voters, learners = core.SnapshotMembers(d.snapshot)
	}
	return d.hard, voters, learners
}

// Entries is core.Storage's.
func (d *Disk) Entries(lo, hi, size uint64) (entries []*core.Entry, ok bool) {
	if lo < d.first {
		return nil, false
	}
	entries = d.entries[lo-d.first : min(hi, d.Last()+1)-d.first]
	var sum uint64
	for i, e := range entries {
		sum += uint64(len(core.EntryData(e))) + 16
		if i > 0 && sum > size {
			entries = entries[:i]
			break
		}
	}
	return slices.Clip(entries), true
}

// Term is core.Storage's.
func (d *Disk) Term(index uint64) (term uint64, ok bool) {
	switch {
	case index == d.first-1:
		return d.before, true
	case index < d.first || index > d.Last():
		return 0, false
	}
	return core.EntryTerm(d.entries[index-d.first]), true
}

// First is core.Storage's.
func (d *Disk) First() uint64 { return d.first }

// Last is core.Storage's.
func (d *Disk) Last() uint64 { return d.first + uint64(len(d.entries)) - 1 }

// Snapshot is core.Storage's.
func (d *Disk) Snapshot() *core.Snapshot { return d.snapshot }
