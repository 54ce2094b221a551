package authkeys

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
	"github.com/opsctl/opsctl/pkg/authkeys/pattern"
	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
)

// judge decides about logins of one user over one connection.
type judge struct {
	*site
	user   accounts.User
	config *Config
	addr   string // the client's address, "" for any
	name   string // the client's name with UseDNS, else its address again
	now    time.Time
	lists  *revocation
}

// connection is a query's in the form in which Match looks at it.
func (s *site) connection(q Query) sshdconfig.Connection {
	conn := sshdconfig.Connection{User: q.User, LocalPort: q.Port}
	if conn.LocalPort == 0 {
		conn.LocalPort = 22
	}
	if q.Local.IsValid() {
		conn.LocalAddr = q.Local.Unmap().String()
	}
	if q.From.IsValid() {
		conn.Address = q.From.Unmap().String()
		conn.Host = conn.Address
		if s.config != nil && q.HostName != "" && s.config.Global().UseDNS {
			conn.Host = strings.ToLower(q.HostName)
		}
	} else {
		conn.AnyAddress = true
	}
	_, known := s.lookup(q.User)
	conn.InvalidUser = !known
	return conn
}

func newJudge(s *site, u accounts.User, c *Config, conn sshdconfig.Connection, now time.Time) *judge {
	return &judge{site: s, user: u, config: c, addr: conn.Address, name: conn.Host, now: now, lists: s.revocations(c.RevokedKeys)}
}

// userRefused is allowed_user() and what else keeps an account from logging in with any key; "" when
// nothing does. Patterns about addresses count only for a connection whose address is known.
func (j *judge) userRefused() string {
	c, u := j.config, j.user
	if c.RefuseConnection {
		return "RefuseConnection is set for this connection"
	}
	if !c.UsePAM && u.Locked {
		return "the account is locked, and UsePAM is off"
	}
	if !c.UsePAM && !u.Expires.IsZero() && !j.now.Before(u.Expires) {
		return "the account has expired"
	}
	if why := j.shellRefused(); why != "" {
		return why
	}
	for _, p := range c.DenyUsers {
		if j.matchUser(p, false) {
			return fmt.Sprintf("DenyUsers lists %s", p)
		}
	}
	allowed := func(p string) bool { return j.matchUser(p, true) }
	if len(c.AllowUsers) > 0 && !slices.ContainsFunc(c.AllowUsers, allowed) {
		return "AllowUsers does not list the user" + j.fromThere()
	}
	return j.groupsRefused()
}

func (j *judge) fromThere() string {
	if j.addr == "" {
		return ""
	}
	return " from " + j.addr
}

func (j *judge) shellRefused() string {
	if root := j.config.ChrootDirectory; root != "" && !strings.EqualFold(root, "none") {
		return ""
	}
	if j.programless {
		return ""
	}
	shell := j.user.Shell
	if shell == "" {
		shell = "/bin/sh"
	}
	info, err := j.host.Stat(shell)
	switch {
	case err != nil:
		return fmt.Sprintf("shell %s does not exist", shell)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return fmt.Sprintf("shell %s is not executable", shell)
	}
	return ""
}

// matchUser matches an entry of AllowUsers or DenyUsers; unknown is the answer to a pattern about an
// address when any address is asked about.
func (j *judge) matchUser(p string, unknown bool) bool {
	lastAt := j.version.AtLeast(9, 9)
	if j.addr != "" {
		return pattern.User(j.user.Name, j.name, j.addr, p, lastAt) == pattern.Matched
	}
	at := strings.IndexByte(p, '@')
	if lastAt {
		at = strings.LastIndexByte(p, '@')
	}
	if at < 0 {
		return pattern.Match(j.user.Name, p)
	}
	return unknown && pattern.Match(j.user.Name, p[:at])
}

