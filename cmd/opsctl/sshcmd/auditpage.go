package sshcmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// view lays the document out for people. A filtered one leaves out empty
// sections.
func view(doc *sshaudit.Document, filtered bool) render.View {
	return render.View{
		Kind: "SSHAudit",
		Body: doc,
		Page: func(p *render.Page) {
			w := auditPage{p, doc, filtered}
			w.coverage()
			w.findings()
			w.keys()
			w.logins()
			w.failures()
		},
		CSV:   func() ([]string, [][]string) { return loginHeads(), loginRows(doc) },
		Names: func() []string { return findingNames(doc) },
	}
}

// findingNames gives each finding as --ignore takes it.
func findingNames(doc *sshaudit.Document) []string {
	names := []string{}
	for _, f := range doc.Findings {
		names = append(names, f.ID+":"+f.Subject)
	}
	return names
}

func loginHeads() []string {
	return []string{
		"host", "user", "ip", "method", "fingerprint", "certificateId", "certificateSerial", "ca", "count", "first", "last", "file", "line", "comment",
		"proof",
	}
}

func loginRows(doc *sshaudit.Document) [][]string {
	rows := [][]string{}
	for _, l := range doc.Logins {
		var cert sshaudit.Certificate
		serial := ""
		if l.Certificate != nil {
			cert, serial = *l.Certificate, strconv.FormatUint(l.Certificate.Serial, 10)
		}
		var loc sshaudit.Location
		line := ""
		if l.Location != nil {
			loc, line = *l.Location, strconv.Itoa(l.Location.Line)
		}
		rows = append(rows, []string{
			l.Host, l.User, l.IP, l.Method, l.Fingerprint, cert.ID, serial, cert.CA, strconv.FormatUint(l.Count, 10),
			l.First.Format(time.RFC3339), l.Last.Format(time.RFC3339), loc.File, line, loc.Comment, string(loc.Proof),
		})
	}
	return rows
}

// auditPage writes the sections of the report.
type auditPage struct {
	*render.Page
	doc      *sshaudit.Document
	filtered bool
}

func (w *auditPage) coverage() {
	c := w.doc.Coverage
	var lines, bytes int64
	for _, f := range c.Files {
		lines, bytes = lines+f.Lines, bytes+f.Bytes
	}
	w.Heading(fmt.Sprintf("%s, %s lines (%s)", render.Count(len(c.Files), "log"), render.Thousands(lines), w.Bytes(bytes)))
	if c.From != nil {
		days := ""
		if n := int(c.To.Sub(*c.From).Hours() / 24); n > 0 {
			days = " (" + render.Count(n, "day") + ")"
		}
		w.Para("from %s to %s%s", w.Time(*c.From), w.Time(*c.To), days)
	}
	hosts := make([]string, 0, len(c.Hosts))
	for _, h := range c.Hosts {
		hosts = append(hosts, nameOr(h.Host, "(no host name)"))
	}
	if len(hosts) > 0 {
		w.Para("hosts: %s", shorten(hosts, 8))
	}
	if len(c.HostsWithoutKeys) > 0 {
		w.Para("no key files read of: %s", shorten(c.HostsWithoutKeys, 8))
	}
	for _, n := range c.Notes {
		w.Para("note: %s", n)
	}
	if w.Wide() {
		w.files()
	}
}

func (w *auditPage) files() {
	rows := [][]string{}
	for _, f := range w.doc.Coverage.Files {
		rows = append(rows, []string{
			f.Path, string(f.Framing), string(f.Compression), w.Bytes(f.Bytes), render.Thousands(f.Lines), render.Thousands(f.SSHDLines), render.Thousands(f.NotUnderstood),
			render.Thousands(f.Repeated),
		})
	}
	w.Table([]string{"FILE", "FRAMING", "PACKED", "SIZE", "LINES", "SSHD", "NOT UNDERSTOOD", "REPEATED"},
		[]bool{false, false, false, true, true, true, true, true}, rows)
}

func (w *auditPage) findings() {
	if len(w.doc.Findings) == 0 && w.filtered {
		return
	}
	w.Heading(fmt.Sprintf("Findings (%d)", len(w.doc.Findings)))
	for _, f := range w.doc.Findings {
		w.Para("%s  %s  %s", w.Severity(string(f.Severity)), f.ID, f.Subject)
		w.Para("    %s", f.Message)
		if w.Wide() {
			for _, e := range f.Evidence {
				w.Para("    at %s", place(e.File, e.Line))
			}
			w.Para("    remedy: %s", f.Remedy)
		}
	}
}

func place(file string, line int64) string {
	if line == 0 {
		return file
	}
	return file + ":" + strconv.FormatInt(line, 10)
}

func (w *auditPage) keys() {
	if len(w.doc.Keys) == 0 && w.filtered {
		return
	}
	w.Heading(fmt.Sprintf("Keys (%d)", len(w.doc.Keys)))
	heads, right := []string{"STATUS", "TYPE", "COMMENT"}, []bool{false, false, false}
	if w.Wide() {
		heads, right = append(heads, "USER"), append(right, false)
	}
	heads, right = append(heads, "FILE:LINE", "LOGINS", "LAST", "FINGERPRINT"), append(right, false, true)
	rows := [][]string{}
	for _, k := range w.doc.Keys {
		rows = append(rows, w.keyRows(&k)...)
	}
	w.rows(heads, right, rows)
}

