package sshdconfig

import (
	"errors"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/pattern"
)

const cert = "-cert-v01@openssh.com"

// allAlgorithms lists the public key algorithms that sshd knows, in the order of keyimpls[] in
// sshkey.c, which is that of the results of patterns.
func allAlgorithms(v Version, plainOnly bool) []string {
	names := []string{
		"ssh-ed25519", "ssh-ed25519" + cert, "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519" + cert,
		"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256" + cert, "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384" + cert,
		"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521" + cert, "sk-ecdsa-sha2-nistp256@openssh.com",
		"sk-ecdsa-sha2-nistp256" + cert, "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
	}
	if v.HasDSA() {
		names = append(names, "ssh-dss", "ssh-dss"+cert)
	}
	names = append(names, "ssh-rsa", "ssh-rsa"+cert, "rsa-sha2-256", "rsa-sha2-256"+cert, "rsa-sha2-512", "rsa-sha2-512"+cert)
	if plainOnly {
		names = slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, cert) })
	}
	return names
}

// HasDSA says whether the release knows ssh-dss keys as it is built by default.
func (v Version) HasDSA() bool { return !v.AtLeast(9, 8) }

// defaultSignatures is SSH_ALLOWED_CA_SIGALGS in myproposal.h.
func defaultSignatures() []string {
	return []string{
		"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
		"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256",
	}
}

// defaultAlgorithms is KEX_DEFAULT_PK_ALG in myproposal.h: the certificates first.
func defaultAlgorithms() []string {
	var certs []string
	for _, name := range defaultSignatures() {
		certs = append(certs, strings.TrimSuffix(name, "@openssh.com")+cert)
	}
	return append(certs, defaultSignatures()...)
}

// validAlgorithms is sshkey_names_valid2() with wildcards: every name must be known or match a known
// one. A list that takes names away is not looked at.
func validAlgorithms(list string, v Version) bool {
	if strings.HasPrefix(list, "-") {
		return true
	}
	list = strings.TrimLeft(list[:min(1, len(list))], "+^") + list[min(1, len(list)):]
	if list == "" {
		return false
	}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			break
		}
		known := func(n string) bool { return pattern.List(n, name) != pattern.None }
		if !slices.ContainsFunc(allAlgorithms(v, false), known) && !shortName(name, v) {
			return false
		}
	}
	return true
}

// shortName knows the names that older releases also take for types, such as RSA; they match nothing.
func shortName(name string, v Version) bool {
	short := []string{"ED25519", "ED25519-SK", "ECDSA", "ECDSA-SK", "RSA", "DSA"}
	return !v.AtLeast(9, 9) && slices.ContainsFunc(short, func(s string) bool { return strings.EqualFold(s, name) })
}

// assemble is kex_assemble_names(): the names that a configured list stands for. A list starting with
// + adds to the default, with ^ goes before it, with - takes away from it.
func assemble(list string, def, all []string) ([]string, error) {
	if list == "" {
		return def, nil
	}
	var parts []string
	switch list[0] {
	case '-':
		return slices.DeleteFunc(slices.Clone(def), func(n string) bool {
			return pattern.List(n, list[1:]) == pattern.Matched
		}), nil
	case '+':
		parts = concat(def, commaSplit(list[1:]))
	case '^':
		parts = concat(commaSplit(list[1:]), def)
	default:
		parts = strings.Split(list, ",")
	}
	var names []string
	for _, p := range parts {
		if strings.HasPrefix(p, "!") {
			return nil, errors.New("negated names are not supported")
		}
		matching := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return pattern.List(n, p) != pattern.Matched })
		names = concat(names, matching)
	}
	if len(names) == 0 {
		return nil, errors.New("no algorithm is left")
	}
	return names, nil
}

// commaSplit ends at the first empty name, as strsep() loops in kex_names_cat() do.
func commaSplit(list string) []string {
	names := strings.Split(list, ",")
	if i := slices.Index(names, ""); i >= 0 {
		names = names[:i]
	}
	return names
}

// concat appends the names of b that a does not hold yet. The first list is taken as it is.
func concat(a, b []string) []string {
	if len(a) == 0 {
		return slices.Clone(b)
	}
	out, seen := slices.Clone(a), map[string]bool{}
	for _, n := range a {
		seen[n] = true
	}
	for _, n := range b {
		if !seen[n] {
			out, seen[n] = append(out, n), true
		}
	}
	return out
}
