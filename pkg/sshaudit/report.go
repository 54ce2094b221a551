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

// ReportOptions says what Report judges and shows.
type ReportOptions struct {
	Keys        *authkeys.Set // nil: no key files were read
	Now         time.Time
	UnusedAfter time.Duration
	MinRSA      int
	Baseline    *Baseline // nil: no address is called new
	Top         int       // rows of failures; 0: all
	Ignore      []string  // ID or ID:SUBJECT of findings to leave out
	Filter      Filter
}

// Report says what the logs mean beside the key files. It ends the collection,
// which cannot be saved any more.
func (c *Collection) Report(o ReportOptions) *Document {
	c.p.finish()
	r := &reporter{c: c, p: c.p, o: o, doc: &Document{Findings: []Finding{}}}
	r.hosts()
	r.index()
	r.logins()
	r.keys()
	r.failures()
	r.coverage()
	r.findings()
	r.o.Filter.apply(r.doc)
	r.doc.Failures.cut(o.Top)
	return r.doc
}

// cut leaves the largest rows.
func (f *Failures) cut(top int) {
	if top > 0 && len(f.Rows) > top {
		f.Rows, f.Truncated = f.Rows[:top], true
	}
}

// About tells whether any of the logs is of the host whose key files were read.
func (c *Collection) About(set *authkeys.Set) bool {
	return set != nil && slices.ContainsFunc(c.p.hosts, func(h *hostPart) bool { return sameHost(set.Host, h.name) })
}

// place is a line of a key file and the key that sshd found there.
type place struct {
	file        string
	line        int
	fingerprint string
}

// reporter builds a document.
type reporter struct {
	c   *Collection
	p   *Partial
	o   ReportOptions
	doc *Document

	judged map[string]bool // hosts whose key files were read
	// unreadable holds the users of whose key files some could not be read.
	unreadable map[string]bool
	keyOf      map[string][]*authkeys.Key // by every form of fingerprint
	caOf       map[string][]*authkeys.CA
	proven     map[place]bool // that sshd itself named
	rows       []*keyRow
	// evidence is the time in which the use of a key would have been seen.
	evidence window
}

// hosts finds out which hosts of the logs the key files belong to.
func (r *reporter) hosts() {
	r.judged, r.unreadable = map[string]bool{}, map[string]bool{}
	set := r.o.Keys
	if set == nil || !set.Read || set.Source == "explicit" && len(set.Keys)+len(set.CAs) == 0 {
		return
	}
	for _, p := range set.Problems {
		if p.Kind == authkeys.ProblemUnreadable {
			r.unreadable[p.User] = true
		}
	}
	for _, h := range r.p.hosts {
		if len(r.p.hosts) == 1 && (set.Host == "" || set.Source == "explicit") || sameHost(set.Host, h.name) {
			r.judged[h.name] = true
		}
	}
}

// sameHost compares a host's own name with the one in its log: syslog may write
// it with its domain or without.
func sameHost(own, logged string) bool {
	if own == "" || logged == "" {
		return own == logged
	}
	if strings.EqualFold(own, logged) {
		return true
	}
	a, _, okA := strings.Cut(own, ".")
	b, _, okB := strings.Cut(logged, ".")
	return okA != okB && strings.EqualFold(a, b)
}

// keyHost is the host that the key files' lines are shown under.
func (r *reporter) keyHost() string {
	if r.o.Keys != nil && r.o.Keys.Host != "" && r.o.Keys.Source != "explicit" {
		return r.o.Keys.Host
	}
	if len(r.p.hosts) == 1 {
		return r.p.hosts[0].name
	}
	if r.o.Keys != nil {
		return r.o.Keys.Host
	}
	return ""
}

