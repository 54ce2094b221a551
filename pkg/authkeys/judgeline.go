package authkeys

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/pattern"
	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
)

// finding is the outcome of looking at one line.
type finding struct {
	allowed bool
	kind    DeadKind // of the reason, when it is one that no address changes
	reason  string
	// final says that sshd takes the line for the key and looks at no other, although what comes after may
	// still refuse the login.
	final  bool
	verify bool // the security key must verify its user
}

func refuse(kind DeadKind, format string, args ...any) finding {
	return finding{kind: kind, reason: fmt.Sprintf(format, args...)}
}

// lineKinds translates what is wrong with a line as such.
var lineKinds = map[keyline.Kind]DeadKind{
	keyline.Malformed: DeadMalformed, keyline.BOM: DeadBOM, keyline.TooSmall: DeadTooSmall, keyline.Certificate: DeadTypeUnsupported,
	keyline.UnknownOption: DeadUnknownOption, keyline.InvalidOption: DeadInvalidOption,
}

// plainLine decides whether a line lets the very key in it in (auth_check_authkey_line for a plain key).
func (j *judge) plainLine(l keyline.Line) finding {
	if l.Kind != keyline.OK {
		return refuse(lineKinds[l.Kind], "%v", l.Err)
	}
	if kind, why := j.keyRefused(l.Key); why != "" {
		return refuse(kind, "%s", why)
	}
	if f := j.options(&l.Options, true); !f.allowed {
		return f
	}
	verify := strings.HasPrefix(l.Key.Type, "sk-") && (l.Options.VerifyRequired || j.config.VerifyRequired)
	return j.taken(l.Options.Command != nil, verify, j.conditions(l))
}

// taken is the outcome of a line that sshd takes for the key: what is left is the question about root.
func (j *judge) taken(forced, verify bool, reason string) finding {
	f := finding{allowed: true, final: true, verify: verify, reason: reason}
	if why := j.rootRefused(forced); why != "" {
		f.allowed, f.kind, f.reason = false, DeadUserDenied, why
	} else if verify {
		f.reason += "; the security key must verify its user"
	}
	return f
}

// options is auth_authorise_keyopts(), for the options of a line or of a principal.
func (j *judge) options(o *keyline.Options, allowCA bool) finding {
	switch {
	case o.Expiry != nil && o.Expiry.Unix() < j.now.Unix():
		return refuse(DeadExpired, "expired at %s", o.Expiry.UTC().Format(time.RFC3339))
	case o.Principals != nil && !o.CertAuthority:
		return refuse(DeadInvalidOption, "principals= on a line without cert-authority")
	case !allowCA && o.CertAuthority:
		return refuse(DeadInvalidOption, "cert-authority is not allowed here")
	case o.From != nil && j.addr != "":
		switch pattern.HostAndIP(j.name, j.addr, *o.From) {
		case pattern.Matched:
		case pattern.Invalid:
			return refuse("", "from=%q cannot be read", *o.From)
		default:
			return refuse("", "from=%q does not permit %s", *o.From, j.client())
		}
	case o.From != nil && !pattern.ValidAddrList(*o.From):
		return refuse(DeadInvalidOption, "from=%q cannot be read", *o.From)
	}
	return finding{allowed: true}
}

func (j *judge) client() string {
	if j.name != j.addr {
		return j.name + " (" + j.addr + ")"
	}
	return j.addr
}

// conditions words what a line that lets a key in still demands or restricts.
func (j *judge) conditions(l keyline.Line) string {
	var list []string
	if o := l.Options; o.From != nil && j.addr == "" {
		list = append(list, fmt.Sprintf("from=%q must permit the address", *o.From))
	}
	if l.Options.Command != nil {
		list = append(list, "only to run "+*l.Options.Command)
	}
	if len(list) == 0 {
		return "allowed"
	}
	return "allowed; " + strings.Join(list, "; ")
}

// authorityLine decides what can be decided of a cert-authority line without a certificate.
func (j *judge) authorityLine(l keyline.Line) finding {
	if l.Kind != keyline.OK {
		return refuse(lineKinds[l.Kind], "%v", l.Err)
	}
	if f := j.authority(l.Key); !f.allowed {
		return f
	}
	if f := j.options(&l.Options, true); !f.allowed {
		return f
	}
	condition, refused := j.rootAuthority(l.Options.Command != nil)
	if refused != "" {
		return refuse(DeadUserDenied, "%s", refused)
	}
	who := "that names " + j.user.Name + ", or nobody"
	if l.Options.Principals != nil {
		who = fmt.Sprintf("for one of the principals %q", *l.Options.Principals)
	}
	reason := "allowed with a certificate of this authority " + who + condition
	if l.Options.From != nil && j.addr == "" {
		reason += fmt.Sprintf("; from=%q must permit the address", *l.Options.From)
	}
	return finding{allowed: true, reason: reason}
}

