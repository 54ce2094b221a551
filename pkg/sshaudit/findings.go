package sshaudit

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys"
	"github.com/opsctl/opsctl/pkg/authkeys/pattern"
	"github.com/opsctl/opsctl/pkg/severity"
)

// findings runs every rule and sorts what they say.
func (r *reporter) findings() {
	r.unverifiableLogs()
	r.loginFindings()
	r.keyFindings()
	r.lineFindings()
	r.problemFindings()
	r.wrongAddresses()
	r.bruteForce()
	r.doc.Findings = slices.DeleteFunc(r.doc.Findings, func(f Finding) bool {
		return slices.Contains(r.o.Ignore, f.ID) || slices.Contains(r.o.Ignore, f.ID+":"+f.Subject)
	})
	sort.SliceStable(r.doc.Findings, func(i, j int) bool {
		a, b := &r.doc.Findings[i], &r.doc.Findings[j]
		return cmp.Or(
			cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.ID, b.ID), cmp.Compare(a.scope.host, b.scope.host),
			compareIP(a.Subject, b.Subject), cmp.Compare(a.Message, b.Message),
		) < 0
	})
}

func (r *reporter) add(f Finding) {
	if f.Severity == "" {
		f.Severity = severityOf(f.ID)
	}
	if f.Evidence == nil {
		f.Evidence = []Evidence{}
	}
	r.doc.Findings = append(r.doc.Findings, f)
}

func (r *reporter) unverifiableLogs() {
	for _, u := range r.c.bad {
		file := r.c.fileOf(u)
		f := Finding{ID: "unverifiable-log", Subject: file, Evidence: r.evidenceOf("", u.at), scope: scope{always: true}}
		if u.forged {
			f.Message = fmt.Sprintf("%d journal entries claim to be sshd's, but another program or user wrote them; they were left out", u.count)
			f.Remedy = "look at the entries' _UID, _EXE and _CMDLINE: somebody wrote them on purpose"
		} else {
			f.Message = "holds messages of sshd without a syslog header: clients can forge whole lines in such a file, so none of it was counted"
			f.Remedy = "let sshd log to syslog or the journal (neither -E nor -e), and audit that"
		}
		r.add(f)
	}
}

// group collects the logins that one finding is about.
type group struct {
	logins []*Login
	count  uint64
}

func (g *group) evidence() []Evidence {
	var list []Evidence
	for _, l := range g.logins {
		if len(list) < 10 {
			list = append(list, l.Evidence...)
		}
	}
	return list
}

func (g *group) scope() scope {
	s := scope{host: g.logins[0].Host}
	for _, l := range g.logins {
		s.users, s.ips = append(s.users, l.User), append(s.ips, l.IP)
		s.keys = append(s.keys, l.Fingerprint, proofKeyOf(l))
	}
	return s
}

func (g *group) ips() string {
	var list []string
	for _, l := range g.logins {
		list = append(list, l.IP)
	}
	sort.Slice(list, func(i, j int) bool { return compareIP(list[i], list[j]) < 0 })
	list = slices.Compact(list)
	if len(list) > 3 {
		return fmt.Sprintf("%s and %d other addresses", strings.Join(list[:3], ", "), len(list)-3)
	}
	return strings.Join(list, ", ")
}

// span gives the first and last login of a group.
func (g *group) span() (first, last time.Time) {
	first, last = g.logins[0].First, g.logins[0].Last
	for _, l := range g.logins[1:] {
		if l.First.Before(first) {
			first = l.First
		}
		if l.Last.After(last) {
			last = l.Last
		}
	}
	return first, last
}

// groupLogins groups the logins that a rule takes by the subject that it names.
func (r *reporter) groupLogins(subject func(*Login) (string, bool)) map[[2]string]*group {
	groups := map[[2]string]*group{}
	for i := range r.doc.Logins {
		l := &r.doc.Logins[i]
		s, ok := subject(l)
		if !ok {
			continue
		}
		key := [2]string{l.Host, s}
		if groups[key] == nil {
			groups[key] = &group{}
		}
		groups[key].logins = append(groups[key].logins, l)
		groups[key].count += l.Count
	}
	return groups
}

