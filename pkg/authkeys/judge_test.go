package authkeys_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/authkeys"
	"github.com/opsctl/opsctl/pkg/host"
)

// sshdLog is where the judge writes what it found.
const sshdLog = "/var/log/sshd.log"

// bench is a box with a real sshd that judges verdicts.
type bench struct {
	*rand.Rand
	box  *testpeers.Box
	sshd *testpeers.Sshd
	ca   *testpeers.Key
	keys map[string]*testpeers.Key
	text strings.Builder // the case at hand, for messages
}

func (b *bench) pick(words ...string) string { return words[b.IntN(len(words))] }

func newBench(t *testing.T, recipe testpeers.Recipe) *bench {
	t.Helper()
	box := testpeers.Require(t, recipe)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	b := &bench{Rand: rand.New(rand.NewPCG(seed, 3)), box: box, keys: map[string]*testpeers.Key{}} //nolint:gosec // a test's choices
	accounts := []testpeers.Account{{Name: "root"}, {Name: "alice", UID: 1000}, {Name: "bob", UID: 1001, Locked: true}, {Name: "carol", UID: 1002, Shell: "/bin/none"}}
	if err := box.WriteAccounts(t.Context(), accounts); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.ca, err = testpeers.NewEd25519(); err != nil {
		t.Fatal(err)
	}
	for name, generate := range map[string]func() (*testpeers.Key, error){
		"ed25519": testpeers.NewEd25519, "other": testpeers.NewEd25519,
		"rsa":     func() (*testpeers.Key, error) { return testpeers.NewRSA(2048) },
		"rsa1024": func() (*testpeers.Key, error) { return testpeers.NewRSA(1024) },
		"ecdsa":   func() (*testpeers.Key, error) { return testpeers.NewECDSA(elliptic.P384()) },
	} {
		key, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		b.keys[name] = key
	}
	return b
}

func (b *bench) options() string {
	choices := []string{
		`from="10.0.0.0/8"`, `from="!10.1.0.0/16,10.*"`, `from="192.168.1.1,::1"`, `from="10.0.0.1/8"`, `from="*.example"`, `from="10.1"`,
		`from=""`, `expiry-time="20300101"`, `expiry-time="20200101Z"`, `expiry-time="203001"`, "restrict", "no-pty", `command="/bin/true"`,
		`command="a \"b\" c"`, "bogus", "cert-authority", `cert-authority,principals="alice,x"`, `cert-authority,principals="nobody"`, `principals="alice"`,
		`permitopen="h:22"`, `permitopen="h"`, `environment="A=b"`, `tunnel="x"`, `command="open`, "restrict,", ",no-pty", "Restrict,PTY", "no-restrict",
		fmt.Sprintf(`expiry-time="%s"`, time.Now().Add(time.Duration(b.IntN(3)-1)*time.Hour).UTC().Format("20060102150405Z")),
	}
	out := choices[b.IntN(len(choices))]
	if b.IntN(3) == 0 {
		out += "," + choices[b.IntN(len(choices))]
	}
	return out
}

func (b *bench) line() string {
	key := b.pick("ed25519", "ed25519", "rsa", "rsa1024", "ecdsa", "other", "ca")
	k := b.ca
	if key != "ca" {
		k = b.keys[key]
	}
	text := k.Line(b.pick("a comment", ""))
	switch b.IntN(20) {
	case 0:
		return b.pick("# "+text, "junk", "", " \t", "ssh-ed25519 AAAA", "#", "ssh-rsa "+strings.Fields(b.keys["ed25519"].Line(""))[1])
	case 1:
		text = "\t " + strings.ReplaceAll(text, " ", " \t")
	case 2:
		text = strings.Replace(text, " ", "", 1)
	case 3:
		text = text[:len(text)/2] + "\x00" + text[len(text)/2:]
	case 4:
		return "junk " + text
	}
	if b.IntN(2) == 0 || key == "ca" {
		opts := b.options()
		if key == "ca" && b.IntN(2) == 0 {
			opts = b.pick("cert-authority", `cert-authority,principals="alice,x"`, `cert-authority,from="10.0.0.0/8"`)
		}
		return opts + b.pick(" ", "\t", "  ") + text
	}
	return text
}

func (b *bench) keyFile() string {
	var out strings.Builder
	end := b.pick("\n", "\n", "\r\n")
	if b.IntN(6) == 0 {
		out.WriteString("\xef\xbb\xbf")
	}
	for range 1 + b.IntN(10) {
		out.WriteString(b.line() + end)
	}
	if b.IntN(3) == 0 {
		return strings.TrimRight(out.String(), "\r\n")
	}
	return out.String()
}

