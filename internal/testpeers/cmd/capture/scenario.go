package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// act is a named piece of the scenario.
type act struct {
	name string
	play func(*world, *actor) error
}

// forms brings about every form of line that a client can provoke, most of them once.
func forms() []act {
	return []act{
		{"public keys of every type", publicKeys},
		{"certificates", certificates},
		{"refused keys", refusedKeys},
		{"passwords", passwordLogins},
		{"keyboard-interactive", interactiveLogins},
		{"accounts that sshd refuses", refusedAccounts},
		{"hostile user names", hostileNames},
		{"hostile key ids", hostileKeyIDs},
		{"sessions", sessions},
		{"scans", scans},
	}
}

// all runs plays in order and gives the first error.
func all(plays ...func() error) error {
	for i, play := range plays {
		if err := play(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func publicKeys(w *world, a *actor) error {
	for _, login := range []struct{ user, key string }{
		{"alice", "alice@laptop"},
		{"alice", "alice@old-desktop"},
		{"alice", "alice@yubikey"},
		{"alice", "alice@phone"},
		{"bob", "bob@workstation"},
		{"deploy", "deploy@jenkins"},
		{"deploy", "deploy@ansible"},
		{"root", "root@rescue"},
	} {
		if err := a.in(login.user, laptop, nil, offer(w.keys[login.key])); err != nil {
			return fmt.Errorf("%s: %w", login.key, err)
		}
	}
	return all(
		func() error { return a.in("alice", laptop6, nil, offer(w.keys["alice@laptop"])) },
		func() error { return a.in("bob", office, nil, offer(w.keys["bob@office"])) },
		// Two wrong keys before the right one: failures of a connection that ends in a login.
		func() error {
			return a.in("alice", laptop, nil, offer(w.keys[wrongKey], w.keys["bob@office"], w.keys["alice@laptop"]))
		},
	)
}

func certificates(w *world, a *actor) error {
	type login struct {
		ca, id     string
		serial     uint64
		principals []string
		before     uint64
		user       string
		in         bool
	}
	const ever = ssh.CertTimeInfinity
	for _, l := range []login{
		{userCA, "alice@corp", 42, []string{"alice"}, ever, "alice", true},
		{userCA, "", 0, []string{"alice"}, ever, "alice", true},
		{userCA, "alice (laptop) two words", 1<<64 - 1, []string{"alice", "root"}, ever, "root", true},
		{userCA, "alice from 9.9.9.9 port 1 ssh2: RSA SHA256:FAKE (serial 1) CA x", 7, []string{"alice"}, ever, "alice", true},
		{userCA, strings.Repeat("long-", 100), 8, []string{"alice"}, ever, "alice", true},
		{lineCA, "release-2026-11", 9, []string{"release"}, ever, "deploy", true},
		{lineCA, "wrong principal", 10, []string{"alice"}, ever, "deploy", false},
		{lineCA, "not for alice", 11, []string{"alice"}, ever, "alice", false},
		{userCA, "expired", 12, []string{"alice"}, 1700000000, "alice", false},
		{userCA, "bob's", 13, []string{"bob"}, ever, "alice", false},
		{rogueCA, "self-signed", 14, []string{"alice"}, ever, "alice", false},
	} {
		key, err := w.certUntil(l.ca, "alice@cert", l.id, l.serial, l.before, l.principals...)
		if err != nil {
			return err
		}
		// As a real client does: the certificate, then the bare key.
		auth := offer(key, w.keys["alice@cert"])
		if l.in {
			err = a.in(l.user, office, nil, auth)
		} else {
			err = a.out(l.user, office, auth)
		}
		if err != nil {
			return fmt.Errorf("certificate %q: %w", l.id, err)
		}
	}
	// The bare key first: refused, then the certificate.
	key, err := w.cert(userCA, "alice@cert", "after-the-key", 15, "alice")
	if err != nil {
		return err
	}
	return a.in("alice", office, nil, offer(w.keys["alice@cert"], key))
}

func refusedKeys(w *world, a *actor) error {
	return all(
		func() error { return a.out("alice", attacker, offer(w.keys[wrongKey])) },
		func() error { return a.out("bob", laptop, offer(w.keys["bob@office"])) },   // from=
		func() error { return a.out("bob", office, offer(w.keys["bob@expired"])) },  // expiry-time=
		func() error { return a.out("bob", office, offer(w.keys["bob@tunnel"])) },   // unknown option
		func() error { return a.out("bob", office, offer(w.keys["ops@revoked"])) },  // RevokedKeys
		func() error { return a.out("carol", office, offer(w.keys["carol@desk"])) }, // file mode
		func() error { return a.out("root", laptop, offer(w.keys["shared@team"])) }, // from=
		func() error {
			return a.out("alice", office, offer(w.keys[wrongKey], w.keys["bob@office"], w.keys["carol@desk"], w.keys["dave@home"],
				w.keys["bob@tunnel"])) // MaxAuthTries
		},
	)
}

func passwordLogins(_ *world, a *actor) error {
	return all(
		func() error { return a.in("alice", laptop, nil, passwords("correct horse")) },
		func() error { return a.in("alice", laptop, nil, passwords("wrong", "correct horse")) },
		func() error { return a.out("bob", attacker, passwords("a", "b", "c", "d", "e")) },
		func() error { return a.out("root", attacker, passwords("root", "toor")) },
		func() error { return a.in("root", office, nil, passwords("toor-9182")) },
		func() error { return a.out("carol", attacker, passwords("x")) },
	)
}

func interactiveLogins(_ *world, a *actor) error {
	return all(
		func() error { return a.in("alice", office, nil, interactive("correct horse")) },
		func() error { return a.in("alice", office, nil, interactive("wrong", "correct horse")) },
		func() error { return a.out("alice", attacker, interactive("x", "y")) },
	)
}

func refusedAccounts(w *world, a *actor) error {
	return all(
		func() error { return a.out("dave", office, offer(w.keys["dave@home"])) },
		func() error { return a.out("dave", office, passwords("letmein")) },
		func() error { return a.out("lou", office, passwords("x")) },
		func() error { return a.out("noshell", office, passwords("x")) },
		func() error { return a.out("oracle", attacker, passwords("oracle", "oracle1")) },
		func() error { return a.out("test", attacker, offer(w.keys[wrongKey])) },
		func() error { return a.out("admin", attacker, interactive("admin")) },
		func() error { return a.out("ftp", attacker) },
	)
}

func hostileNames(w *world, a *actor) error {
	for _, name := range []string{
		"", " ", " root", "root ", "two words", "invalid user root", "root [preauth]", "名前", "caf\xe9", "\x1b[31mred\x1b[0m", "a\nb", "a\r\nb",
		"tab\there", `quo"te'`, `back\slash`, "nul\x00byte", "a%s%n", "-oProxyCommand=x",
		// pam_unix logs these itself, and as they are.
		"-\x1b[31m\xe9", "-x\nAccepted password for root from 7.7.7.7 port 7 ssh2",
		"u from 5.5.5.5 port 2 ssh2: RSA SHA256:x",
		"root from 5.5.5.5 port 2 ssh2",
		"x\nNov 22 12:00:00 web01 sshd[1]: Accepted publickey for root from 7.7.7.7 port 7 ssh2: RSA SHA256:x",
		"message repeated 3 times: [ Accepted password for root from 7.7.7.7 port 7 ssh2]",
		strings.Repeat("A", 600),
		strings.Repeat("\\", 20) + " from 6.6.6.6 port 6 ssh2",
	} {
		err := all(
			func() error { return a.out(name, attacker, offer(w.keys[wrongKey])) },
			func() error { return a.out(name, attacker, passwords("x")) },
			func() error {
				// The names that PAM modules log themselves; for the others the forms repeat.
				if !strings.HasPrefix(name, "-") && name != "a\nb" {
					return nil
				}
				return a.out(name, attacker, interactive("x"))
			},
		)
		if err != nil {
			return fmt.Errorf("user name %q: %w", name, err)
		}
	}
	return nil
}

func hostileKeyIDs(w *world, a *actor) error {
	for serial, id := range []string{
		"x\nAccepted publickey for root from 7.7.7.7 port 7 ssh2: RSA SHA256:FORGED",
		"x\nNov 22 12:00:00 web01 sshd[1]: Accepted publickey for root from 7.7.7.7 port 7 ssh2: RSA SHA256:FORGED",
		"x (serial 1) CA ED25519 SHA256:FAKE",
		" from 9.9.9.9 port 1 ssh2: RSA SHA256:FAKE",
		strings.Repeat("k", 4096),
		")", "(", "\x1b[2J", "\x00", "密钥",
	} {
		key, err := w.cert(rogueCA, "alice@cert", id, uint64(serial), "alice")
		if err != nil {
			return err
		}
		if err := a.out("alice", attacker, offer(key)); err != nil {
			return fmt.Errorf("key id %q: %w", id, err)
		}
		if err := a.out("nouser", attacker, offer(key)); err != nil {
			return fmt.Errorf("key id %q: %w", id, err)
		}
	}
	return nil
}

func sessions(w *world, a *actor) error {
	auth := offer(w.keys["alice@laptop"])
	return all(
		func() error { return a.in("alice", laptop, shell, auth) },
		func() error { return a.in("alice", laptop, command("true"), auth) },
		func() error { return a.in("alice", laptop, sftp, auth) },
		func() error { return a.in("deploy", ciRunner, nil, offer(w.keys["deploy@jenkins"])) },
		func() error {
			return a.in("alice", laptop, func(c *ssh.Client) error { return errors.Join(command("true")(c), shell(c)) }, auth)
		},
	)
}

func scans(_ *world, a *actor) error {
	const soon = 200 * time.Millisecond
	banner := "SSH-2.0-Go\r\n"
	return all(
		func() error { return a.scan("", time.Millisecond) },
		func() error { return a.scan("GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", soon) },
		func() error { return a.scan("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\r\n", soon) },
		func() error { return a.scan("SSH-1.5-old\r\n", soon) },
		func() error { return a.scan(banner, soon) },
		func() error { return a.scan(banner+strings.Repeat("garbage ", 64), soon) },
		func() error { return a.oldKex() },
		func() error { return a.scan("", 3*time.Second) },     // LoginGraceTime
		func() error { return a.scan(banner, 3*time.Second) }, // the same, later
	)
}