func (r *reporter) loginFindings() {
	r.each("unknown-key", r.unknownKey, func(g *group) (string, string) {
		first, last := g.span()
		return fmt.Sprintf("%s logged in %s from %s with a key that no key file of theirs on %s holds (first %s, last %s)",
				users(g), times(g.count), g.ips(), nameOr(g.logins[0].Host, "the host"), day(first), day(last)),
			"find out whose key it is; a key that was taken out since has done its work already"
	})
	r.each("root-login", func(l *Login) (string, bool) { return l.Method, l.User == "root" }, func(g *group) (string, string) {
		return fmt.Sprintf("root logged in %s by %s from %s", times(g.count), g.logins[0].Method, g.ips()),
			"log in as a person and use sudo; PermitRootLogin no"
	})
	r.each("password-login", func(l *Login) (string, bool) { return l.User, keyless(l.Method) }, func(g *group) (string, string) {
		return fmt.Sprintf("%s logged in %s by %s from %s", g.logins[0].User, times(g.count), g.logins[0].Method, g.ips()),
			"give the user a key; PasswordAuthentication no, KbdInteractiveAuthentication no"
	})
	r.each("outside-from", r.outsideFrom, func(g *group) (string, string) {
		l := g.logins[0]
		return fmt.Sprintf("%s logged in %s from %s, which from= in %s:%d does not permit", l.User, times(g.count), g.ips(), l.Location.File, l.Location.Line),
			"the line has changed since, or sshd reads another file: compare it with a backup"
	})
	if r.o.Baseline != nil {
		r.each("new-ip", func(l *Login) (string, bool) { return l.User + "@" + l.IP, !r.o.Baseline.has(l) }, func(g *group) (string, string) {
			return fmt.Sprintf("%s logged in %s from %s, an address that the baseline does not have", g.logins[0].User, times(g.count), g.logins[0].IP),
				"ask the user; save a new baseline with -o json once it is explained"
		})
	}
}

// each adds a finding for each group of a rule.
func (r *reporter) each(id string, rule func(*Login) (string, bool), say func(*group) (message, remedy string)) {
	for key, g := range r.groupLogins(rule) {
		f := Finding{ID: id, Subject: key[1], Evidence: g.evidence(), scope: g.scope()}
		f.Message, f.Remedy = say(g)
		r.add(f)
	}
}