// rootAuthority says what PermitRootLogin makes of an authority whose certificates are not known: why
// none gets in, or what they must have.
func (j *judge) rootAuthority(forced bool) (condition, refused string) {
	why := j.rootRefused(forced)
	if why != "" && j.config.PermitRootLogin == "forced-commands-only" {
		return " and forces a command", ""
	}
	return "", why
}

// authority says whether an authority's certificates can be of use at all.
func (j *judge) authority(ca *pubkey.Key) finding {
	if ca.Type == pubkey.DSA && !j.version.HasDSA() {
		return refuse(DeadTypeUnsupported, "this sshd does not know keys of type %s", ca.Type)
	}
	if why := j.lists.reason(ca); why != "" {
		return refuse(DeadRevoked, "%s", why)
	}
	if !slices.ContainsFunc(algorithms(ca), func(n string) bool { return slices.Contains(j.config.CASignatureAlgorithms, n) }) {
		return refuse(DeadTypeRefused, "CASignatureAlgorithms leaves %s out", ca.Type)
	}
	return finding{allowed: true}
}

// certLine decides whether a cert-authority line lets a certificate in (auth_check_authkey_line).
func (j *judge) certLine(l keyline.Line, cert *pubkey.Key) finding {
	if l.Kind != keyline.OK {
		return refuse(lineKinds[l.Kind], "%v", l.Err)
	}
	if f := j.options(&l.Options, true); !f.allowed {
		return f
	}
	own, f := j.certOptions(cert)
	if !f.allowed {
		return f
	}
	forced, why := mergeCommands(l.Options.Command, own.command)
	if why != "" {
		return refuse("", "%s", why)
	}
	name := j.user.Name
	if list := l.Options.Principals; list != nil {
		if !namesOne(*list, cert.Cert) {
			return refuse("", "the certificate does not contain an authorized principal of %q", *list)
		}
		name = ""
	}
	if why := j.certRefused(cert.Cert, name, false); why != "" {
		return refuse("", "%s", why)
	}
	return j.taken(forced, j.mustVerify(cert, own, l.Options.VerifyRequired), "allowed")
}

func (j *judge) mustVerify(cert *pubkey.Key, own certOptions, line bool) bool {
	return strings.HasPrefix(cert.Type, "sk-") && (own.verify || line || j.config.VerifyRequired)
}

// certOptions reads a certificate's own options and applies them.
func (j *judge) certOptions(cert *pubkey.Key) (certOptions, finding) {
	if cert.Cert.Kind != pubkey.UserCert {
		return certOptions{}, refuse("", "not a user certificate")
	}
	own, err := readCertOptions(cert.Cert)
	if err != nil {
		return own, refuse("", "%v", err)
	}
	if own.source != nil {
		if !pattern.ValidCIDRList(*own.source) {
			return own, refuse("", "the certificate's source-address %q cannot be read", *own.source)
		}
		if j.addr != "" && pattern.CIDRList(j.addr, *own.source) != pattern.Matched {
			return own, refuse("", "the certificate's source-address %q does not permit %s", *own.source, j.addr)
		}
	}
	return own, finding{allowed: true}
}

// mergeCommands is what sshauthopt_merge() makes of two forced commands: they must be the same.
func mergeCommands(line, cert *string) (forced bool, why string) {
	if line != nil && cert != nil && *line != *cert {
		return false, "the commands that the line and the certificate force differ"
	}
	return line != nil || cert != nil, ""
}

// namesOne is match_principals_option(). An empty entry ends the list.
func namesOne(list string, cert *pubkey.Cert) bool {
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			return false
		}
		if slices.Contains(cert.Principals, name) {
			return true
		}
	}
	return false
}

// certRefused is sshkey_cert_check_authority(); name "" stands for a principal that was checked
// elsewhere.
func (j *judge) certRefused(c *pubkey.Cert, name string, needPrincipals bool) string {
	if c.Kind != pubkey.UserCert {
		return "not a user certificate"
	}
	if when := c.ValidAt(j.now); when != "" {
		return "the certificate is " + when
	}
	switch {
	case len(c.Principals) == 0 && needPrincipals:
		return "the certificate lacks a principal list"
	case len(c.Principals) > 0 && name != "" && !slices.Contains(c.Principals, name):
		return fmt.Sprintf("the certificate does not name %s", name)
	}
	return ""
}
