package authkeys

import (
	"fmt"
	"path"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
)

// maxMalformed bounds the lines without a key that are reported of one file.
const maxMalformed = 20

// keyFile takes a file's keys and problems into the set.
func (b *builder) keyFile(u accounts.User, f *keyFile, judges []*judge, refused string) {
	if f.refused != "" {
		b.problem(Problem{Kind: ProblemPermissions, File: f.name, User: u.Name, Message: f.refused, Remedy: f.remedy})
	}
	if f.err != nil {
		b.closed++
		if dir := path.Dir(f.name); !b.seen[dir] { // a closed folder hides all files in it: one error will do
			b.seen[dir] = true
			b.fail(f.err)
		}
		b.problem(Problem{Kind: ProblemUnreadable, File: f.name, User: u.Name, Message: f.err.Error()})
		return
	}
	b.opened++
	b.lines(u.Name, f.name, f.lines, func(l keyline.Line) finding {
		return b.dead(l, judges, f.refused, refused)
	})
}

// dead says why a line opens nothing, as a finding that is allowed when it does open something.
func (b *builder) dead(l keyline.Line, judges []*judge, fileRefused, userRefused string) finding {
	var first finding
	for i, j := range judges {
		f := j.plainLine(l)
		if l.Options.CertAuthority {
			f = j.authorityLine(l)
		}
		if f.allowed {
			first = f
			break
		}
		if i == 0 {
			first = f
		}
	}
	switch {
	case !first.allowed && first.kind != DeadUserDenied:
		return first
	case fileRefused != "":
		return refuse(DeadPermissions, "%s", fileRefused)
	case userRefused != "":
		kind := DeadUserDenied
		if userRefused == "PubkeyAuthentication is off" {
			kind = DeadPubkeyOff
		}
		return refuse(kind, "%s", userRefused)
	}
	return first
}

// lines takes lines with keys into the set; those without one become problems.
func (b *builder) lines(user, file string, lines []fileLine, judge func(keyline.Line) finding) {
	malformed := 0
	for _, fl := range lines {
		l := fl.line
		if l.Key == nil {
			if malformed++; malformed <= maxMalformed {
				b.problem(Problem{Kind: ProblemLine, File: file, Line: fl.number, User: user, Message: fmt.Sprintf("sshd skips the line: %v", l.Err)})
			}
			continue
		}
		f := judge(l)
		k := Key{
			Host: b.set.Host, User: user, File: file, Line: fl.number, Type: l.Key.Name(), Bits: l.Key.Bits, Comment: l.Comment,
			SHA256: l.Key.SHA256(), MD5: l.Key.MD5(), Blob: l.Key.Blob, Options: l.Options, CertAuthority: l.Options.CertAuthority,
		}
		if l.Options.Expiry != nil {
			k.Expiry = l.Options.Expiry.UTC()
		}
		if !f.allowed {
			k.Dead, k.DeadKind = f.reason, f.kind
		}
		b.set.Keys = append(b.set.Keys, k)
		if k.CertAuthority {
			b.set.CAs = append(b.set.CAs, CA{
				Host: k.Host, User: user, File: file, Line: fl.number, Type: k.Type, Bits: k.Bits, Comment: k.Comment,
				SHA256: k.SHA256, MD5: k.MD5, Blob: k.Blob, Options: k.Options, Dead: k.Dead,
			})
		}
	}
	if malformed > maxMalformed {
		b.problem(Problem{Kind: ProblemLine, File: file, User: user, Message: fmt.Sprintf("sshd skips %d more lines", malformed-maxMalformed)})
	}
}
