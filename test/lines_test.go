package test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// line makes one line of an authorized_keys file: mostly a good one about one of the given keys.
func (r *round) line(own []named) string {
	k := pick(r.Rand, own)
	comment := pick(r.Rand, []string{"", k.name, k.name + " with words", "日本", `quo"ted`, "#5", strings.Repeat("x", 9000)})
	switch {
	case r.maybe(12):
		return r.brokenLine(k)
	case r.maybe(15):
		return r.caOptions() + " " + testpeers.PublicLine(pick(r.Rand, r.pool.cas).Signer.PublicKey(), "ca")
	case r.maybe(45):
		return r.indent() + r.options() + " " + k.line(comment)
	}
	return r.indent() + k.line(comment)
}

func (r *round) indent() string {
	if r.maybe(10) {
		return pick(r.Rand, []string{" ", "\t", "   \t"})
	}
	return ""
}

func (r *round) caOptions() string {
	options := []string{"cert-authority"}
	if r.maybe(60) {
		options = append(options, pick(r.Rand, []string{
			`principals="alice"`, `principals="alice,bob,team"`, `principals="team"`, `principals=""`, `principals="te*"`, `principals=alice`,
			`principals="alice",principals="bob"`, `principals="alice, team"`,
		}))
	}
	if r.maybe(30) {
		options = append(options, r.options())
	}
	return strings.Join(options, ",")
}

func (r *round) options() string {
	some := make([]string, 1+r.IntN(2))
	for i := range some {
		if r.maybe(12) {
			some[i] = pick(r.Rand, badOptions)
		} else {
			some[i] = pick(r.Rand, goodOptions)
		}
	}
	return strings.Join(some, ",")
}

// goodOptions are options that sshd takes, whether or not they let anybody in.
var goodOptions = []string{
	`from="198.51.100.0/24"`, `from="192.0.2.*"`, `from="!203.0.113.5,*"`, `from="198.51.100.7"`, `from="2001:db8::/32"`, `from="*.example.org"`,
	`from="!198.51.100.0/24"`, `from="?98.51.100.7,127.0.0.1"`, `from="127.0.0.0/8,::1"`, `from="*"`, `from="10.0.0.0/8,192.0.2.0/24,!192.0.2.10"`,
	`from="2001:DB8:0:0::5"`, `from="198.51.100.7/32"`, `from="0.0.0.0/0"`, `from="::/0"`, `FROM="198.51.100.*"`,
	`expiry-time="20200101"`, `expiry-time="20990101"`, `expiry-time="209912312359"`, `expiry-time="20991231235959"`, `expiry-time="20200229Z"`,
	`expiry-time="20990101Z"`, `expiry-time="20990101",expiry-time="20200101"`, `Expiry-Time="20990101"`,
	`command="true"`, `command="echo \"hi\""`, `command=""`, `command="a,b c"`, "restrict", "restrict,pty", "no-pty", "pty", "NO-PTY", "port-forwarding",
	"no-port-forwarding", "agent-forwarding", "no-agent-forwarding", "X11-forwarding", "x11-forwarding", "no-X11-forwarding", "user-rc", "no-user-rc",
	`permitopen="localhost:80"`, `permitopen="*:*"`, `permitopen="[2001:db8::1]:22"`, `permitlisten="8080"`, `permitlisten="localhost:8080"`,
	`environment="A=b"`, `environment="A_1=b c",environment="B="`, `tunnel="0"`, `tunnel="any"`, "no-touch-required", "verify-required",
	`principals="alice"`, "touch-required", `environment="A=1",environment="A=2"`,
}

// badOptions make sshd refuse the line.
var badOptions = []string{
	"foo", "permit-everything", "no-foo", "command", "from", "from=198.51.100.7", `from="`, `from="198.51.100.1/24"`, `from="198.51.100.0/33"`, `from=""`,
	`from="*",from="*"`, `command="a",command="b"`, `expiry-time="tomorrow"`, `expiry-time="2099"`, `expiry-time="20991301"`, `expiry-time="20990230"`,
	`expiry-time=""`, `permitopen="bad"`, `permitopen="host:99999"`, `permitlisten="x:y:z"`, `environment="A-b=c"`, `environment="X"`, `environment="=x"`,
	`tunnel="x"`, `tunnel="0",tunnel="1"`, "no-pty,", ",no-pty", "no-pty,,no-user-rc", "no-pty ,no-user-rc", "no-pty;", `command="unterminated`, "no-restrict",
	"no-no-pty", "pty=yes", `command = "x"`, `principals="a",principals="b"`, "cert-authority=x",
}

