package pubkey

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"
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
	in := &reader{data: o.Data}
	text = in.text()
	return text, !in.bad, len(in.data) == 0
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

func parseCert(in *reader, blob []byte) (*Cert, error) {
	c := &Cert{Blob: blob, Serial: in.uint64(), Kind: in.uint32(), KeyID: in.text()}
	principals := in.bytes()
	c.ValidAfter, c.ValidBefore = in.uint64(), in.uint64()
	critical, extensions := in.bytes(), in.bytes()
	in.bytes() // reserved
	ca := in.bytes()
	signed := len(blob) - len(in.data)
	signature := in.bytes()
	if in.bad {
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
	c.SignatureType, err = verify(c.CA.Blob, blob[:signed], signature)
	return c, err
}

func parsePrincipals(data []byte) ([]string, error) {
	var list []string
	for in := (&reader{data: data}); len(in.data) > 0; {
		name := in.text()
		if in.bad || len(list) >= maxPrincipals {
			return nil, fmt.Errorf("%w: principals", ErrFormat)
		}
		list = append(list, name)
	}
	return list, nil
}

func parseOptions(data []byte) ([]Option, error) {
	var list []Option
	for in := (&reader{data: data}); len(in.data) > 0; {
		name, value := in.bytes(), in.bytes()
		if in.bad {
			return nil, fmt.Errorf("%w: certificate options", ErrFormat)
		}
		text := reader{data: frame(name)}
		o := Option{Name: text.text(), Data: value, Garbled: text.bad}
		list = append(list, o)
	}
	return list, nil
}

func frame(b []byte) []byte {
	var w writer
	w.bytes(b)
	return w
}

// verify checks the authority's signature and returns its algorithm.
func verify(ca, data, signature []byte) (string, error) {
	in := &reader{data: signature}
	sig := &ssh.Signature{Format: in.text(), Blob: in.bytes()}
	sig.Rest = in.data
	if in.bad {
		return "", fmt.Errorf("%w: no signature", ErrSignature)
	}
	key, err := ssh.ParsePublicKey(ca)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := key.Verify(data, sig); err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return sig.Format, nil
}
