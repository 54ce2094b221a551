package authkeys

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
)

// WhoCan reproduces sshd's decision about a login with a public key: with a key in the query whether that
// one gets in and by which line, else who does. Candidates hold every line that was considered, in sshd's
// order. It reads files that Read has not read yet when the address makes them count.
//
// What it does not see: PAM's account rules, /etc/nologin, tcp wrappers and firewalls, options on sshd's
// command line, access control lists, and what AuthorizedPrincipalsCommand would say.
func (s *Set) WhoCan(q Query) Verdict {
	v := Verdict{User: q.User, From: unmapped(q.From), Candidates: []Candidate{}}
	if s.site == nil {
		v.Reason = "the key files of the host were not read"
		return v
	}
	if q.Now.IsZero() {
		q.Now = s.site.opts.Now
	}
	want, err := s.wanted(q.Key)
	if err != nil {
		v.Reason = err.Error()
		return v
	}
	u, known := s.site.lookup(q.User)
	if !known {
		v.Reason = "there is no such user"
		return v
	}
	conn := s.site.connection(q)
	config, err := s.site.settings(conn)
	if err != nil {
		v.Reason = "sshd ends the connection: " + err.Error()
		return v
	}
	t := &trial{judge: newJudge(s.site, u, config, conn, q.Now), want: want, verdict: &v}
	t.run()
	return v
}

// trial considers all lines that could let someone in.
type trial struct {
	*judge
	want    []*pubkey.Key // nil for all keys
	verdict *Verdict
	refused string      // what keeps everybody out, whatever the line says
	more    string      // what is asked for besides
	note    string      // why TrustedUserCAKeys does not know the certificate's authority
	taken   []Candidate // the lines that sshd takes, one a key
}

func (t *trial) run() {
	t.gate()
	if t.accounts == nil {
		for _, f := range t.explicit {
			if f.user == "" || t.user.Name == "" || f.user == t.user.Name {
				t.file(&keyFile{name: f.name, lines: f.lines})
			}
		}
	} else {
		t.keyFiles()
		t.authorities()
		if lines, ok := t.output[t.user.Name]; ok {
			t.file(&keyFile{name: KeysCommandFile, lines: lines})
		}
	}
	t.conclude()
}

// gate finds what keeps everybody out.
func (t *trial) gate() {
	if t.accounts != nil {
		t.refused = t.userRefused()
	}
	if t.refused == "" {
		t.refused, t.more = t.methodRefused()
	}
}

// keyFiles considers the user's files. One whose name cannot be expanded ends the connection, unless a
// line before it let the key in.
func (t *trial) keyFiles() {
	for _, text := range t.config.AuthorizedKeysFiles {
		if strings.EqualFold(text, "none") {
			continue
		}
		names, err := t.keyNames(text, t.user)
		if err != nil {
			t.end("sshd ends the connection: AuthorizedKeysFile: " + err.Error())
			return
		}
		for _, name := range names {
			if f := t.open(name, t.user, t.config.StrictModes); f != nil {
				t.file(f)
			}
		}
	}
}

// end keeps out everybody who is not in yet.
func (t *trial) end(why string) {
	if t.refused == "" {
		t.refused = why
	}
}

// file considers every line of a file.
func (t *trial) file(f *keyFile) {
	if f.err != nil && len(f.lines) == 0 {
		if t.verdict.Reason == "" {
			t.verdict.Reason = f.err.Error()
		}
		return
	}
	for _, fl := range f.lines {
		l := fl.line
		if l.Key == nil {
			continue
		}
		result, relevant := t.line(l)
		if !relevant {
			continue
		}
		if f.refused != "" {
			result = refuse(DeadPermissions, "%s", f.refused)
		}
		t.add(Candidate{
			File: f.name, Line: fl.number, Fingerprint: l.Key.SHA256(), Type: l.Key.Name(), Bits: l.Key.Bits,
			Comment: l.Comment, CA: l.Options.CertAuthority,
		}, result)
	}
}