func keyless(method string) bool {
	return method == "password" || strings.HasPrefix(method, "keyboard-interactive") || method == "none"
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func users(g *group) string {
	var list []string
	for _, l := range g.logins {
		list = append(list, l.User)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}

func day(t time.Time) string { return t.Format("2006-01-02") }

// unknownKey takes the logins of judged hosts that no file explains.
func (r *reporter) unknownKey(l *Login) (string, bool) {
	fp := proofKeyOf(l)
	if fp == "" || !r.judged[l.Host] || r.o.Keys.HasKeysCommand || r.unreadable[l.User] {
		return "", false
	}
	return fp, !slices.ContainsFunc(r.keyOf[fp], func(k *authkeys.Key) bool {
		return k.User == l.User || k.User == "" || r.hostless()
	}) && !slices.ContainsFunc(r.caOf[fp], func(ca *authkeys.CA) bool { return ca.User == "" || ca.User == l.User })
}

// outsideFrom takes the logins whose line has a from= that refuses their address.
func (r *reporter) outsideFrom(l *Login) (string, bool) {
	if l.Location == nil || !r.judged[l.Host] || r.o.Keys.Config != nil && r.o.Keys.Config.UseDNS {
		return "", false // with UseDNS the name decides, which is not logged
	}
	for _, k := range r.keyOf[proofKeyOf(l)] {
		if k.File == l.Location.File && k.Line == l.Location.Line && k.Options.From != nil {
			return fmt.Sprintf("%s:%d", k.File, k.Line), pattern.HostAndIP(l.IP, l.IP, *k.Options.From) != pattern.Matched
		}
	}
	return "", false
}

func (r *reporter) keyFindings() {
	for _, row := range r.rows {
		at, who := locationEvidence(row.Locations), row.describe()
		s := scope{host: row.Host, users: append(locationUsers(row.Locations), row.Users...), ips: row.IPs, keys: []string{row.Fingerprint}}
		add := func(id, message, remedy string) {
			r.add(Finding{ID: id, Subject: row.Fingerprint, Message: message, Evidence: at, Remedy: remedy, scope: s})
		}
		if row.Status == Unused {
			w := r.evidence
			add("unused-key", fmt.Sprintf("%s: %s (evidence: %s to %s, %d days)", who, row.Reason, day(w.from), day(w.to), w.days()),
				"take the line out once its owner agrees")
		}
		if row.Type == "ssh-dss" {
			add("dsa-key", who+": DSA is broken, and gone since OpenSSH 10.0", "replace it: ssh-keygen -t ed25519")
		}
		if row.Status == Dead || len(row.Locations) == 0 {
			continue
		}
		if row.Type == "ssh-rsa" && row.Bits > 0 && row.Bits < r.o.MinRSA {
			add("weak-key", fmt.Sprintf("%s: RSA with %d bits, below %d", who, row.Bits, r.o.MinRSA), "replace it: ssh-keygen -t ed25519")
		}
		if opened := slices.Compact(slices.Sorted(slices.Values(locationUsers(row.Locations)))); len(opened) > 1 && !row.CertAuthority {
			add("shared-key", fmt.Sprintf("%s: opens %d accounts: %s", who, len(opened), strings.Join(opened, ", ")), "give each person and task a key of its own")
		}
	}
}

func (k *keyRow) describe() string {
	return nameOr(k.Comment, strings.TrimPrefix(k.Type, "ssh-")+" key")
}

func locationEvidence(list []Location) []Evidence {
	out := []Evidence{}
	for _, l := range list {
		out = append(out, Evidence{l.Host, l.File, int64(l.Line)})
	}
	return out
}

func locationUsers(list []Location) []string {
	var out []string
	for _, l := range list {
		if l.User != "" && l.Dead == "" {
			out = append(out, l.User)
		}
	}
	return out
}

// lineFindings tells of the lines that sshd refuses.
func (r *reporter) lineFindings() {
	if r.o.Keys == nil {
		return
	}
	for i := range r.o.Keys.Keys {
		k := &r.o.Keys.Keys[i]
		if k.Dead == "" || k.DeadKind == authkeys.DeadPermissions {
			continue // bad-permissions names the file
		}
		id, remedy := "dead-key", "mend the line, or take it out"
		if k.DeadKind == authkeys.DeadExpired {
			id, remedy = "expired-key", "take the line out, or set a new expiry-time"
		}
		r.add(Finding{
			ID: id, Subject: fmt.Sprintf("%s:%d", k.File, k.Line), Message: fmt.Sprintf("%s: %s", nameOr(k.Comment, "the line"), k.Dead),
			Evidence: []Evidence{{r.keyHost(), k.File, int64(k.Line)}}, Remedy: remedy,
			scope: scope{host: r.keyHost(), users: []string{k.User}, keys: []string{k.SHA256}},
		})
	}
}

// problemFindings passes on what was wrong with the files themselves.
func (r *reporter) problemFindings() {
	named := map[string]bool{}
	if r.o.Keys != nil {
		for _, p := range r.o.Keys.Problems {
			if p.Kind != authkeys.ProblemPermissions {
				r.note("%s", problemText(p))
				continue
			}
			named[p.File] = true
			r.add(Finding{
				ID: "bad-permissions", Subject: p.File, Message: p.Message, Remedy: p.Remedy,
				Evidence: []Evidence{{r.keyHost(), p.File, 0}}, scope: scope{host: r.keyHost(), users: []string{p.User}},
			})
		}
	}
	for _, n := range r.p.modes {
		if named[n.file] {
			continue
		}
		host := r.p.hosts[n.host].name
		r.add(Finding{
			ID: "bad-permissions", Subject: n.file, Remedy: "chmod go-w on it, or give it to the user",
			Message:  fmt.Sprintf("sshd refused it %s for its owner or modes, last on %s", times(n.count), day(at(int64(n.last)))),
			Evidence: r.evidenceOf(host, n.firstAt), scope: scope{host: host},
		})
	}
}

func problemText(p authkeys.Problem) string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if where == "" {
		return p.Message
	}
	return where + ": " + p.Message
}

// wrongAddresses tells of good keys that sshd refused for their address.
func (r *reporter) wrongAddresses() {
	for _, n := range r.p.wrong {
		host, ip := r.p.hosts[n.host].name, r.p.addrText(n.addr)
		where := "a line of theirs"
		if n.file != "" {
			where = fmt.Sprintf("%s:%d", n.file, n.line)
		}
		r.add(Finding{
			ID: "outside-from", Severity: severity.Medium, Subject: n.user + "@" + ip, Evidence: r.evidenceOf(host, n.firstAt),
			Message: fmt.Sprintf("a key of %s was offered %s from %s, which from= in %s does not permit; sshd refused it", n.user, times(n.count), ip, where),
			Remedy:  "ask the owner: the key may have been copied",
			scope:   scope{host: host, users: []string{n.user}, ips: []string{ip}},
		})
	}
}
