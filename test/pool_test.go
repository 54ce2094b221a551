package test

import (
	"crypto/dsa" //nolint:staticcheck // sshd 9.2 still knows such keys, so the reader must
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// named is a key that a client offers, with a name for reports.
type named struct {
	name   string
	signer ssh.Signer
}

func (n named) line(comment string) string {
	return testpeers.PublicLine(n.signer.PublicKey(), comment)
}

// pool holds the keys of a test: made once, dealt out again for each configuration.
type pool struct {
	plain    []named
	ordinary int // how many of them, from the first, no sshd objects to
	cas      []*testpeers.Key
	rogue    *testpeers.Key
}

func newPool(t *testing.T) *pool {
	t.Helper()
	p := &pool{}
	key := func(name string) func(k *testpeers.Key, err error) {
		return func(k *testpeers.Key, err error) {
			if err != nil {
				t.Fatalf("making %s: %v", name, err)
			}
			p.plain = append(p.plain, named{name, k.Signer})
		}
	}
	for _, name := range []string{"ed25519-a", "ed25519-b", "ed25519-c", "ed25519-d", "ed25519-e"} {
		key(name)(testpeers.NewEd25519())
	}
	key("rsa-2048")(testpeers.NewRSA(2048))
	key("rsa-3072")(testpeers.NewRSA(3072))
	key("ecdsa-256")(testpeers.NewECDSA(elliptic.P256()))
	key("ecdsa-384")(testpeers.NewECDSA(elliptic.P384()))
	key("ecdsa-521")(testpeers.NewECDSA(elliptic.P521()))
	p.ordinary = len(p.plain)
	key("rsa-1023")(testpeers.NewRSA(1023))
	key("rsa-1024")(testpeers.NewRSA(1024))
	key("ed25519-sk")(testpeers.NewSK())
	p.plain = append(p.plain, named{"dsa-1024", newDSA(t)})

	for _, generate := range []func() (*testpeers.Key, error){
		testpeers.NewEd25519,
		func() (*testpeers.Key, error) { return testpeers.NewRSA(2048) },
		func() (*testpeers.Key, error) { return testpeers.NewECDSA(elliptic.P256()) },
		testpeers.NewEd25519,
	} {
		ca, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		p.cas = append(p.cas, ca)
	}
	p.rogue, p.cas = p.cas[len(p.cas)-1], p.cas[:len(p.cas)-1]
	return p
}

func newDSA(t *testing.T) ssh.Signer {
	t.Helper()
	var key dsa.PrivateKey
	if err := dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160); err != nil {
		t.Fatal(err)
	}
	if err := dsa.GenerateKey(&key, rand.Reader); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(&key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