// line judges a line for the keys that are asked about; it is irrelevant when it is about none of them.
func (t *trial) line(l keyline.Line) (result finding, relevant bool) {
	if t.want == nil {
		if l.Options.CertAuthority {
			return t.authorityLine(l), true
		}
		return t.plainLine(l), true
	}
	for _, key := range t.want {
		switch {
		case key.Cert != nil && l.Key.Equal(key.Cert.CA):
			if kind, why := t.keyRefused(key); why != "" {
				return refuse(kind, "%s", why), true
			}
			if !l.Options.CertAuthority && l.Kind == keyline.OK {
				return refuse("", "the line is not marked cert-authority"), true
			}
			return t.certLine(l, key), true
		case l.Key.Equal(key) && key.Cert == nil:
			if l.Options.CertAuthority && l.Kind == keyline.OK {
				return refuse("", "the line is for certificates of this key, not for the key"), true
			}
			return t.plainLine(l), true
		}
	}
	return finding{}, false
}

// authorities considers TrustedUserCAKeys.
func (t *trial) authorities() {
	file := t.config.TrustedUserCAKeys
	if file == "" {
		return
	}
	list, _ := t.trusted(file)
	for _, l := range list {
		if t.want == nil {
			t.add(trustedCandidate(file, l), t.trustedAuthority(l.key))
		}
	}
	for _, key := range t.want {
		if key.Cert == nil {
			continue
		}
		result, line := t.trustedCert(key)
		if line == 0 {
			t.note = result.reason
			continue
		}
		if kind, why := t.keyRefused(key); why != "" {
			result = refuse(kind, "%s", why)
		}
		i := slices.IndexFunc(list, func(l listedKey) bool { return l.line == line })
		t.add(trustedCandidate(file, list[i]), result)
	}
}

func trustedCandidate(file string, l listedKey) Candidate {
	return Candidate{File: file, Line: l.line, Fingerprint: l.key.SHA256(), Type: l.key.Type, Bits: l.key.Bits, Comment: l.comment, CA: true}
}

// add takes a candidate in. The first line that sshd takes for a key decides; it gets to no other. Of an
// authority's lines each may be the one for some certificate.
func (t *trial) add(c Candidate, f finding) {
	c.Allowed, c.Reason, c.NeedsVerification = f.allowed, f.reason, f.verify
	if c.Allowed && t.refused != "" {
		c.Allowed, c.Reason = false, t.refused
	} else if c.Allowed {
		c.Reason += t.more
	}
	if f.final {
		before := slices.IndexFunc(t.taken, func(o Candidate) bool { return o.Fingerprint == c.Fingerprint && o.CA == c.CA })
		if before < 0 {
			t.taken = append(t.taken, c)
		} else {
			c.Allowed, c.Reason = false, fmt.Sprintf("not reached: sshd takes %s:%d for the key", t.taken[before].File, t.taken[before].Line)
		}
	}
	t.verdict.Candidates = append(t.verdict.Candidates, c)
}

// conclude words the verdict.
func (t *trial) conclude() {
	v := t.verdict
	if i := slices.IndexFunc(v.Candidates, func(c Candidate) bool { return c.Allowed }); i >= 0 {
		first := v.Candidates[i]
		v.Allowed, v.File, v.Line, v.Reason, v.NeedsVerification = true, first.File, first.Line, first.Reason, first.NeedsVerification
		return
	}
	switch {
	case t.refused != "":
		v.Reason = t.refused
	case v.Reason != "":
	case len(v.Candidates) == 0 && t.note != "":
		v.Reason = t.note
	case len(v.Candidates) == 0 && t.want != nil:
		v.Reason = "no line holds the key"
	case len(v.Candidates) == 0:
		v.Reason = "no key is listed for the user"
	case len(t.taken) > 0 && t.want != nil:
		v.Reason = t.taken[0].Reason
	case len(v.Candidates) == 1 || t.want != nil:
		v.Reason = v.Candidates[0].Reason
	default:
		v.Reason = "every line that holds a key is refused"
	}
	if t.config.AuthorizedKeysCommand != "" && !strings.EqualFold(t.config.AuthorizedKeysCommand, "none") && t.output[t.user.Name] == nil {
		v.Reason += "; AuthorizedKeysCommand was not asked"
	}
}
