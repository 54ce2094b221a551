package sshaudit

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
)

// failures sorts the rows and cuts them to the largest.
func (r *reporter) failures() {
	f := Failures{ByReason: map[string]uint64{}, Rows: []Failure{}, Distinct: r.p.fails.n}
	f.Detail = [...]string{"user", "known-user", "address", "network", "wide-network", "host"}[r.p.fails.level]
	for i, n := range r.p.fails.totals {
		if n > 0 {
			f.Total += n
			f.ByReason[Reason(i).String()] = n
		}
	}
	for _, row := range r.largest() {
		f.Rows = append(f.Rows, r.failure(row))
	}
	sort.SliceStable(f.Rows, func(i, j int) bool {
		a, b := &f.Rows[i], &f.Rows[j]
		return cmp.Or(
			cmp.Compare(b.Count, a.Count), cmp.Compare(a.Host, b.Host), cmp.Compare(a.IP, b.IP), cmp.Compare(a.User, b.User),
			cmp.Compare(a.Reason, b.Reason),
		) < 0
	})
	f.Truncated = r.p.fails.level > levelFull
	r.doc.Failures = f
}

// largest gives the rows that may be shown: with a filter all, else those that
// count as many failures as the last of the Top largest, or more.
func (r *reporter) largest() []*failRow {
	rows := make([]*failRow, 0, min(r.p.fails.n, 1<<16))
	least := uint64(0)
	if top := r.o.Top; top > 0 && top < r.p.fails.n && !r.o.Filter.Active() {
		least = nthCount(r.p.fails, top)
	}
	for i := range r.p.fails.n {
		if row := r.p.fails.row(i); row.count >= least {
			rows = append(rows, row)
		}
	}
	return rows
}

// nthCount gives the count of the n-th largest row, of n or more. Nearly all rows have a
// small one: those are counted by it, and only the others sorted.
func nthCount(f *failTable, n int) uint64 {
	var small [256]int
	var large []uint64
	for i := range f.n {
		if c := f.row(i).count; c < uint64(len(small)) {
			small[c]++
		} else {
			large = append(large, c)
		}
	}
	if n <= len(large) {
		slices.Sort(large)
		return large[len(large)-n]
	}
	c, above := len(small)-1, len(large)+small[len(small)-1]
	for ; above < n; above += small[c] {
		c--
	}
	return uint64(c)
}

func (r *reporter) failure(row *failRow) Failure {
	f := Failure{
		Host: r.p.hosts[row.host].name, IP: r.p.addrText(row.addr), User: string(r.p.fails.user(row)), Reason: row.reason.String(),
		Merged: row.collapsed != 0, Count: row.count, First: at(int64(row.first)), Last: at(int64(row.last)),
	}
	if row.collapsed&collapseAddr != 0 {
		f.IP = ""
		if row.bits > 0 {
			f.IP = netip.PrefixFrom(row.addr.netip(), int(row.bits)).String()
		}
	}
	return f
}
