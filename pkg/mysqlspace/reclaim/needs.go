package reclaim

// needs is the space that a rebuild takes until it is done: the new file beside the old one, and for the in-place build the
// sort files of secondary indexes.
func needs(t *Table, s Server) []Need {
	after := current(t)
	if after < 0 {
		return nil
	}
	all := []Need{{
		Mount: t.Mount, For: "the new file", Bytes: max(0, after-*t.ReclaimableBytes),
		LowBytes: max(0, after-*t.ReclaimableHighBytes), HighBytes: max(0, after-*t.ReclaimableLowBytes),
	}}
	if t.Method != "in-place" {
		return all
	}
	if sort := sortFiles(t, s); sort.HighBytes > 0 {
		all = append(all, sort)
	}
	return all
}

// current is what the table takes on the disk now, -1 where it is not known.
func current(t *Table) int64 {
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
