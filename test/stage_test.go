package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// login is what a client knows about a login that succeeded.
type login struct {
	user, ip, method, fingerprint string
	certificate                   bool
	serial                        uint64
}

// events is the ground truth of a log: what the clients did and got.
type events struct {
	logins  map[login]int
	refused map[string]int // attempts by source address, each with one method in one connection
	all     []string       // for reports, in order
}

// stage is a box with sshd and its accounts, and the keys of those who may come.
type stage struct {
	*rand.Rand
	box       *testpeers.Box
	ca, rogue *testpeers.Key
	alice     *testpeers.Key
	stranger  *testpeers.Key
	truth     events
}

const alicePassword = "correct horse"

func newStage(t *testing.T, recipe testpeers.Recipe, rng *rand.Rand) *stage {
	t.Helper()
	s := &stage{Rand: rng, box: testpeers.Require(t, recipe), truth: events{logins: map[login]int{}, refused: map[string]int{}}}
	for _, key := range []**testpeers.Key{&s.ca, &s.rogue, &s.alice, &s.stranger} {
		made, err := testpeers.NewEd25519()
		if err != nil {
			t.Fatal(err)
		}
		*key = made
	}
	if err := s.box.WriteAccounts(t.Context(), []testpeers.Account{{Name: "root"}, {Name: "alice", UID: 1001, Password: alicePassword}}); err != nil {
		t.Fatal(err)
	}
	pam := "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_unix.so\n"
	err := s.box.WriteFiles(
		testpeers.File{Name: "/home/alice/.ssh/authorized_keys", Text: s.alice.Line("alice@laptop") + "\n", Mode: 0o600, UID: 1001},
		testpeers.File{Name: "/etc/ssh/ca.pub", Text: s.ca.Line("ca") + "\n", Mode: 0o644},
		testpeers.File{Name: "/etc/pam.d/sshd", Text: pam, Mode: 0o644},
		testpeers.File{Name: "/etc/pam.d/other", Text: pam, Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stageConfig is for a recipe's sshd.
func stageConfig(recipe testpeers.Recipe, pam, level string) string {
	config := fmt.Sprintf("LogLevel %s\nUsePAM %s\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes\nTrustedUserCAKeys /etc/ssh/ca.pub\nMaxStartups 200\n", level, pam)
	if recipe.Suite == "trixie" {
		config += "PerSourcePenalties no\n"
	}
	return config
}

// play makes n connections: nine in ten want to deceive.
func (s *stage) play(t *testing.T, n int) {
	t.Helper()
	for range n {
		switch s.IntN(10) {
		case 0:
			s.genuine(t)
		case 1, 2, 3:
			s.forgedCertificate(t)
		default:
			s.forgedName(t)
		}
	}
}

// source is an address nobody else comes from, or one that came before.
func (s *stage) source() netip.Addr {
	if s.IntN(8) == 0 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", 1+s.IntN(40)))
	}
	return netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + s.IntN(40))})
}

// genuine logs in, now and then with a certificate of the true authority whose key id is hostile all the same.
func (s *stage) genuine(t *testing.T) {
	t.Helper()
	want := login{user: "alice", method: "publickey"}
	var auth ssh.AuthMethod
	switch s.IntN(4) {
	case 0:
		want.method, auth = "password", ssh.Password(alicePassword)
	case 1:
		want.fingerprint, auth = ssh.FingerprintSHA256(s.alice.Signer.PublicKey()), ssh.PublicKeys(s.alice.Signer)
	default:
		want.certificate, want.serial = true, s.Uint64()
		want.fingerprint = ssh.FingerprintSHA256(s.alice.Signer.PublicKey())
		auth = ssh.PublicKeys(s.certify(t, s.ca, want.serial))
	}
	from := s.source()
	want.ip = from.String()
	if !s.attempt(t, want.user, from, want.method, auth) {
		t.Fatalf("a login that should succeed did not:\n%s", s.truth.all[len(s.truth.all)-1])
	}
	s.truth.logins[want]++
}

func (s *stage) certify(t *testing.T, ca *testpeers.Key, serial uint64) ssh.Signer {
	t.Helper()
	id := strings.ReplaceAll(hostile(s.Rand), "\x00", "") // a NUL breaks the protocol
	if s.IntN(10) == 0 {
		id = strings.Repeat(id+" ", 1+4096/(len(id)+1))
	}
	subject := s.alice
	if ca == s.rogue {
		subject = s.stranger
	}
	key, err := testpeers.Certify(ca, subject, ssh.Certificate{
		KeyId: id, Serial: serial, ValidPrincipals: []string{"alice"}, ValidBefore: ssh.CertTimeInfinity,
	})
	if err != nil {
		t.Fatal(err)
	}
	return key.Signer
}

func (s *stage) forgedCertificate(t *testing.T) {
	t.Helper()
	user := "alice"
	if s.IntN(3) == 0 {
		user = hostile(s.Rand)
	}
	s.refused(t, user, "publickey", ssh.PublicKeys(s.certify(t, s.rogue, s.Uint64())))
}

func (s *stage) forgedName(t *testing.T) {
	t.Helper()
	name := hostile(s.Rand)
	switch s.IntN(3) {
	case 0:
		s.refused(t, name, "publickey", ssh.PublicKeys(s.stranger.Signer))
	case 1:
		s.refused(t, name, "password", ssh.Password("wrong"))
	default:
		answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
			return make([]string, len(questions)), nil
		}
		s.refused(t, name, "keyboard-interactive", ssh.KeyboardInteractive(answer))
	}
}

func (s *stage) refused(t *testing.T, user, method string, auth ssh.AuthMethod) {
	t.Helper()
	from := s.source()
	if s.attempt(t, user, from, method, auth) {
		t.Fatalf("a login that should fail succeeded:\n%s", s.truth.all[len(s.truth.all)-1])
	}
	if !strings.Contains(strings.TrimSuffix(user, "\x00"), "\x00") {
		// A name with a NUL before its end breaks the protocol (sshbuf_get_cstring); it never becomes an attempt.
		s.truth.refused[from.String()]++
	}
}

// attempt connects once and says whether it was a login.
func (s *stage) attempt(t *testing.T, user string, from netip.Addr, method string, auth ssh.AuthMethod) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := s.box.Login(ctx, testpeers.Login{User: user, From: from, To: netip.AddrPortFrom(localOf(from), 22), Auth: []ssh.AuthMethod{auth}})
	if !got.Local.IsValid() {
		t.Fatalf("connecting: %v", got.Err)
	}
	s.truth.all = append(s.truth.all, fmt.Sprintf("%s by %s as %q: let in %v (%v)", got.Local, method, user, got.Client != nil, got.Err))
	if got.Client == nil {
		return false
	}
	_ = got.Client.Close()
	return true
}