func (b *bench) configText() string {
	var out strings.Builder
	out.WriteString("LogLevel VERBOSE\nHostKey " + testpeers.HostKey + "\n")
	for range b.IntN(3) {
		out.WriteString(b.pick("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2", "AuthorizedKeysFile /etc/keys/%u %h/.ssh/authorized_keys",
			"StrictModes no", "PubkeyAcceptedAlgorithms -ssh-ed25519", "PubkeyAcceptedAlgorithms ssh-ed25519*", "RequiredRSASize 2048", "RevokedKeys /etc/ssh/revoked",
			"TrustedUserCAKeys /etc/ssh/cas", "AllowUsers alice root@10.*", "DenyUsers alice@192.168.0.0/16", "AllowGroups alice root", "PermitRootLogin forced-commands-only",
			"PermitRootLogin no", "AuthorizedPrincipalsFile /etc/principals/%u", "AuthorizedPrincipalsFile none", "UsePAM no") + "\n")
	}
	if b.IntN(3) == 0 {
		out.WriteString(b.pick("Match Address 10.0.0.0/8\n", "Match User alice\n", "Match Group alice\n", "Match all\n") +
			b.pick("PubkeyAuthentication no\n", "AuthorizedKeysFile .ssh/authorized_keys2\n", "RevokedKeys none\n", "TrustedUserCAKeys /etc/ssh/cas\n", "AuthenticationMethods publickey\n",
				"AuthorizedPrincipalsFile none\n"))
	}
	return out.String()
}

// files writes a case's files with random owners and modes.
func (b *bench) files(t *testing.T) {
	t.Helper()
	mode := func() os.FileMode {
		if b.IntN(4) > 0 {
			return 0o600
		}
		return []os.FileMode{0o644, 0o664, 0o666, 0o400, 0o000}[b.IntN(5)]
	}
	uid := func() int {
		if b.IntN(6) > 0 {
			return 1000
		}
		return []int{0, 1001}[b.IntN(2)]
	}
	for _, f := range []testpeers.File{
		{Name: "/home/alice/.ssh/authorized_keys", Text: b.keyFile(), Mode: mode(), UID: uid()},
		{Name: "/home/alice/.ssh/authorized_keys2", Text: b.keyFile(), Mode: 0o600, UID: 1000},
		{Name: "/root/.ssh/authorized_keys", Text: b.keyFile(), Mode: 0o600},
		{Name: "/home/bob/.ssh/authorized_keys", Text: b.keyFile(), Mode: 0o600, UID: 1001},
		{Name: "/etc/keys/alice", Text: b.keyFile(), Mode: mode(), UID: uid()},
		{Name: "/etc/ssh/revoked", Text: b.pick("", "", "# none\n", "", b.keys["rsa"].Line("x")+"\n", "junk\n", b.ca.Line("")+"\n"), Mode: 0o600},
		{Name: "/etc/ssh/cas", Text: b.pick("", "# c\n\n") + b.pick("", "junk\n", b.keys["other"].Line("")+"\n", b.keys["rsa1024"].Line("")+"\n") + b.ca.Line("the ca") + "\n", Mode: 0o600},
		{Name: "/etc/principals/alice", Text: b.pick("", "x # y\n", "nobody\n", "alice\n", "from=\"10.0.0.0/8\" alice\n", "bogus alice\nalice\n"), Mode: mode(), UID: uid()},
	} {
		if err := b.box.WriteFiles(f); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b.text, "--- %s %v uid %d\n%s\n", f.Name, f.Mode, f.UID, f.Text)
	}
	for _, dir := range []string{"/home/alice/.ssh", "/home/alice"} {
		m := os.FileMode(0o755)
		if b.IntN(5) == 0 {
			m = []os.FileMode{0o700, 0o775, 0o777, 0o500}[b.IntN(4)]
		}
		if err := os.Chmod(b.box.Path(dir), m); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b.text, "%s %v\n", dir, m)
	}
}

func (b *bench) certificate(t *testing.T) *testpeers.Key {
	t.Helper()
	cert := ssh.Certificate{CertType: ssh.UserCert, KeyId: "id", Serial: 7, ValidBefore: ssh.CertTimeInfinity}
	cert.ValidPrincipals = [][]string{{"alice"}, {"x", "y"}, nil, {"alice,x"}}[b.IntN(4)]
	switch b.IntN(8) {
	case 0:
		cert.ValidBefore = uint64(time.Now().Add(-time.Hour).Unix()) //nolint:gosec // after 1970
	case 1:
		cert.ValidAfter = uint64(time.Now().Add(time.Hour).Unix()) //nolint:gosec // after 1970
	case 2:
		cert.CriticalOptions = map[string]string{"source-address": b.pick("10.0.0.0/8", "10.1.1.1/8", "127.0.0.1")}
	case 3:
		cert.CriticalOptions = map[string]string{"force-command": "/bin/true"}
	case 4:
		cert.CriticalOptions = map[string]string{"unknown@example": ""}
	case 5:
		cert.CertType = ssh.HostCert
	case 6:
		cert.Extensions = map[string]string{"permit-pty": "", "x@y": "z"}
	}
	key, err := testpeers.Certify(b.ca, b.keys[b.pick("ed25519", "rsa", "ecdsa")], cert)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b.text, "certificate %+v\n", cert)
	return key
}

