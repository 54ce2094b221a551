package pubkey

import (
	"bufio"
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// keyDir holds keys and certificates made by ssh-keygen 9.2, and in fingerprints.txt what ssh-keygen
// -l says of them.
const keyDir = "../testdata/keys"

func load(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(keyDir, name))
	if err != nil {
		tb.Fatal(err)
	}
	blob, err := DecodeBase64(strings.Fields(string(text))[1])
	if err != nil {
		tb.Fatal(err)
	}
	return blob
}

func TestFingerprintsAgreeWithSSHKeygen(t *testing.T) {
	f, err := os.Open(filepath.Join(keyDir, "fingerprints.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
		want := strings.Fields(s.Text())
		key, err := Parse(load(t, want[0]))
		if err != nil {
			t.Errorf("%s: %v", want[0], err)
			continue
		}
		got := []string{want[0], strconv.Itoa(key.Bits), key.SHA256(), key.MD5(), key.ShortType()}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	}
	if lines < 15 {
		t.Errorf("only %d keys", lines)
	}
}

func TestCertificate(t *testing.T) {
	key, err := Parse(load(t, "ed25519-ca_rsa-cert.pub"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Parse(load(t, "ed25519.pub"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := Parse(load(t, "ca_rsa.pub"))
	if err != nil {
		t.Fatal(err)
	}
	c := key.Cert
	if !key.Equal(plain) || !c.CA.Equal(ca) || c.Serial != 42 || c.Kind != UserCert || c.KeyID != "ed25519 by ca_rsa" ||
		strings.Join(c.Principals, " ") != "alice bob" || c.SignatureType != "rsa-sha2-512" {
		t.Errorf("got %+v", c)
	}
	if key.Name() != "ssh-ed25519-cert-v01@openssh.com" || plain.Name() != ED25519 {
		t.Errorf("names %s, %s", key.Name(), plain.Name())
	}
	if len(c.Critical) != 2 || c.Critical[0].Name != "force-command" {
		t.Fatalf("critical options %+v", c.Critical)
	}
	if text, ok, exact := c.Critical[0].Text(); text != "/bin/true" || !ok || !exact {
		t.Errorf("force-command %q %v %v", text, ok, exact)
	}
	for when, want := range map[string]string{"2019-12-30": "not yet valid", "2026-01-01": "", "2040-01-02": "expired"} {
		at, err := time.Parse(time.DateOnly, when)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ValidAt(at); got != want {
			t.Errorf("%s: %q", when, got)
		}
	}
}

func TestForgedCertificateIsRefused(t *testing.T) {
	blob := load(t, "ed25519-ca_ed25519-cert.pub")
	at := bytes.Index(blob, []byte("alice"))
	blob[at] = 'A'
	if _, err := Parse(blob); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v", err)
	}
}

func TestEncodingsOfOneKeyAreEqual(t *testing.T) {
	blob := load(t, "rsa2048.pub")
	want, err := Parse(blob)
	if err != nil {
		t.Fatal(err)
	}
	in := &wire.Reader{Rest: blob}
	in.Text()
	e, n := in.Number(), in.Number()
	var w wire.Writer
	w.Text("rsa-sha2-512") // a signature's name in the key's place
	w.Bytes(append([]byte{0, 0, 0}, e...))
	w.Bytes(append([]byte{0, 0}, n...))
	got, err := Parse(w)
	if err != nil || !got.Equal(want) || got.SHA256() != want.SHA256() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRefusedBlobs(t *testing.T) {
	rsa := func(e, n []byte) []byte {
		var w wire.Writer
		w.Text(RSA)
		w.Bytes(e)
		w.Bytes(n)
		return w
	}
	ec := func(name, curve string, point []byte) []byte {
		var w wire.Writer
		w.Text(name)
		w.Text(curve)
		w.Bytes(point)
		return w
	}
	modulus := func(n int) []byte { return append([]byte{0x7f}, make([]byte, n-1)...) }
	params := elliptic.P256().Params()
	good := append(append([]byte{4}, params.Gx.Bytes()...), params.Gy.Bytes()...)
	bad := append([]byte{}, good...)
	bad[64] ^= 1
	for name, c := range map[string]struct {
		blob []byte
		want error
	}{
		"nothing":                    {nil, ErrFormat},
		"an unknown type":            {frame([]byte("ssh-foo")), ErrUnknownType},
		"a type alone":               {frame([]byte(RSA)), ErrFormat},
		"a negative modulus":         {rsa([]byte{3}, append([]byte{0x80}, make([]byte, 255)...)), ErrFormat},
		"a modulus of 1023 bits":     {rsa([]byte{3}, modulus(128)), ErrTooSmall},
		"a modulus over 16384 bits":  {rsa([]byte{3}, modulus(2049)), ErrFormat},
		"bytes after the key":        {append(rsa([]byte{3}, modulus(256)), 0), ErrFormat},
		"a curve of another type":    {ec(ECDSA256, "nistp384", good), ErrFormat},
		"a point not on the curve":   {ec(ECDSA256, "nistp256", bad), ErrFormat},
		"a compressed point":         {ec(ECDSA256, "nistp256", append([]byte{2}, good[1:33]...)), ErrFormat},
		"an Ed25519 key of 31 bytes": {append(frame([]byte(ED25519)), frame(make([]byte, 31))...), ErrFormat},
		"a length past the end":      {append(frame([]byte(ED25519)), 0xff, 0xff, 0xff, 0xff), ErrFormat},
		"a NUL within a text":        {append(append(frame([]byte(SKED25519)), frame(make([]byte, 32))...), frame([]byte("s\x00h"))...), ErrFormat},
	} {
		if _, err := Parse(c.blob); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, blob := range map[string][]byte{
		"a point on the curve": ec(ECDSA256, "nistp256", good),
		"a 32-bit exponent":    rsa([]byte{0x7f, 1, 1, 1}, modulus(256)),
		"a security key":       append(append(frame([]byte(SKED25519)), frame(make([]byte, 32))...), frame([]byte("ssh:"))...),
		"a NUL at the end":     append(append(frame([]byte(SKED25519)), frame(make([]byte, 32))...), frame([]byte("ssh:\x00"))...),
	} {
		if _, err := Parse(blob); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBase64(t *testing.T) {
	for text, ok := range map[string]bool{
		"AAAA": true, "AA==": true, "AAA=": true, "AA\r\n==\r": true, "A A A A": true, "": true,
		"AA": false, "AA=": false, "AB==": false, "AA==AA==": false, "AA==x": false, "AA-_": false, "A===": false, "=": false,
	} {
		if _, err := DecodeBase64(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(keyDir, "*.pub"))
	if err != nil || len(names) == 0 {
		f.Fatal(err, names)
	}
	for _, name := range names {
		f.Add(load(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		key, err := Parse(blob)
		if err != nil {
			return
		}
		again, err := Parse(key.Blob)
		if err != nil || !again.Equal(key) || again.SHA256() != key.SHA256() {
			t.Errorf("%s: %v", base64.StdEncoding.EncodeToString(blob), err)
		}
	})
}
