package sshaudit

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Filter selects what a document shows. Verdicts rest on everything that was
// read all the same. Empty fields select all.
type Filter struct {
	From []netip.Prefix
	User string
	Keys []string // fingerprints in any form, or parts of them
}

// Active tells whether anything is selected.
func (f *Filter) Active() bool { return len(f.From) > 0 || f.User != "" || len(f.Keys) > 0 }

func (f *Filter) apply(d *Document) {
	if !f.Active() {
		return
	}
	d.Logins = keep(d.Logins, func(l *Login) bool {
		return f.ip(l.IP) && f.user(l.User) && f.key(l.Fingerprint, proofKeyOf(l))
	})
	used := map[string]bool{}
	for i := range d.Logins {
		used[proofKeyOf(&d.Logins[i])] = true
	}
	d.Keys = keep(d.Keys, func(k *Key) bool { return f.selectKey(k, used) })
	d.Failures.Rows = keep(d.Failures.Rows, func(r *Failure) bool {
		return len(f.Keys) == 0 && f.network(r.IP) && f.user(r.User)
	})
	d.Findings = keep(d.Findings, func(x *Finding) bool {
		return x.scope.always || (len(f.From) == 0 || slices.ContainsFunc(x.scope.ips, f.ip)) &&
			(f.User == "" || slices.ContainsFunc(x.scope.users, f.user)) &&
			(len(f.Keys) == 0 || f.key(x.scope.keys...))
	})
	f.recount(&d.Failures)
}

// recount makes the totals those of the selected rows.
func (f *Filter) recount(fs *Failures) {
	fs.Total, fs.Distinct, fs.ByReason = 0, len(fs.Rows), map[string]uint64{}
	for i := range fs.Rows {
		fs.Total += fs.Rows[i].Count
		fs.ByReason[fs.Rows[i].Reason] += fs.Rows[i].Count
	}
}

func keep[T any](list []T, selects func(*T) bool) []T {
	return slices.DeleteFunc(list, func(x T) bool { return !selects(&x) })
}

func (f *Filter) selectKey(k *Key, used map[string]bool) bool {
	if len(f.From) > 0 && !slices.ContainsFunc(k.IPs, f.ip) {
		return false
	}
	if f.User != "" && !slices.Contains(k.Users, f.User) &&
		!slices.ContainsFunc(k.Locations, func(l Location) bool { return l.User == f.User }) {
		return false
	}
	return f.key(k.Fingerprint) || used[k.Fingerprint]
}

func (f *Filter) user(name string) bool { return f.User == "" || f.User == name }

func (f *Filter) ip(text string) bool {
	if len(f.From) == 0 {
		return true
	}
	ip, err := netip.ParseAddr(text)
	return err == nil && slices.ContainsFunc(f.From, func(p netip.Prefix) bool { return p.Contains(ip.WithZone("")) })
}

// network is ip for a row that may stand for a network.
func (f *Filter) network(text string) bool {
	if len(f.From) == 0 || !strings.Contains(text, "/") {
		return f.ip(text)
	}
	net, err := netip.ParsePrefix(text)
	return err == nil && slices.ContainsFunc(f.From, func(p netip.Prefix) bool { return p.Bits() <= net.Bits() && p.Contains(net.Addr()) })
}

func (f *Filter) key(fps ...string) bool {
	return len(f.Keys) == 0 || slices.ContainsFunc(fps, func(fp string) bool {
		return slices.ContainsFunc(f.Keys, func(want string) bool { return strings.Contains(fp, want) })
	})
}

// compareIP sorts addresses as numbers, names after them.
func compareIP(a, b string) int {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil {
		return cmp.Or(cmp.Compare(boolInt(errX != nil), boolInt(errY != nil)), cmp.Compare(a, b))
	}
	return x.Compare(y)
}
