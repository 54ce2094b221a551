package sshaudit

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys"
)

// maxGap is how long, in seconds, the logs may be silent before they no longer
// prove that nothing happened: a rotated file is missing, or the host was down.
const maxGap = 7 * 24 * 3600

// keyRow is a key with what its verdict needs.
type keyRow struct {
	Key
	files []*authkeys.Key
	hosts []string // where it was used
}

// keys builds a row for each key of the files, each authority, and each key that
// was logged but stands in no file.
func (r *reporter) keys() {
	rows := map[string]*keyRow{}
	if r.o.Keys != nil {
		r.fileKeys(rows)
		r.authorities(rows)
	}
	r.use(rows)
	r.evidence = r.window()
	for _, row := range rows {
		r.judge(row, r.evidence)
		sort.SliceStable(row.Locations, func(i, j int) bool {
			a, b := &row.Locations[i], &row.Locations[j]
			return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.User, b.User), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) < 0
		})
		slices.Sort(row.Users)
		sort.Slice(row.IPs, func(i, j int) bool { return compareIP(row.IPs[i], row.IPs[j]) < 0 })
		slices.Sort(row.hosts)
		row.Users, row.IPs, row.hosts = slices.Compact(row.Users), slices.Compact(row.IPs), slices.Compact(row.hosts)
		r.rows = append(r.rows, row)
	}
	slices.SortFunc(r.rows, func(a, b *keyRow) int {
		return cmp.Or(compareSeen(b.LastSeen, a.LastSeen), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Host, b.Host))
	})
	r.doc.Keys = make([]Key, 0, len(r.rows))
	for _, row := range r.rows {
		r.doc.Keys = append(r.doc.Keys, row.Key)
	}
}

func compareSeen(a, b *time.Time) int {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a != nil), boolInt(b != nil))
	}
	return a.Compare(*b)
}

func newRow(host, fp, kind string, bits int, comment string) *keyRow {
	return &keyRow{Key: Key{
		Host: host, Fingerprint: fp, Type: kind, Bits: bits, Comment: comment, Locations: []Location{}, Users: []string{}, IPs: []string{},
	}}
}

// fileKeys makes a row of each key, with all its lines. A line without a key that
// can be read has no fingerprint and shows as a finding only.
func (r *reporter) fileKeys(rows map[string]*keyRow) {
	for i := range r.o.Keys.Keys {
		k := &r.o.Keys.Keys[i]
		if k.SHA256 == "" {
			continue
		}
		row := rows[k.SHA256]
		if row == nil {
			row = newRow(r.keyHost(), k.SHA256, k.Type, k.Bits, k.Comment)
			row.CertAuthority = k.CertAuthority
			rows[k.SHA256] = row
		}
		row.files = append(row.files, k)
		proof := Inferred
		if r.proven[place{k.File, k.Line, k.SHA256}] {
			proof = Logged
		}
		row.Locations = append(row.Locations, *r.location(k, proof))
	}
}

func (r *reporter) authorities(rows map[string]*keyRow) {
	for i := range r.o.Keys.CAs {
		ca := &r.o.Keys.CAs[i]
		if ca.SHA256 == "" || ca.User != "" {
			continue // a cert-authority line of an account stands among the keys
		}
		row := rows[ca.SHA256]
		if row == nil {
			row = newRow(r.keyHost(), ca.SHA256, ca.Type, ca.Bits, ca.Comment)
			row.CertAuthority = true
			rows[ca.SHA256] = row
		}
		row.Locations = append(row.Locations, Location{
			Host: r.keyHost(), File: ca.File, Line: ca.Line, Comment: ca.Comment, Options: ca.Options.Raw, Proof: Inferred, Dead: ca.Dead,
		})
	}
}

// use adds each login to its key's row; a certificate's to its authority's.
func (r *reporter) use(rows map[string]*keyRow) {
	for i := range r.doc.Logins {
		l := &r.doc.Logins[i]
		fp := proofKeyOf(l)
		if fp == "" {
			continue
		}
		row := rows[r.canonical(fp)]
		if row == nil {
			kind := l.KeyType
			if l.Certificate != nil {
				kind = l.Certificate.CAType
			}
			row = newRow(l.Host, fp, typeName(kind), 0, "")
			row.CertAuthority = l.Certificate != nil
			rows[fp] = row
		}
		row.Logins += l.Count
		row.Users = append(row.Users, l.User)
		row.IPs = append(row.IPs, l.IP)
		row.hosts = append(row.hosts, l.Host)
		if row.FirstSeen == nil || l.First.Before(*row.FirstSeen) {
			row.FirstSeen = new(l.First)
		}
		if row.LastSeen == nil || l.Last.After(*row.LastSeen) {
			row.LastSeen = new(l.Last)
		}
	}
}

