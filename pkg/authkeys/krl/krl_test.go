package krl

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// keygen finds ssh-keygen, the judge.
func keygen(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("OPSCTL_CI") != "" {
			t.Fatal("ssh-keygen is not installed")
		}
		t.Skip("needs ssh-keygen")
	}
	return path
}

type subject struct {
	file string
	key  *pubkey.Key
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// newSubjects makes keys, and certificates for them by two authorities with clashing serials and ids.
func newSubjects(t *testing.T, dir string, cas []ssh.Signer) []subject {
	t.Helper()
	var all []subject
	add := func(key ssh.PublicKey) {
		name := filepath.Join(dir, fmt.Sprintf("key%02d.pub", len(all)))
		if err := os.WriteFile(name, ssh.MarshalAuthorizedKey(key), 0o600); err != nil {
			t.Fatal(err)
		}
		parsed, err := pubkey.Parse(key.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, subject{name, parsed})
	}
	for i := range 6 {
		key := newSigner(t).PublicKey()
		add(key)
		for j, ca := range cas {
			for _, serial := range []uint64{0, uint64(i + 1), uint64(100 + i*7 + j), ^uint64(0) - 40 - uint64(i)} {
				cert := &ssh.Certificate{
					Key: key, CertType: ssh.UserCert, Serial: serial, KeyId: fmt.Sprintf("id %d", (i+j)%4),
					ValidPrincipals: []string{"u"}, ValidBefore: ssh.CertTimeInfinity,
				}
				if err := cert.SignCert(rand.Reader, ca); err != nil {
					t.Fatal(err)
				}
				add(cert)
			}
		}
	}
	for _, ca := range cas {
		add(ca.PublicKey())
	}
	return all
}

// randomSpec writes a specification for ssh-keygen -k.
func randomSpec(random *mathrand.Rand, keys []subject, withCA bool) string {
	var spec strings.Builder
	for range 1 + random.IntN(8) {
		key := keys[random.IntN(len(keys))].key
		text := fmt.Sprintf("%s %s", key.Type, base64.StdEncoding.EncodeToString(key.Blob))
		low := 1 + random.Uint64N(150)
		if random.IntN(4) == 0 {
			low = ^uint64(0) - 41 - random.Uint64N(8)
		}
		switch n := random.IntN(8); {
		case n == 0:
			fmt.Fprintf(&spec, "key: %s\n", text)
		case n == 1:
			fmt.Fprintf(&spec, "sha1: %s\n", text)
		case n == 2:
			fmt.Fprintf(&spec, "sha256: %s\n", text)
		case n == 3:
			fmt.Fprintf(&spec, "hash: %s\n", key.SHA256())
		case n == 4 && withCA:
			fmt.Fprintf(&spec, "id: id %d\n", random.IntN(5))
		case n == 5 && withCA:
			fmt.Fprintf(&spec, "serial: %d-%d\n", low, low+1+random.Uint64N(40))
		case withCA: // many single serials become lists and bitmaps
			for range random.IntN(40) {
				fmt.Fprintf(&spec, "serial: %d\n", 1+random.Uint64N(160))
			}
		}
	}
	return spec.String()
}

func TestAgreesWithSSHKeygen(t *testing.T) {
	program, dir := keygen(t), t.TempDir()
	cas := []ssh.Signer{newSigner(t), newSigner(t)}
	subjects := newSubjects(t, dir, cas)
	caFile := filepath.Join(dir, "ca.pub")
	if err := os.WriteFile(caFile, ssh.MarshalAuthorizedKey(cas[0].PublicKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	seed := mathrand.Uint64()
	t.Logf("seed %d", seed)
	random := mathrand.New(mathrand.NewPCG(seed, 1))
	revoked := 0
	for range 20 {
		list, spec := filepath.Join(dir, "krl"), filepath.Join(dir, "spec")
		args := []string{"-q", "-k", "-f", list}
		withCA := random.IntN(4) > 0
		switch {
		case withCA && random.IntN(4) == 0:
			args = append(args, "-s", "none") // for all authorities
		case withCA:
			args = append(args, "-s", caFile)
		}
		text := randomSpec(random, subjects, withCA)
		if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(program, append(args, spec)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, text)
		}
		data, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		var parsed [2]*List
		for rules := range parsed {
			if parsed[rules], err = Parse(data, Rules(rules)); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
		revoked += compare(t, program, list, parsed, subjects, text)
	}
	if revoked == 0 {
		t.Error("no key was ever revoked")
	}
}

// compare asks ssh-keygen about all keys and returns how many are revoked.
func compare(t *testing.T, program, list string, parsed [2]*List, subjects []subject, text string) int {
	t.Helper()
	args := []string{"-Q", "-f", list}
	for _, s := range subjects {
		args = append(args, s.file)
	}
	out, err := exec.Command(program, args...).Output() // fails when any is revoked
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(subjects) {
		t.Fatalf("%d lines for %d keys: %s", len(lines), len(subjects), out)
	}
	count := 0
	for i, s := range subjects {
		want := strings.HasSuffix(lines[i], ": REVOKED")
		for rules, l := range parsed {
			if got := l.Revoked(s.key); got != want {
				t.Errorf("%s, rules %d: revoked %v, ssh-keygen says %q, of\n%s", s.file, rules, got, lines[i], text)
			}
		}
		if want {
			count++
		}
	}
	return count
}

// header is an empty list.
func header() []byte {
	w := wire.Writer(magic)
	w = binary.BigEndian.AppendUint32(w, 1)
	w = append(w, make([]byte, 24)...)
	w.Bytes(nil)
	w.Text("comment")
	return w
}

func section(kind byte, body []byte) []byte {
	w := wire.Writer{kind}
	w.Bytes(body)
	return w
}

func certSection(subsections ...[]byte) []byte {
	var w wire.Writer
	w.Bytes(nil)
	w.Bytes(nil)
	return section(sectionCertificates, append(w, bytes.Join(subsections, nil)...))
}

func u64(values ...uint64) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func mpint(b ...byte) []byte {
	var w wire.Writer
	w.Bytes(b)
	return w
}

// ext is an extension.
func ext(critical byte) []byte {
	var w wire.Writer
	w.Text("x@example")
	w = append(w, critical)
	w.Bytes(nil)
	return w
}

func TestRefusedLists(t *testing.T) {
	both, neither := [2]bool{false, false}, [2]bool{true, true}
	for name, c := range map[string]struct {
		body []byte
		ok   [2]bool // under Until93, Since94
	}{
		"an empty list":                    {nil, neither},
		"an unknown section":               {section(9, nil), both},
		"a length past the end":            {[]byte{2, 0xff, 0xff, 0xff, 0xff}, both},
		"a SHA-1 of 19 bytes":              {section(3, mpint(make([]byte, 19)...)), both},
		"a SHA-256 of 32 bytes":            {section(5, mpint(make([]byte, 32)...)), neither},
		"an extension":                     {section(255, ext(0)), [2]bool{false, true}},
		"a critical extension":             {section(255, ext(1)), both},
		"a certificate extension":          {certSection(section(0x39, ext(0))), [2]bool{false, true}},
		"a serial":                         {certSection(section(0x20, u64(1, 2, 3))), neither},
		"serial 0":                         {certSection(section(0x20, u64(1, 0))), both},
		"half a serial":                    {certSection(section(0x20, u64(1)[:7])), both},
		"a range":                          {certSection(section(0x21, u64(5, 9))), neither},
		"a range that runs backwards":      {certSection(section(0x21, u64(9, 5))), both},
		"a range from 0":                   {certSection(section(0x21, u64(0, 5))), both},
		"a range and more":                 {certSection(section(0x21, u64(5, 9, 1))), both},
		"a bitmap":                         {certSection(section(0x22, append(u64(5), mpint(0x7f, 1)...))), neither},
		"an empty bitmap":                  {certSection(section(0x22, append(u64(0), mpint()...))), neither},
		"a bitmap with serial 0":           {certSection(section(0x22, append(u64(0), mpint(1)...))), both},
		"a bitmap from 0 without 0":        {certSection(section(0x22, append(u64(0), mpint(2)...))), neither},
		"a bitmap past the last serial":    {certSection(section(0x22, append(u64(^uint64(0)), mpint(2)...))), both},
		"a bitmap up to the last serial":   {certSection(section(0x22, append(u64(^uint64(0)), mpint(1)...))), neither},
		"a negative bitmap":                {certSection(section(0x22, append(u64(5), mpint(0x80)...))), both},
		"a bitmap over 16384 bits":         {certSection(section(0x22, append(u64(5), mpint(append([]byte{1}, make([]byte, 2048)...)...)...))), both},
		"a key id":                         {certSection(section(0x23, mpint([]byte("x")...))), neither},
		"a key id with a NUL within":       {certSection(section(0x23, mpint([]byte("x\x00y")...))), both},
		"an unknown certificate section":   {certSection(section(0x24, nil)), both},
		"an authority that cannot be read": {section(1, append(mpint(1), mpint()...)), both},
		"a signature that is none":         {append(section(4, []byte("key")), mpint()...), [2]bool{false, true}},
	} {
		for rules, ok := range c.ok {
			_, err := Parse(append(header(), c.body...), Rules(rules))
			if (err == nil) != ok || err != nil && !errors.Is(err, ErrFormat) {
				t.Errorf("%s, rules %d: %v", name, rules, err)
			}
		}
	}
}

func TestSignedList(t *testing.T) {
	signer := newSigner(t)
	sign := func(list []byte) []byte {
		w := wire.Writer(append(bytes.Clone(list), sectionSignature))
		w.Bytes(signer.PublicKey().Marshal())
		sig, err := signer.Sign(rand.Reader, w)
		if err != nil {
			t.Fatal(err)
		}
		w.Bytes(ssh.Marshal(sig))
		return w
	}
	list := append(header(), certSection(section(0x20, u64(0x4142)))...)
	good := sign(list)
	if _, err := Parse(good, Until93); err != nil {
		t.Error(err)
	}
	forged := bytes.Clone(good)
	forged[bytes.Index(forged, u64(0x4142))+7] = 0x43
	if _, err := Parse(forged, Until93); !errors.Is(err, ErrFormat) {
		t.Errorf("forged: %v", err)
	}
	if _, err := Parse(forged, Since94); err != nil {
		t.Errorf("newer versions do not look: %v", err)
	}
	if _, err := Parse(sign(good), Until93); !errors.Is(err, ErrFormat) {
		t.Errorf("signed twice by one key: %v", err)
	}
	if _, err := Parse(append(good, section(5, nil)...), Until93); !errors.Is(err, ErrFormat) {
		t.Errorf("a section after the signature: %v", err)
	}
	own := append(header(), section(2, mpint(signer.PublicKey().Marshal()...))...)
	if _, err := Parse(sign(own), Until93); !errors.Is(err, ErrFormat) {
		t.Errorf("signed by a revoked key: %v", err)
	}
}

func FuzzKRL(f *testing.F) {
	f.Add(append(header(), certSection(section(0x22, append(u64(5), mpint(0x7f, 1)...)), section(0x21, u64(5, 9)), section(0x23, mpint('x')))...))
	f.Add(append(append(header(), section(3, mpint(make([]byte, 20)...))...), section(255, ext(0))...))
	text, err := os.ReadFile("../testdata/keys/ed25519-ca_rsa-cert.pub")
	if err != nil {
		f.Fatal(err)
	}
	blob, err := pubkey.DecodeBase64(strings.Fields(string(text))[1])
	if err != nil {
		f.Fatal(err)
	}
	key, err := pubkey.Parse(blob)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		for _, rules := range []Rules{Until93, Since94} {
			if list, err := Parse(data, rules); err == nil {
				list.Revoked(key)
			}
		}
	})
}
