package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// TestSSLModesAreKept connects to a server with a certificate for db.example, by an authority of its own.
func TestSSLModesAreKept(t *testing.T) {
	dir := t.TempDir()
	ca, server := authority(t, dir, "ca"), filepath.Join(dir, "server")
	authority(t, dir, "stranger")
	ca.issue(t, server, "db.example")
	d := testpeers.RequireMariaDB(t, nil, "--ssl-ca="+filepath.Join(dir, "ca.pem"), "--ssl-cert="+server+".pem", "--ssl-key="+server+".key")
	sql(t, d, "create user app@'127.0.0.1' identified by 'x'; create user safe@'127.0.0.1' identified by 'x' require ssl")
	for _, c := range []struct {
		mode, ca, user string
		encrypted, ok  bool
	}{
		{"", "", "app", true, true},
		{"DISABLED", "", "app", false, true},
		{"DISABLED", "", "safe", false, false},
		{"required", "", "safe", true, true},
		{"VERIFY_CA", "ca.pem", "app", true, true},
		{"VERIFY_CA", "stranger.pem", "app", true, false},
		{"VERIFY_IDENTITY", "ca.pem", "app", true, false}, // the certificate is not for 127.0.0.1
	} {
		t.Run(strings.Join([]string{c.mode, c.ca, c.user}, " "), func(t *testing.T) {
			o := mysqlconn.Options{NoDefaults: true, Host: "127.0.0.1", Port: d.Port, User: c.user, PasswordStdin: true, SSLMode: c.mode}
			if c.ca != "" {
				o.SSLCA = filepath.Join(dir, c.ca)
			}
			config, err := mysqlconn.Resolve(t.Context(), o, mysqlconn.Env{Getenv: noEnv, In: strings.NewReader("x")})
			if err != nil {
				t.Fatal(err)
			}
			s, err := config.Open(t.Context())
			if (err == nil) != c.ok {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			var name, cipher string
			err = s.Each(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'", func(row func(...any) error) error { return row(&name, &cipher) })
			if err != nil || (cipher != "") != c.encrypted {
				t.Errorf("cipher %q, %v", cipher, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// issuer is a certificate authority.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// authority makes one, with dir/NAME.pem.
func authority(t *testing.T, dir, name string) *issuer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	i := &issuer{}
	i.cert, i.key = i.sign(t, template, filepath.Join(dir, name))
	return i
}

// issue makes a server's certificate, PATH.pem and PATH.key.
func (i *issuer) issue(t *testing.T, path, host string) {
	t.Helper()
	i.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, path)
}

// sign writes a certificate and its key; an issuer that is empty signs its own.
func (i *issuer) sign(t *testing.T, template *x509.Certificate, path string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, by := i.cert, i.key
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, path+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}