// typeName turns the name that sshd logs (sshkey_type) into the one that key files
// use. ECDSA's curve is not logged.
func typeName(logged string) string {
	switch name := strings.TrimSuffix(logged, "-CERT"); name {
	case "RSA", "ED25519":
		return "ssh-" + strings.ToLower(name)
	case "DSA":
		return "ssh-dss"
	case "ED25519-SK":
		return "sk-ssh-ed25519@openssh.com"
	case "ECDSA-SK":
		return "sk-ecdsa-sha2-nistp256@openssh.com"
	default:
		return strings.ToLower(name)
	}
}

// proofKeyOf is the fingerprint by which a login is explained.
func proofKeyOf(l *Login) string {
	if l.Certificate != nil {
		return l.Certificate.CA
	}
	return l.Fingerprint
}

// canonical turns any logged form of a known key's fingerprint into SHA256's.
func (r *reporter) canonical(fp string) string {
	if ks := r.keyOf[fp]; len(ks) > 0 {
		return ks[0].SHA256
	}
	if cas := r.caOf[fp]; len(cas) > 0 {
		return cas[0].SHA256
	}
	return fp
}

// window is the time in which the logs prove that a key was not used.
type window struct {
	from, to time.Time
	refused  string // why they prove nothing
}

func (w window) days() int { return int(w.to.Sub(w.from).Hours() / 24) }

// window finds how far back from their end the logs reach without a hole.
func (r *reporter) window() window {
	host := r.keyHost()
	i := slices.IndexFunc(r.p.hosts, func(h *hostPart) bool { return r.judged[h.name] })
	if i < 0 {
		return window{refused: "no log of " + nameOr(host, "this host") + " was read"}
	}
	h := r.p.hosts[i]
	w := r.fileWindow(window{from: at(int64(h.from)), to: at(int64(h.to))})
	if len(r.p.hosts) > 1 {
		// Other hosts' lines prove nothing before this one's first and after its last.
		w.from, w.to = later(w.from, at(int64(h.from))), earlier(w.to, at(int64(h.to)))
	}
	if cfg := r.o.Keys.Config; cfg != nil && slices.Contains([]string{"QUIET", "FATAL", "ERROR"}, cfg.LogLevel) {
		w.refused = "sshd's LogLevel is " + cfg.LogLevel + ": it logs no logins"
	}
	if h.withoutKey > 0 {
		w.refused = "the logs do not name the key of every login"
	}
	if need := r.o.UnusedAfter; w.refused == "" && w.to.Sub(w.from) < need {
		w.refused = fmt.Sprintf("the logs reach back %d days, %d are needed", w.days(), int(need.Hours()/24))
	}
	return w
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func nameOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// fileWindow goes back from the end of the files that hold lines of sshd to the last
// hole in or between them.
func (r *reporter) fileWindow(w window) window {
	files := slices.DeleteFunc(slices.Clone(r.c.files), func(f FileCoverage) bool {
		return f.From == nil || f.Framing == FramingNone || f.SSHDLines == 0
	})
	sort.SliceStable(files, func(i, j int) bool { return files[j].To.Compare(*files[i].To) < 0 })
	if len(files) == 0 {
		return w
	}
	hole := time.Time{}
	w.from, w.to = *files[0].To, *files[0].To
	for _, f := range files {
		if f.To.Add(maxGap * time.Second).Before(w.from) {
			break
		}
		if f.From.Before(w.from) {
			w.from = *f.From
		}
		for _, s := range f.Silent {
			if s.To.After(hole) && !covered(files, s) {
				hole = s.To
			}
		}
	}
	if hole.After(w.from) {
		w.from = hole
	}
	if s := r.c.opts.Since; s.After(w.from) {
		w.from = s.UTC()
	}
	if u := r.c.opts.Until; !u.IsZero() && u.Before(w.to) {
		w.to = u.UTC()
	}
	return w
}

// covered tells whether another file has lines in one file's silence.
func covered(files []FileCoverage, s Silence) bool {
	return slices.ContainsFunc(files, func(f FileCoverage) bool { return f.From.After(s.From) && f.To.Before(s.To) })
}

// judge gives a key its status.
func (r *reporter) judge(row *keyRow, w window) {
	switch {
	case len(row.Locations) == 0:
		row.Status, row.Reason = Unknown, "no key file that was read holds it"
	case !slices.ContainsFunc(row.Locations, func(l Location) bool { return l.Dead == "" }):
		row.Status, row.Reason = Dead, row.Locations[0].Dead
	case row.LastSeen != nil && (w.refused != "" || row.LastSeen.After(w.to.Add(-r.o.UnusedAfter))):
		row.Status = Used
	case w.refused != "":
		row.Status, row.Reason = Unknown, "no login in the logs, but they cannot tell: "+w.refused
	case row.LastSeen != nil:
		row.Status, row.Reason = Unused, fmt.Sprintf("last login %d days before the logs end", int(w.to.Sub(*row.LastSeen).Hours()/24))
	default:
		row.Status, row.Reason = Unused, fmt.Sprintf("no login in the %d days of the logs", w.days())
	}
}
