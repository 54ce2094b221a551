package authkeys

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
)

// trustedCert decides whether TrustedUserCAKeys lets a certificate in (user_cert_trusted_ca). Line is
// the one that holds the authority, 0 when none does.
func (j *judge) trustedCert(cert *pubkey.Key) (f finding, line int) {
	list, broken := j.trusted(j.config.TrustedUserCAKeys)
	i := slices.IndexFunc(list, func(l listedKey) bool { return l.key.Equal(cert.Cert.CA) })
	if i < 0 {
		if broken != nil {
			return refuse("", "the authority is not in %s, as far as sshd can read it: %v", j.config.TrustedUserCAKeys, broken), 0
		}
		return refuse("", "the authority is not in %s", j.config.TrustedUserCAKeys), 0
	}
	return j.trustedBy(cert), list[i].line
}

func (j *judge) trustedBy(cert *pubkey.Key) finding {
	name := j.user.Name
	var options *keyline.Options
	if j.usesPrincipals() {
		var why string
		if options, why = j.principal(cert.Cert); options == nil {
			return refuse("", "%s", why)
		}
		name = ""
	}
	if why := j.certRefused(cert.Cert, name, true); why != "" {
		return refuse("", "%s", why)
	}
	own, f := j.certOptions(cert)
	if !f.allowed {
		return f
	}
	forced, verify := own.command != nil, false
	if options != nil {
		if f := j.options(options, false); !f.allowed {
			f.reason = "the principal's options: " + f.reason
			return f
		}
		verify = options.VerifyRequired
		var why string
		if forced, why = mergeCommands(options.Command, own.command); why != "" {
			return refuse("", "%s", why)
		}
	}
	return j.taken(forced, j.mustVerify(cert, own, verify), "allowed")
}

// usesPrincipals says whether the names in certificates are looked up instead of compared with the
// user's. A command counts also when it is "none", for sshd does not clear that.
func (j *judge) usesPrincipals() bool {
	return j.config.AuthorizedPrincipalsFile != "" || j.config.AuthorizedPrincipalsCmd != ""
}

// principal finds the options of the first line of the principals files that a certificate answers; nil
// and the reason when there is none.
func (j *judge) principal(cert *pubkey.Cert) (*keyline.Options, string) {
	reasons := []string{"the certificate does not contain an authorized principal"}
	if text := j.config.AuthorizedPrincipalsFile; text != "" {
		names, err := j.keyNames(text, j.user)
		if err != nil {
			return nil, "sshd ends the connection: AuthorizedPrincipalsFile: " + err.Error()
		}
		for _, name := range names {
			lines, problem := j.principalLines(name)
			if problem != "" {
				reasons = append(reasons, problem)
			}
			for _, line := range lines {
				if o := j.principalLine(line, cert); o != nil {
					return o, ""
				}
			}
		}
	}
	if c := j.config.AuthorizedPrincipalsCmd; c != "" && !strings.EqualFold(c, "none") {
		reasons = append(reasons, "AuthorizedPrincipalsCommand was not asked")
	}
	return nil, strings.Join(reasons, "; ")
}

// principalLines reads an authorized principals file with the user's rights.
func (j *judge) principalLines(name string) (lines []string, problem string) {
	f := j.open(name, j.user, j.config.StrictModes)
	switch {
	case f == nil:
		return nil, name + " does not exist"
	case f.refused != "":
		return nil, f.refused
	case f.err != nil:
		return nil, f.err.Error()
	}
	data, err := j.host.ReadFile(name, maxKeyFile)
	if err != nil {
		return nil, err.Error()
	}
	return strings.Split(string(data), "\n"), ""
}

// principalLine is auth_process_principals() and auth_check_principals_line(): options, blanks, a name.
// A # starts a comment anywhere, and a line with options that sshd refuses is passed over.
func (j *judge) principalLine(line string, cert *pubkey.Cert) *keyline.Options {
	line, _, _ = strings.Cut(line, "\x00")
	line, _, _ = strings.Cut(line, "#")
	line = strings.TrimLeft(line, " \t")
	if line == "" {
		return nil
	}
	if trimmed := strings.TrimRight(line, "\n \t"); trimmed != "" {
		line = trimmed
	}
	name := line
	options := ""
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		i = strings.LastIndexByte(line, '\t')
	}
	if i >= 0 {
		options, name = line, strings.TrimLeft(line[i:], " \t")
	}
	o, err := j.parser.Options(options)
	if err != nil || !slices.Contains(cert.Principals, name) {
		return nil
	}
	return &o
}

// trustedAuthority says what can be said of an authority of TrustedUserCAKeys without a certificate.
func (j *judge) trustedAuthority(ca *pubkey.Key) finding {
	if f := j.authority(ca); !f.allowed {
		return f
	}
	condition, refused := j.rootAuthority(false)
	if refused != "" {
		return refuse(DeadUserDenied, "%s", refused)
	}
	c := j.config
	switch {
	case c.AuthorizedPrincipalsFile == "" && c.AuthorizedPrincipalsCmd == "":
		return finding{allowed: true, reason: "allowed with a certificate of this authority that names " + j.user.Name + condition}
	case c.AuthorizedPrincipalsFile == "" && strings.EqualFold(c.AuthorizedPrincipalsCmd, "none"):
		return refuse("", "AuthorizedPrincipalsCommand is none, which authorizes no principal")
	case c.AuthorizedPrincipalsCmd != "" && !strings.EqualFold(c.AuthorizedPrincipalsCmd, "none"):
		return finding{allowed: true, reason: "allowed with a certificate of this authority for a principal that AuthorizedPrincipalsCommand names" + condition}
	}
	names, problems := j.principalNames()
	if len(names) == 0 {
		return refuse("", "%s", strings.Join(append([]string{"no principal is authorized"}, problems...), "; "))
	}
	return finding{allowed: true, reason: fmt.Sprintf("allowed with a certificate of this authority for one of the principals %q", strings.Join(names, ",")) + condition}
}

// principalNames lists the principals that the files authorize now and from the address.
func (j *judge) principalNames() (names, problems []string) {
	files, err := j.keyNames(j.config.AuthorizedPrincipalsFile, j.user)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, file := range files {
		lines, problem := j.principalLines(file)
		if problem != "" {
			problems = append(problems, problem)
		}
		for _, line := range lines {
			words := strings.Fields(strings.SplitN(line, "#", 2)[0])
			if len(words) == 0 {
				continue
			}
			name := words[len(words)-1]
			o := j.principalLine(line, &pubkey.Cert{Principals: []string{name}})
			if o != nil && j.options(o, false).allowed && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, problems
}