func (j *judge) groupsRefused() string {
	deny, allow := j.config.DenyGroups, j.config.AllowGroups
	if len(deny) == 0 && len(allow) == 0 {
		return ""
	}
	groups := j.accounts.GroupNames(j.user)
	switch {
	case len(groups) == 0:
		return "the user is in no group"
	case pattern.AnyGroup(groups, deny):
		return "DenyGroups lists a group of the user"
	case len(allow) > 0 && !pattern.AnyGroup(groups, allow):
		return "AllowGroups lists none of the user's groups"
	}
	return ""
}

// methodRefused says why public keys are of no use, "" when they are. More says what else is asked for.
func (j *judge) methodRefused() (why, more string) {
	if !j.config.PubkeyAuthentication {
		return "PubkeyAuthentication is off", ""
	}
	lists := j.config.AuthenticationMethods
	if len(lists) == 0 {
		return "", ""
	}
	best, found := "", false
	for _, list := range lists {
		methods := strings.Split(list, ",")
		i := slices.Index(methods, "publickey")
		if i < 0 {
			continue
		}
		rest := strings.Join(slices.Delete(methods, i, i+1), ",")
		if !found || len(rest) < len(best) {
			best, found = rest, true
		}
	}
	if !found {
		return "AuthenticationMethods leaves public keys out", ""
	}
	if best != "" {
		more = "; AuthenticationMethods asks for " + best + " as well"
	}
	return "", more
}

// rootRefused is auth_root_allowed(). It holds for every user with uid 0.
func (j *judge) rootRefused(forced bool) string {
	if j.user.UID != 0 {
		return ""
	}
	switch j.config.PermitRootLogin {
	case "no":
		return "PermitRootLogin is no"
	case "forced-commands-only":
		if !forced {
			return "PermitRootLogin asks for a forced command, the line has none"
		}
	}
	return ""
}

// keyRefused says why sshd refuses a key or certificate before it looks at any line, "" when it does not.
func (j *judge) keyRefused(key *pubkey.Key) (DeadKind, string) {
	if key.Type == pubkey.DSA && !j.version.HasDSA() {
		return DeadTypeUnsupported, "this sshd does not know keys of type " + key.Type
	}
	if !slices.ContainsFunc(algorithms(key), func(n string) bool { return slices.Contains(j.config.PubkeyAcceptedAlgorithms, n) }) {
		return DeadTypeRefused, fmt.Sprintf("PubkeyAcceptedAlgorithms leaves %s out", key.Name())
	}
	if key.Cert != nil && !slices.Contains(j.config.CASignatureAlgorithms, key.Cert.SignatureType) {
		return DeadTypeRefused, fmt.Sprintf("CASignatureAlgorithms leaves %s out", key.Cert.SignatureType)
	}
	if key.Type == pubkey.RSA && key.Bits < j.config.RequiredRSASize {
		return DeadTooSmall, fmt.Sprintf("the key has %d bits, RequiredRSASize is %d", key.Bits, j.config.RequiredRSASize)
	}
	if why := j.lists.reason(key); why != "" {
		return DeadRevoked, why
	}
	if key.Cert != nil {
		if why := j.lists.reason(key.Cert.CA); why != "" {
			return DeadRevoked, "the authority's key: " + why
		}
	}
	return "", ""
}

// algorithms are the signature algorithms that a client can use a key with; one that sshd accepts is
// enough.
func algorithms(key *pubkey.Key) []string {
	names := []string{key.Name()}
	switch key.Type {
	case pubkey.RSA:
		suffix := strings.TrimPrefix(key.Name(), pubkey.RSA)
		names = append(names, "rsa-sha2-512"+suffix, "rsa-sha2-256"+suffix)
	case pubkey.SKECDSA:
		if key.Cert == nil {
			names = append(names, "webauthn-sk-ecdsa-sha2-nistp256@openssh.com")
		}
	}
	return names
}

// lookup finds an account; with explicit files every name is one.
func (s *site) lookup(name string) (accounts.User, bool) {
	if s.accounts == nil {
		return accounts.User{Name: name, UID: 1}, true
	}
	return s.accounts.Lookup(background(), name)
}

func unmapped(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}