var foundAt = regexp.MustCompile(`(?:found at |via )(/\S+?)(?::(\d+))?\r?\n`)

// login tries a key and says by which line it got in.
func (b *bench) login(ctx context.Context, t *testing.T, user string, from netip.Addr, key *testpeers.Key) (allowed bool, at, log string) {
	t.Helper()
	if err := os.Truncate(b.box.Path(sshdLog), 0); err != nil {
		t.Fatal(err)
	}
	login := testpeers.Login{User: user, From: from, Auth: []ssh.AuthMethod{ssh.PublicKeys(key.Signer)}, To: b.to(from)}
	attempt := b.box.Login(ctx, login)
	for range 200 {
		if !errors.Is(attempt.Err, syscall.ECONNREFUSED) {
			break
		}
		time.Sleep(10 * time.Millisecond) // sshd has just been started anew
		attempt = b.box.Login(ctx, login)
	}
	if attempt.Client != nil {
		_ = attempt.Client.Close()
	}
	text, err := os.ReadFile(b.box.Path(sshdLog))
	if err != nil {
		t.Fatal(err)
	}
	if m := foundAt.FindStringSubmatch(string(text)); m != nil {
		at = m[1] + ":" + m[2]
	}
	return attempt.Client != nil, at, fmt.Sprintf("%sclient: %v\n", text, attempt.Err)
}

func (b *bench) to(from netip.Addr) netip.AddrPort {
	if from.Is6() {
		return netip.MustParseAddrPort("[::1]:22")
	}
	return netip.MustParseAddrPort("127.0.0.1:22")
}

// restart gives sshd a new configuration that it takes.
func (b *bench) restart(ctx context.Context, t *testing.T) string {
	t.Helper()
	config := b.configText()
	if b.sshd != nil {
		if err := b.sshd.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	sshd, err := testpeers.StartSshd(ctx, b.box, config, "-E", sshdLog)
	if err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	b.sshd = sshd
	return config
}

// one tries a login and compares; it says whether sshd let it in.
func (b *bench) one(ctx context.Context, t *testing.T, h *host.Host, config string) bool {
	t.Helper()
	user := b.pick("alice", "alice", "alice", "alice", "alice", "alice", "alice", "alice", "root", "root", "bob", b.pick("carol", "nosuch"))
	from := netip.MustParseAddr(b.pick("10.1.2.3", "10.200.0.1", "192.168.1.1", "10.0.0.1", "::1", "127.0.0.1"))
	key := b.keys[b.pick("ed25519", "ed25519", "rsa", "rsa1024", "ecdsa")]
	if b.IntN(3) == 0 {
		key = b.certificate(t)
	}
	set, err := authkeys.Read(ctx, authkeys.Options{Host: h})
	if err != nil {
		t.Fatal(err)
	}
	verdict := set.WhoCan(authkeys.Query{User: user, From: from, Key: key.Line("")})
	allowed, at, log := b.login(ctx, t, user, from, key)
	place := fmt.Sprintf("%s:%d", verdict.File, verdict.Line)
	// For TrustedUserCAKeys sshd names no line.
	if verdict.Allowed != allowed || allowed && at != place && at != verdict.File+":" {
		t.Errorf("%s from %s with %.60s\nsshd: %v %s\nours: %v %s (%s)\n%+v\n--- log\n%s--- config\n%s%s",
			user, from, key.Line(""), allowed, at, verdict.Allowed, place, verdict.Reason, verdict.Candidates, log, config, b.text.String())
	}
	return allowed
}

func judge(t *testing.T, recipe testpeers.Recipe, rounds int) {
	b := newBench(t, recipe)
	ctx := t.Context()
	h, err := host.Root(b.box.Root())
	if err != nil {
		t.Fatal(err)
	}
	config, allowed := "", 0
	for round := range rounds {
		if round%5 == 0 {
			config = b.restart(ctx, t)
		}
		b.text.Reset()
		b.files(t)
		if b.one(ctx, t, h, config) {
			allowed++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d logins were let in", allowed, rounds)
	if allowed == 0 {
		t.Error("nobody was ever let in")
	}
}

func TestSshd92AgreesWithWhoCan(t *testing.T)  { judge(t, testpeers.Bookworm(), 60) }
func TestSshd100AgreesWithWhoCan(t *testing.T) { judge(t, testpeers.Trixie(), 60) }
