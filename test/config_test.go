package test

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// makeConfig makes an sshd_config that sshd starts with.
func (r *round) makeConfig() {
	set := pick(r.Rand, fileSets)
	r.patterns = splitPatterns(set)
	add := func(format string, args ...any) { r.config = append(r.config, fmt.Sprintf(format, args...)) }
	add("HostKey %s", testpeers.HostKey)
	add("LogLevel VERBOSE")
	add("PasswordAuthentication no")
	add("KbdInteractiveAuthentication no")
	add("UsePAM %s", pick(r.Rand, []string{"no", "no", "yes"}))
	if r.modern {
		add("PerSourcePenalties no")
	}
	if set != "" {
		add("%s %s", pick(r.Rand, []string{"AuthorizedKeysFile", "authorizedkeysfile", "AuthorizedKeysFile   "}), set)
	}
	if r.odd(15) {
		add("StrictModes no")
	}
	if r.maybe(70) {
		add("PermitRootLogin %s", pick(r.Rand, []string{"yes", "yes", "no", "prohibit-password", "without-password", "forced-commands-only"}))
	}
	if r.odd(20) {
		add("RequiredRSASize %s", pick(r.Rand, []string{"1024", "2048", "3000", "4096"}))
	}
	if r.odd(25) {
		add("PubkeyAcceptedAlgorithms %s", pick(r.Rand, r.algorithms()))
	}
	r.makeAccess(add)
	r.makeRevocation(add)
	if r.maybe(60) {
		add("TrustedUserCAKeys /etc/ssh/trusted_cas")
		if r.odd(30) {
			add("AuthorizedPrincipalsFile %s", pick(r.Rand, []string{"/etc/ssh/principals/%u", ".ssh/principals", "none"}))
		}
		if r.odd(15) {
			add("CASignatureAlgorithms %s", pick(r.Rand, []string{"ssh-ed25519", "-ssh-ed25519", "rsa-sha2-512,ssh-ed25519", "ecdsa-sha2-*"}))
		}
	}
	if r.odd(4) {
		add("PubkeyAuthentication no")
	}
	if r.odd(20) {
		add("Include /etc/ssh/sshd_config.d/*.conf")
		r.files = append(r.files, testpeers.File{Name: "/etc/ssh/sshd_config.d/10-x.conf", Text: "MaxAuthTries 3\nStrictModes no\n", Mode: 0o644})
	}
	r.makeMatch(add)
}

func (r *round) algorithms() []string {
	all := []string{
		"-ssh-ed25519", "-ecdsa-*", "ssh-ed25519", "rsa-sha2-512,rsa-sha2-256", "-*cert*", "ecdsa-sha2-nistp256,ssh-ed25519", "^ssh-ed25519", "+ssh-rsa",
		"-sk-*", "*ed25519*", "ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com,ssh-ed25519",
		"rsa-sha2-256-cert-v01@openssh.com,rsa-sha2-512", "rsa-sha2-256,ssh-rsa-cert-v01@openssh.com", "ssh-rsa",
	}
	if !r.modern {
		all = append(all, "+ssh-dss")
	}
	return all
}

// makeAccess adds the directives about who may come.
func (r *round) makeAccess(add func(string, ...any)) {
	if r.odd(15) {
		add("AllowUsers %s", pick(r.Rand, []string{
			"alice bob root", "a* root bob", "alice@198.51.100.* bob dave", "alice@198.51.100.0/24 root carol", "!bob *", "*@192.0.2.10 bob", "?lice", "alice,bob",
		}))
	}
	if r.odd(12) {
		add("DenyUsers %s", pick(r.Rand, []string{"bob", "*@203.0.113.5", "svc-* dave", "!alice *", "root@127.0.0.1", "Alice"}))
	}
	if r.odd(8) {
		add("AllowGroups %s", pick(r.Rand, []string{"staff root wheel", "staff", "st* carol", "!wheel *"}))
	}
	if r.odd(8) {
		add("DenyGroups %s", pick(r.Rand, []string{"wheel", "dave", "empty", "sta??"}))
	}
}

