package reclaim

import "github.com/opsctl/opsctl/pkg/mysqlspace/space"

// needs is the space that a rebuild takes until it is done: the new files beside the old ones, and for the in-place build the
// sort files of secondary indexes.
func needs(t *Table, s Server) []Need {
	items := t.Partitions
	if len(items) == 0 {
		items = []space.Item{t.Item}
	}
	var all []Need
	for i := range items {
		if need, known := newFile(&items[i]); known {
			if i < len(t.Mounts) {
				need.Mount = t.Mounts[i]
			}
			all = merge(all, need)
		}
	}
	for i := range t.Auxiliary {
		if need, known := newFile(&t.Auxiliary[i]); known {
			need.Bytes, need.HighBytes, need.Mount = current(&t.Auxiliary[i]), current(&t.Auxiliary[i]), t.mount()
			all = merge(all, need)
		}
	}
	if t.Method != "in-place" {
		return all
	}
	if sort := sortFiles(t, s); sort.HighBytes > 0 {
		all = append(all, sort)
	}
	return all
}

func newFile(t *space.Item) (need Need, known bool) {
	now := current(t)
	if now < 0 || t.ReclaimableBytes == nil {
		return Need{}, false
	}
	return Need{
		For: "the new file", Bytes: max(0, now-*t.ReclaimableBytes),
		LowBytes: max(0, now-*t.ReclaimableHighBytes), HighBytes: max(0, now-*t.ReclaimableLowBytes),
	}, true
}

// merge adds a need to that of the same mount.
func merge(all []Need, need Need) []Need {
	for i := range all {
		if n := &all[i]; n.Mount == need.Mount {
			n.For = "the new files"
			n.Bytes, n.LowBytes, n.HighBytes = n.Bytes+need.Bytes, n.LowBytes+need.LowBytes, n.HighBytes+need.HighBytes
			return all
		}
	}
	return append(all, need)
}

// current is what the table takes on the disk now, -1 where it is not known.
func current(t *space.Item) int64 {
	switch {
	case t.AllocatedBytes != nil:
		return *t.AllocatedBytes
	case t.FileBytes != nil:
		return *t.FileBytes
	}
	return -1
}

// sortFiles are what row0merge.cc and ddl0*.cc write to innodb_tmpdir or tmpdir while they sort: a file for each index whose
// entries do not fit into the sort buffer, all of them at once after the scan, and one more as large as the largest while it
// is merged.
func sortFiles(t *Table, s Server) Need {
	need := Need{Mount: s.TmpMount, For: "sort files"}
	fill := 1.0
	if t.Fill != nil {
		fill = *t.Fill
	}
	var sum, largest int64
	for _, bytes := range t.Indexes {
		if bytes > s.SortBuffer {
			sum += bytes
			largest = max(largest, bytes)
		}
	}
	need.Bytes = int64(fill * float64(sum+largest))
	need.HighBytes = sum + largest
	need.LowBytes = int64(fill / 2 * float64(sum))
	return need
}