// brokenLine is a line that does not read as a key, or not as the one it seems.
func (r *round) brokenLine(k named) string {
	blob := base64.StdEncoding.EncodeToString(k.signer.PublicKey().Marshal())
	kind := k.signer.PublicKey().Type()
	raw := k.signer.PublicKey().Marshal()
	return pick(r.Rand, []string{
		"", "   ", "# " + k.line("commented out"), "  # indented", "hello world", "ssh-ed25519", kind + " AAAA x", kind + " " + blob[:len(blob)/2],
		"ssh-rsa " + blob, strings.ToUpper(kind) + " " + blob, kind + "\t" + blob + "\ttab", kind + "  " + blob, blob, kind + " " + blob + "AAAA",
		kind + " " + blob[:20] + " " + blob[20:], "1024 35 12345678901234567890 old", kind + " " + strings.TrimRight(blob, "="), kind + " " + blob + "=",
		kind + " " + blob + "\x00after nul", "no-pty\x00 " + kind + " " + blob, kind + " " + base64.StdEncoding.EncodeToString(append(raw, 0)),
		kind + "," + blob, `"` + kind + `" ` + blob, "\u00a0" + k.line("no-break space"), "\v" + k.line("vertical tab"), kind + " " + blob + "#comment",
		testpeers.PublicLine(r.certificate(r.pool.cas[0], k, "in a file", "alice").signer.PublicKey(), "a certificate where a key belongs"),
		"ssh-unknown@example.org " + blob, "ecdsa-sha2-nistp256 " + blob, kind + " " + blob[:10] + "!" + blob[10:], "cert-authority " + k.line("not a CA's"),
	})
}

// certificate certifies a key for chance principals, times and options.
func (r *round) certificate(ca *testpeers.Key, k named, id, user string) named {
	const past, future = 1500000000, 4000000000
	cert := &ssh.Certificate{
		Key: k.signer.PublicKey(), KeyId: id, Serial: uint64(r.IntN(12)), CertType: ssh.UserCert, ValidAfter: past, ValidBefore: future,
		ValidPrincipals: pick(r.Rand, [][]string{{user}, {user}, {user, "x"}, {"alice"}, {"alice", "bob", "carol", "dave", "root"}, {"team"}, {"alice", "team"}, nil, {"Alice"}, {"root"}, {"te*"}}),
	}
	if r.maybe(50) {
		cert.ValidPrincipals = []string{user}
	}
	switch r.IntN(20) {
	case 0:
		cert.ValidBefore = past + 1
	case 1:
		cert.ValidAfter = future - 1
	case 2:
		cert.ValidAfter, cert.ValidBefore = 0, ssh.CertTimeInfinity
	case 3:
		cert.CertType = ssh.HostCert
	}
	if r.maybe(25) {
		cert.CriticalOptions = pick(r.Rand, []map[string]string{
			{"source-address": "198.51.100.0/24"},
			{"source-address": "192.0.2.10,2001:db8::/32"},
			{"source-address": "198.51.100.1/24"},
			{"force-command": "true"},
			{"unknown@example.org": "x"},
			{"verify-required": ""},
			{"source-address": "127.0.0.1"},
		})
	}
	if r.maybe(60) {
		cert.Extensions = map[string]string{"permit-pty": "", "unknown-extension@example.org": ""}
	}
	if err := cert.SignCert(rand.Reader, ca.Signer); err != nil {
		panic(fmt.Sprintf("signing a certificate: %v", err))
	}
	signer, err := ssh.NewCertSigner(cert, k.signer)
	if err != nil {
		panic(fmt.Sprintf("a certificate's signer: %v", err))
	}
	return named{fmt.Sprintf("certificate %q of %s", id, k.name), signer}
}