// index makes the keys findable by every form of fingerprint that sshd logs.
func (r *reporter) index() {
	r.keyOf, r.caOf, r.proven = map[string][]*authkeys.Key{}, map[string][]*authkeys.CA{}, map[place]bool{}
	if r.o.Keys == nil {
		return
	}
	for i := range r.o.Keys.Keys {
		k := &r.o.Keys.Keys[i]
		for _, fp := range fingerprints(k.SHA256, k.MD5) {
			r.keyOf[fp] = append(r.keyOf[fp], k)
		}
	}
	for i := range r.o.Keys.CAs {
		ca := &r.o.Keys.CAs[i]
		for _, fp := range fingerprints(ca.SHA256, ca.MD5) {
			r.caOf[fp] = append(r.caOf[fp], ca)
		}
	}
}

// fingerprints lists the forms of a key's fingerprint: FingerprintHash sha256 and
// md5, and md5 as it was before OpenSSH 6.8.
func fingerprints(sha, md5 string) []string {
	return slices.DeleteFunc([]string{sha, md5, strings.TrimPrefix(md5, "MD5:")}, func(s string) bool { return s == "" })
}

// logins turns the rows of logins into their final form.
func (r *reporter) logins() {
	list := make([]Login, 0, len(r.p.logins))
	for _, l := range r.p.logins {
		list = append(list, r.login(l))
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return cmp.Or(
			b.Last.Compare(a.Last), cmp.Compare(a.Host, b.Host), cmp.Compare(a.User, b.User), cmp.Compare(a.IP, b.IP),
			cmp.Compare(a.Method, b.Method), cmp.Compare(a.Fingerprint, b.Fingerprint), compareCert(a.Certificate, b.Certificate),
			compareLocation(a.Location, b.Location), cmp.Compare(a.KeyType, b.KeyType),
		) < 0
	})
	r.doc.Logins = list
}

func compareCert(a, b *Certificate) int {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a != nil), boolInt(b != nil))
	}
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Serial, b.Serial), cmp.Compare(a.CA, b.CA), cmp.Compare(a.CAType, b.CAType))
}

func compareLocation(a, b *Location) int {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a != nil), boolInt(b != nil))
	}
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *reporter) login(l *login) Login {
	host := r.p.hosts[l.host].name
	out := Login{
		Host: host, User: l.user, IP: r.p.addrText(l.addr), Method: l.method, Fingerprint: l.fingerprint, KeyType: l.keyType,
		Count: l.count, First: at(int64(l.first)), Last: at(int64(l.last)), Evidence: r.evidenceOf(host, l.firstAt, l.lastAt),
	}
	if l.isCert {
		out.Certificate = &Certificate{ID: l.certID, Serial: l.serial, CAType: l.caType, CA: l.ca}
	}
	out.Location = r.explain(l, host)
	return out
}

