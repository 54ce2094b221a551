package main

import (
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// The addresses of the stage: documentation ranges (RFC 5737, RFC 3849) and one that the project's tests ask for.
const (
	server   = "192.0.2.1"
	laptop   = "115.192.217.112"
	office   = "198.51.100.20"
	ciRunner = "198.51.100.77"
	attacker = "203.0.113.66"
	botnet   = "203.0.113.99"
	scanner  = "192.0.2.200"
	laptop6  = "2001:db8::7"
)

// world is who and what the samples are about: web01's accounts, keys and files.
type world struct {
	keys      map[string]*testpeers.Key // by the name that also serves as comment
	penalties bool                      // sshd is 9.8 or later and knows PerSourcePenalties
	pack      string                    // suffix of the samples that are packed for this version of sshd only
}

const (
	userCA, lineCA, rogueCA = "user-ca", "deploy-ca", "rogue-ca"
	wrongKey                = "nobody@nowhere"
)

func newWorld() (*world, error) {
	w := &world{keys: map[string]*testpeers.Key{}}
	var problems []error
	add := func(name string, key *testpeers.Key, err error) {
		w.keys[name] = key
		problems = append(problems, err)
	}
	for _, name := range []string{
		"alice@laptop", "alice@phone", "bob@office", "bob@expired", "bob@tunnel", "carol@desk", "root@rescue", "ops@revoked",
		"dave@home", "ci@runner", "old@contractor", "intern@laptop", wrongKey, userCA, lineCA, rogueCA, "alice@cert", "shared@team",
	} {
		key, err := testpeers.NewEd25519()
		add(name, key, err)
	}
	for name, bits := range map[string]int{"alice@old-desktop": 3072, "legacy@backup": 1024, "deploy@jenkins": 2048} {
		key, err := testpeers.NewRSA(bits)
		add(name, key, err)
	}
	key, err := testpeers.NewECDSA(elliptic.P256())
	add("bob@workstation", key, err)
	key, err = testpeers.NewECDSA(elliptic.P521())
	add("deploy@ansible", key, err)
	key, err = testpeers.NewSK()
	add("alice@yubikey", key, err)
	return w, errors.Join(problems...)
}

func (w *world) line(name string) string { return w.keys[name].Line(name) }

func accounts() []testpeers.Account {
	return []testpeers.Account{
		{Name: "root", Password: "toor-9182"},
		{Name: "deploy", UID: 1000},
		{Name: "alice", UID: 1001, Password: "correct horse"},
		{Name: "bob", UID: 1002, Password: "123456"},
		{Name: "carol", UID: 1003},
		{Name: "dave", UID: 1004, Password: "letmein"},
		{Name: "lou", UID: 1005, Password: "x", Locked: true},
		{Name: "noshell", UID: 1006, Shell: "/bin/gone"},
	}
}

// keyFiles are the key files of web01; mode and owner are what sshd sees in the box.
func (w *world) keyFiles() []testpeers.File {
	text := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	return []testpeers.File{
		{Name: "/root/.ssh/authorized_keys", Mode: 0o600, Text: text(
			w.line("root@rescue"),
			`from="198.51.100.0/24" `+w.line("shared@team"))},
		{Name: "/home/alice/.ssh/authorized_keys", UID: 1001, Mode: 0o600, Text: text(
			"# alice's machines",
			w.line("alice@laptop"),
			"",
			w.line("alice@old-desktop"),
			w.line("alice@yubikey"),
			`no-port-forwarding,environment="WHO=alice" `+w.line("alice@phone"))},
		{Name: "/home/bob/.ssh/authorized_keys", UID: 1002, Mode: 0o600, Text: text(
			`from="198.51.100.0/24,!198.51.100.66" `+w.line("bob@office"),
			`expiry-time="20240101" `+w.line("bob@expired"),
			w.line("bob@workstation"),
			`permit-everything `+w.line("bob@tunnel"),
			w.line("ops@revoked"))},
		{Name: "/home/deploy/.ssh/authorized_keys", UID: 1000, Mode: 0o600, Text: text(
			`command="/srv/deploy/run",restrict `+w.line("deploy@jenkins"),
			`cert-authority,principals="release,deploy" `+w.line(lineCA),
			w.line("deploy@ansible"),
			w.line("legacy@backup"),
			w.line("shared@team"),
			w.line("old@contractor"))},
		{Name: "/home/carol/.ssh/authorized_keys", UID: 1003, Mode: 0o666, Text: text(w.line("carol@desk"))},
		{Name: "/home/dave/.ssh/authorized_keys", UID: 1004, Mode: 0o600, Text: text(w.line("dave@home"))},
		{Name: "/etc/ssh/user_ca.pub", Mode: 0o644, Text: text(w.line(userCA))},
		{Name: "/etc/ssh/revoked_keys", Mode: 0o644, Text: text(w.line("ops@revoked"))},
	}
}

// sshdConfig is web01's configuration; extra lines come first, where they win.
func (w *world) sshdConfig(extra ...string) string {
	if w.penalties {
		// Else an address that fails often is shut out before it has played its part.
		extra = append(extra, "PerSourcePenalties no")
	}
	return strings.Join(append(extra,
		"# web01",
		"LogLevel VERBOSE",
		"HostKey "+testpeers.HostKey,
		"UsePAM yes",
		"PermitRootLogin yes",
		"PasswordAuthentication yes",
		"KbdInteractiveAuthentication yes",
		"TrustedUserCAKeys /etc/ssh/user_ca.pub",
		"RevokedKeys /etc/ssh/revoked_keys",
		"DenyUsers dave",
		"MaxAuthTries 4",
		"PrintMotd no",
		"Subsystem sftp /usr/lib/openssh/sftp-server",
		"Match User carol",
		"    PasswordAuthentication no",
	), "\n") + "\n"
}

// pam is /etc/pam.d/sshd without what a box has no use for (SELinux, mail, limits) and without pam_unix's
// delay after a wrong password.
const pam = `auth required pam_unix.so nodelay
account required pam_nologin.so
account required pam_unix.so
session required pam_unix.so
password required pam_unix.so
`

// furnish puts the world into a box.
func (w *world) furnish(ctx context.Context, box *testpeers.Box) error {
	if err := box.WriteAccounts(ctx, accounts()); err != nil {
		return err
	}
	return box.WriteFiles(append(w.keyFiles(),
		testpeers.File{Name: "/etc/pam.d/sshd", Text: pam, Mode: 0o644},
		testpeers.File{Name: "/etc/pam.d/other", Text: pam, Mode: 0o644},
		testpeers.File{Name: "/srv/deploy/run", Text: "#!/bin/sh\nexit 0\n", Mode: 0o755},
		testpeers.File{Name: "/etc/hostname", Text: "web01\n", Mode: 0o644},
	)...)
}

// cert certifies the key of that name; principals nil means for every user.
func (w *world) cert(ca, subject, id string, serial uint64, principals ...string) (*testpeers.Key, error) {
	return w.certUntil(ca, subject, id, serial, ssh.CertTimeInfinity, principals...)
}

func (w *world) certUntil(ca, subject, id string, serial, before uint64, principals ...string) (*testpeers.Key, error) {
	key, err := testpeers.Certify(w.keys[ca], w.keys[subject], ssh.Certificate{
		KeyId: id, Serial: serial, ValidPrincipals: principals,
		ValidAfter: uint64(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()), ValidBefore: before,
	})
	if err != nil {
		return nil, fmt.Errorf("certificate %q: %w", id, err)
	}
	return key, nil
}
