package pubkey

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// The kinds of certificates.
const (
	UserCert = 1
	HostCert = 2
)

// maxPrincipals is SSHKEY_CERT_MAX_PRINCIPALS.
const maxPrincipals = 256

// ErrSignature is a certificate whose authority's signature is wrong or cannot be verified.
var ErrSignature = errors.New("certificate signature does not verify")

// Cert is what a certificate says about the key in it (PROTOCOL.certkeys).
type Cert struct {
	Blob          []byte // the whole certificate in the wire format
	Serial        uint64
	Kind          uint32 // UserCert or HostCert
	KeyID         string
	Principals    []string
	ValidAfter    uint64 // seconds since 1970
	ValidBefore   uint64 // seconds since 1970, all ones is for ever
	Critical      []Option
	Extensions    []Option
	CA            *Key
	SignatureType string // ssh-ed25519, rsa-sha2-512 ...
}

// Option is a critical option or an extension of a certificate.
type Option struct {
	Name string
	Data []byte
	// Garbled says that the name holds a NUL in its middle, which refuses the certificate's options.
	Garbled bool
}

// Text reads the string that Data holds, and whether there is one and nothing after it.
func (o Option) Text() (text string, ok, exact bool) {
	in := &wire.Reader{Rest: o.Data}
	text = in.Text()
	return text, !in.Bad, len(in.Rest) == 0
}

// ValidAt says whether t lies in the certificate's time: "not yet valid", "expired", or "".
func (c *Cert) ValidAt(t time.Time) string {
	now := t.Unix()
	switch {
	case now < 0 || uint64(now) < c.ValidAfter:
		return "not yet valid"
	case uint64(now) >= c.ValidBefore:
		return "expired"
	}
	return ""
}

func parseCert(in *wire.Reader, blob []byte) (*Cert, error) {
	c := &Cert{Blob: blob, Serial: in.Uint64(), Kind: in.Uint32(), KeyID: in.Text()}
	principals := in.Bytes()
	c.ValidAfter, c.ValidBefore = in.Uint64(), in.Uint64()
	critical, extensions := in.Bytes(), in.Bytes()
	in.Bytes() // reserved
	ca := in.Bytes()
	signed := len(blob) - len(in.Rest)
	signature := in.Bytes()
	if in.Bad {
		return nil, fmt.Errorf("%w: certificate cut short", ErrFormat)
	}
	if c.Kind != UserCert && c.Kind != HostCert {
		return nil, fmt.Errorf("%w: certificate of unknown kind %d", ErrFormat, c.Kind)
	}
	var err error
	if c.Principals, err = parsePrincipals(principals); err != nil {
		return nil, err
	}
	if c.Critical, err = parseOptions(critical); err != nil {
		return nil, err
	}
	if c.Extensions, err = parseOptions(extensions); err != nil {
		return nil, err
	}
	if c.CA, err = parse(ca, false); err != nil {
		return nil, fmt.Errorf("the authority's key: %w", err)
	}
	c.SignatureType, err = verify(c.CA, blob[:signed], signature)
	return c, err
}

func parsePrincipals(data []byte) ([]string, error) {
	var list []string
	for in := (&wire.Reader{Rest: data}); len(in.Rest) > 0; {
		name := in.Text()
		if in.Bad || len(list) >= maxPrincipals {
			return nil, fmt.Errorf("%w: principals", ErrFormat)
		}
		list = append(list, name)
	}
	return list, nil
}

func parseOptions(data []byte) ([]Option, error) {
	var list []Option
	for in := (&wire.Reader{Rest: data}); len(in.Rest) > 0; {
		name, value := in.Bytes(), in.Bytes()
		if in.Bad {
			return nil, fmt.Errorf("%w: certificate options", ErrFormat)
		}
		text := wire.Reader{Rest: frame(name)}
		o := Option{Name: text.Text(), Data: value, Garbled: text.Bad}
		list = append(list, o)
	}
	return list, nil
}

func frame(b []byte) []byte {
	var w wire.Writer
	w.Bytes(b)
	return w
}

// verify checks the authority's signature and returns its algorithm.
func verify(ca *Key, data, signature []byte) (string, error) {
	in := &wire.Reader{Rest: signature}
	sig := &ssh.Signature{Format: in.Text(), Blob: in.Bytes()}
	sig.Rest = in.Rest
	if in.Bad {
		return "", fmt.Errorf("%w: no signature", ErrSignature)
	}
	key, err := ssh.ParsePublicKey(ca.Blob)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := key.Verify(data, sig); err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return sig.Format, nil
}

// Verify checks a signature over data by the key, in the wire format. The error wraps ErrSignature.
func (k *Key) Verify(data, signature []byte) error {
	_, err := verify(k, data, signature)
	return err
}