// keyRows gives a line for each place of a key.
func (w *auditPage) keyRows(k *sshaudit.Key) [][]string {
	last := "-"
	if k.LastSeen != nil {
		last = w.time(*k.LastSeen)
	}
	row := func(comment, user, where string) []string {
		cells := []string{w.Severity(string(k.Status)), keyKind(k), comment}
		if w.Wide() {
			cells = append(cells, user)
		}
		return append(cells, where, render.Thousands(int64(k.Logins)), last, k.Fingerprint)
	}
	if len(k.Locations) == 0 {
		return [][]string{row(nameOr(k.Comment, "-"), strings.Join(k.Users, ","), "-")}
	}
	var rows [][]string
	for _, l := range k.Locations {
		rows = append(rows, row(nameOr(l.Comment, "-"), nameOr(l.User, "-"), place(l.File, int64(l.Line))))
	}
	return rows
}

// keyKind is a key's type in the short form that ssh-keygen -t takes, with the size
// where it says something.
func keyKind(k *sshaudit.Key) string {
	kind := strings.TrimPrefix(strings.TrimSuffix(k.Type, "@openssh.com"), "ssh-")
	if sk, ok := strings.CutPrefix(kind, "sk-"); ok {
		kind = strings.TrimPrefix(sk, "ssh-") + "-sk"
	}
	kind = strings.Replace(kind, "ecdsa-sha2-nistp", "ecdsa ", 1)
	if k.Bits > 0 && kind == "rsa" {
		kind += " " + strconv.Itoa(k.Bits)
	}
	if k.CertAuthority {
		kind += " CA"
	}
	return kind
}

// time is to the minute, which spares a fifth of a line; wide has it all.
func (w *auditPage) time(t time.Time) string {
	full := w.Time(t)
	if w.Wide() || len(full) < len("2026-11-01 12:30") {
		return full
	}
	return full[:len("2026-11-01 12:30")]
}

// rows writes a table, unless it is empty: the heading says so.
func (w *auditPage) rows(heads []string, right []bool, rows [][]string) {
	if len(rows) > 0 {
		w.Table(heads, right, rows)
	}
}

// withHost puts the host in front, where there is more than one.
func (w *auditPage) withHost(host string, cells ...string) []string {
	if len(w.doc.Coverage.Hosts) < 2 && !w.Wide() {
		return cells
	}
	return append([]string{host}, cells...)
}

func (w *auditPage) logins() {
	w.Heading(fmt.Sprintf("Logins (%d)", len(w.doc.Logins)))
	shown := w.doc.Logins
	if !w.Wide() && len(shown) > maxLogins {
		shown = shown[:maxLogins]
	}
	rows := [][]string{}
	for _, l := range shown {
		rows = append(rows, w.loginRow(&l))
	}
	heads := w.withHost("HOST", "USER", "IP", "KEY", "FILE:LINE", "PROOF", "COUNT", "FIRST", "LAST")
	right := make([]bool, len(heads))
	right[slices.Index(heads, "COUNT")] = true
	w.rows(heads, right, rows)
	if n := len(w.doc.Logins) - len(shown); n > 0 {
		w.Para("and %d more: -o wide shows all", n)
	}
}

// maxLogins is how many rows of logins the short report shows.
const maxLogins = 30

func (w *auditPage) loginRow(l *sshaudit.Login) []string {
	where, proof := "-", "-"
	if l.Location != nil {
		where, proof = place(l.Location.File, int64(l.Location.Line)), string(l.Location.Proof)
	}
	return w.withHost(nameOr(l.Host, "-"),
		l.User, l.IP, w.loginKey(l), where, proof, render.Thousands(int64(l.Count)), w.time(l.First), w.time(l.Last))
}

// loginKey says with what somebody logged in: the certificate, the key's comment or
// else as much of its fingerprint as --key needs, or the method that needs no key.
func (w *auditPage) loginKey(l *sshaudit.Login) string {
	switch {
	case l.Certificate != nil:
		return fmt.Sprintf("cert %s (serial %d)", l.Certificate.ID, l.Certificate.Serial)
	case l.Location != nil && l.Location.Comment != "":
		return l.Location.Comment
	case len(l.Fingerprint) > 24 && !w.Wide():
		return l.Fingerprint[:24] + "..."
	case l.Fingerprint != "":
		return l.Fingerprint
	}
	return l.Method
}

func (w *auditPage) failures() {
	f := w.doc.Failures
	if f.Total == 0 && w.filtered {
		return
	}
	w.Heading(fmt.Sprintf("Failures (%s)", render.Thousands(int64(f.Total))))
	rows := [][]string{}
	for _, r := range f.Rows {
		user := r.User
		if r.Merged && user == "" {
			user = "(several)"
		}
		rows = append(rows, w.withHost(nameOr(r.Host, "-"),
			nameOr(r.IP, "(all)"), user, r.Reason, render.Thousands(int64(r.Count)), w.time(r.First), w.time(r.Last)))
	}
	heads := w.withHost("HOST", "IP", "USER", "REASON", "COUNT", "FIRST", "LAST")
	right := make([]bool, len(heads))
	right[slices.Index(heads, "COUNT")] = true
	w.rows(heads, right, rows)
	if f.Truncated {
		w.Para("the largest of %s rows; the total is exact", render.Thousands(int64(f.Distinct)))
	}
}

func nameOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func shorten(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