func (r *round) makeRevocation(add func(string, ...any)) {
	kind := r.IntN(10)
	if r.calm {
		kind = r.IntN(40)
	}
	switch kind {
	case 0, 1:
		var text strings.Builder
		for range 2 {
			text.WriteString(pick(r.Rand, r.pool.plain).line("revoked") + "\n")
		}
		if r.odd(30) {
			text.WriteString(testpeers.PublicLine(pick(r.Rand, r.pool.cas).Signer.PublicKey(), "revoked CA") + "\n")
		}
		if r.odd(20) {
			text.WriteString("# comment\n\njunk\n")
		}
		r.files = append(r.files, testpeers.File{Name: "/etc/ssh/revoked_keys", Text: text.String(), Mode: 0o644})
		add("RevokedKeys /etc/ssh/revoked_keys")
	case 2, 3:
		k := pick(r.Rand, r.pool.plain[:r.pool.ordinary]) // ssh-keygen must read it
		r.revoke = pick(r.Rand, []string{
			"serial: 3\nserial: 5-8\n", "id: try-1\nid: try-2\n", "key: " + k.line("") + "\n", "sha1: " + k.line("") + "\n", "sha256: " + k.line("") + "\n",
			"hash: " + ssh.FingerprintSHA256(pick(r.Rand, r.pool.plain).signer.PublicKey()) + "\nserial: 1\n",
		})
		add("RevokedKeys %s", krlFile)
	case 4:
		if r.odd(15) {
			add("RevokedKeys /etc/ssh/missing")
		} else {
			add("RevokedKeys none")
		}
	}
}

func (r *round) makeMatch(add func(string, ...any)) {
	for range r.IntN(3) {
		if !r.odd(50) {
			continue
		}
		add("Match %s", pick(r.Rand, []string{
			"User alice", "User alice,bob", "User *,!root", "Group staff", "Group wheel,!staff", "Address 198.51.100.0/24", "Address 192.0.2.*,!192.0.2.11", "User root Address 127.0.0.1",
			"Host 198.51.100.7", "LocalPort 22", "LocalPort 2222", "all", "LocalAddress 127.0.0.1", "user dave", "Address 2001:db8::/32",
		}))
		add("    %s", pick(r.Rand, append([]string{
			"AuthorizedKeysFile .ssh/authorized_keys", "AuthorizedKeysFile none", "PermitRootLogin no", "PubkeyAuthentication no", "DenyUsers alice", "AllowUsers root",
			"PubkeyAcceptedAlgorithms -ssh-ed25519", "RevokedKeys none", "TrustedUserCAKeys none", "AllowGroups staff", "AuthorizedPrincipalsFile none", "PermitRootLogin yes",
			"AuthorizedKeysFile /etc/ssh/keys/%u",
		}, "ForceCommand true")))
	}
}

// makeCAs writes the authorities' files and the principals of every account.
func (r *round) makeCAs() {
	var trusted strings.Builder
	for i, ca := range r.pool.cas {
		line := testpeers.PublicLine(ca.Signer.PublicKey(), fmt.Sprintf("ca %d", i))
		r.files = append(r.files, testpeers.File{Name: fmt.Sprintf("/etc/ssh/ca%d.pub", i), Text: line + "\n", Mode: 0o644})
		if r.maybe(75) {
			trusted.WriteString(line + "\n")
		}
		if r.odd(15) {
			trusted.WriteString(pick(r.Rand, []string{"# comment\n", "\n", "junk\n", "   \n", "no-pty " + line + "\n"}))
		}
	}
	r.files = append(r.files, testpeers.File{Name: "/etc/ssh/trusted_cas", Text: trusted.String(), Mode: 0o644})
	for _, a := range r.accounts {
		if r.maybe(30) || homeOf(a) == "/nonexistent" {
			continue
		}
		text := pick(r.Rand, []string{
			a.Name + "\n", "team\n", "# only team\n\nteam # comment\n", `from="198.51.100.0/24" team` + "\n", "bad-option team\nalice\n", "alice\nteam\n", "  team  \n", "te*\n", "",
			`command="true",no-pty alice` + "\n",
		})
		mode := pick(r.Rand, []os.FileMode{0o644, 0o644, 0o644, 0o666, 0o600})
		r.files = append(r.files,
			testpeers.File{Name: "/etc/ssh/principals/" + a.Name, Text: text, Mode: mode},
			testpeers.File{Name: homeOf(a) + "/.ssh/principals", Text: text, Mode: mode, UID: a.UID})
	}
}