func (r *reporter) evidenceOf(host string, list ...pos) []Evidence {
	out := []Evidence{}
	for _, p := range list {
		if p.piece == 0 {
			continue
		}
		e := Evidence{Host: host}
		e.File, e.Line = r.p.pieces.find(p)
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// explain finds the line that let a login in: the one that sshd logged, else the
// first of the user's lines that holds the key, or signed the certificate.
func (r *reporter) explain(l *login, host string) *Location {
	if l.file != "" {
		loc := Location{Host: host, User: l.user, File: l.file, Line: int(l.line)}
		if r.judged[host] || r.hostless() {
			r.proven[place{l.file, int(l.line), r.canonical(l.proofKey())}] = true
		}
		loc.Proof = Logged
		r.describe(&loc, l.proofKey())
		return &loc
	}
	if l.proofKey() == "" || !r.judged[host] && !r.hostless() {
		return nil
	}
	var best *Location
	for _, k := range r.keyOf[l.proofKey()] {
		if k.CertAuthority == l.isCert && (k.User == l.user || k.User == "") && (best == nil || best.Dead != "" && k.Dead == "") {
			best = r.location(k, Inferred)
		}
	}
	if best != nil || !l.isCert {
		return best
	}
	for _, ca := range r.caOf[l.proofKey()] {
		return &Location{Host: r.keyHost(), File: ca.File, Line: ca.Line, Comment: ca.Comment, Proof: Inferred}
	}
	return nil
}

// hostless tells that the key files are not those of a named host: they explain
// logins of any.
func (r *reporter) hostless() bool { return r.o.Keys != nil && r.o.Keys.Source == "explicit" }

// describe adds what the named line holds now.
func (r *reporter) describe(loc *Location, fp string) {
	for _, k := range r.keyOf[fp] {
		if k.File == loc.File && (k.Line == loc.Line || loc.Line == 0) {
			loc.Comment, loc.Options = k.Comment, k.Options.Raw
			return
		}
	}
	for _, ca := range r.caOf[fp] {
		if ca.File == loc.File {
			loc.Comment = ca.Comment
			if loc.Line == 0 {
				loc.Line = ca.Line
			}
			return
		}
	}
	// The line holds something else now; the key's comment may stand elsewhere.
	for _, k := range r.keyOf[fp] {
		loc.Comment = k.Comment
		return
	}
}

func (r *reporter) location(k *authkeys.Key, proof Proof) *Location {
	loc := &Location{
		Host: r.keyHost(), User: k.User, File: k.File, Line: k.Line, Comment: k.Comment, Options: k.Options.Raw, Proof: proof, Dead: k.Dead,
	}
	return loc
}

// coverage says what the verdicts rest on.
func (r *reporter) coverage() {
	cov := Coverage{Files: r.c.files, Hosts: []HostCoverage{}, HostsWithoutKeys: []string{}, Notes: []string{}}
	if cov.Files == nil {
		cov.Files = []FileCoverage{}
	}
	sort.SliceStable(cov.Files, func(i, j int) bool { return cov.Files[i].Path < cov.Files[j].Path })
	for i := range cov.Files {
		f := &cov.Files[i]
		cov.NotUnderstood += f.NotUnderstood
		if f.Framing == FramingNone {
			continue // anybody can write stamps there
		}
		if f.From != nil && (cov.From == nil || f.From.Before(*cov.From)) {
			cov.From = f.From
		}
		if f.To != nil && (cov.To == nil || f.To.After(*cov.To)) {
			cov.To = f.To
		}
	}
	cov.Since, cov.Until = moment(r.c.opts.Since), moment(r.c.opts.Until)
	if cov.From != nil && cov.Since != nil && cov.Since.After(*cov.From) {
		cov.From = cov.Since
	}
	if cov.To != nil && cov.Until != nil && cov.Until.Before(*cov.To) {
		cov.To = cov.Until
	}
	for _, h := range r.p.hosts {
		cov.Hosts = append(cov.Hosts, HostCoverage{
			Host: h.name, From: at(int64(h.from)), To: at(int64(h.to)), Lines: h.lines, Accepted: h.accepted, KeysRead: r.judged[h.name],
		})
		if !r.judged[h.name] {
			cov.HostsWithoutKeys = append(cov.HostsWithoutKeys, h.name)
		}
	}
	sort.SliceStable(cov.Hosts, func(i, j int) bool { return cov.Hosts[i].Host < cov.Hosts[j].Host })
	slices.Sort(cov.HostsWithoutKeys)
	if r.o.Keys != nil {
		cov.KeySource = r.o.Keys.Source
	}
	r.doc.Coverage = cov
	r.notes()
}

// moment is a time in UTC, nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

func (r *reporter) note(format string, a ...any) {
	r.doc.Coverage.Notes = append(r.doc.Coverage.Notes, fmt.Sprintf(format, a...))
}

// notes says what logs and files leave open.
func (r *reporter) notes() {
	if r.o.Keys != nil && r.o.Keys.HasKeysCommand {
		r.note("AuthorizedKeysCommand was not run: keys that it gives are not called unknown (--run-keys-command runs it)")
	}
	for _, h := range r.p.hosts {
		if h.withoutKey > 0 {
			r.note("%s: %d logins with a key do not say which (OpenSSH before 6.8 below LogLevel VERBOSE): no key there can be called unused",
				h.name, h.withoutKey)
		}
	}
	if n := r.doc.Coverage.NotUnderstood; n > 0 {
		r.note("%d lines of sshd are in no known form", n)
	}
}
