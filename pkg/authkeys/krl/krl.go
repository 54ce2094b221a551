// Package krl reads key revocation lists, the binary form of sshd's RevokedKeys (PROTOCOL.krl), and
// answers as ssh_krl_check_key() in OpenSSH's krl.c does. Memory stays within a small multiple of the
// input, whatever the input says.
package krl

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // lists hold SHA-1 fingerprints
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// magic is how a list begins; sshd takes a file without it for a plain list of keys.
const magic = "SSHKRL\n\x00"

// ErrFormat is a list that sshd refuses. It then lets no key in at all.
var ErrFormat = errors.New("invalid key revocation list")

// Rules says which OpenSSH's rules hold for signed lists and for extensions.
type Rules int

// Up to 9.3 signatures are verified and extensions unknown; since 9.4 signatures are skipped and
// extensions known, of which a critical one refuses the list.
const (
	Until93 Rules = iota
	Since94
)

// The sections of a list.
const (
	sectionCertificates = 1
	sectionKeys         = 2
	sectionSHA1         = 3
	sectionSignature    = 4
	sectionSHA256       = 5
	sectionExtension    = 255
)

// List is a key revocation list.
type List struct {
	Version uint64
	Comment string
	keys    map[string]bool // plain keys in the wire format
	sha1    map[[sha1.Size]byte]bool
	sha256  map[[sha256.Size]byte]bool
	certs   []*certificates
}

// Is says whether a file's content is a key revocation list rather than a plain list of keys.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// Parse reads a list. Errors wrap ErrFormat.
func Parse(data []byte, rules Rules) (*List, error) {
	if !Is(data) {
		return nil, fmt.Errorf("%w: no magic", ErrFormat)
	}
	in := &wire.Reader{Rest: data[len(magic):]}
	if version := in.Uint32(); version != 1 {
		return nil, fmt.Errorf("%w: format version %d", ErrFormat, version)
	}
	l := &List{
		Version: in.Uint64(),
		keys:    map[string]bool{}, sha1: map[[sha1.Size]byte]bool{}, sha256: map[[sha256.Size]byte]bool{},
	}
	in.Uint64() // when it was generated
	in.Uint64() // flags
	in.Bytes()  // reserved
	l.Comment = in.Text()
	if in.Bad {
		return nil, fmt.Errorf("%w: header cut short", ErrFormat)
	}
	var signers []*pubkey.Key
	if rules == Until93 {
		var err error
		if signers, err = verifySignatures(data, *in); err != nil {
			return nil, err
		}
	}
	for len(in.Rest) > 0 {
		if err := l.section(in, rules); err != nil {
			return nil, err
		}
	}
	for _, c := range l.certs {
		c.settle()
	}
	if len(signers) > 0 && !slices.ContainsFunc(signers, func(k *pubkey.Key) bool { return !l.Revoked(k) }) {
		return nil, fmt.Errorf("%w: all keys that signed it are revoked", ErrFormat)
	}
	return l, nil
}

func (l *List) section(in *wire.Reader, rules Rules) error {
	kind, body := in.Byte(), &wire.Reader{Rest: in.Bytes()}
	if in.Bad {
		return fmt.Errorf("%w: section cut short", ErrFormat)
	}
	switch {
	case kind == sectionCertificates:
		return l.certificates(body, rules)
	case kind == sectionKeys:
		return each(body, 0, func(b []byte) { l.keys[string(b)] = true })
	case kind == sectionSHA1:
		return each(body, sha1.Size, func(b []byte) { l.sha1[[sha1.Size]byte(b)] = true })
	case kind == sectionSHA256:
		return each(body, sha256.Size, func(b []byte) { l.sha256[[sha256.Size]byte(b)] = true })
	case kind == sectionSignature:
		in.Bytes() // body was the key, this is the signature
		if in.Bad {
			return fmt.Errorf("%w: signature cut short", ErrFormat)
		}
		return nil
	case kind == sectionExtension && rules >= Since94:
		return extension(body)
	}
	return fmt.Errorf("%w: unknown section %d", ErrFormat, kind)
}

// each calls add with every string in a section, which must have the length size unless that is 0.
func each(body *wire.Reader, size int, add func([]byte)) error {
	for len(body.Rest) > 0 {
		b := body.Bytes()
		if body.Bad || size != 0 && len(b) != size {
			return fmt.Errorf("%w: bad length", ErrFormat)
		}
		add(b)
	}
	return nil
}

// extension skips an extension that is not critical. None are known.
func extension(body *wire.Reader) error {
	name, critical := body.Text(), body.Byte()
	body.Bytes()
	if body.Bad || len(body.Rest) > 0 {
		return fmt.Errorf("%w: bad extension", ErrFormat)
	}
	if critical != 0 {
		return fmt.Errorf("%w: unknown critical extension %.60q", ErrFormat, name)
	}
	return nil
}

// verifySignatures walks the sections of the list in data, of which in is the part after the header,
// and returns the keys that signed it.
func verifySignatures(data []byte, in wire.Reader) ([]*pubkey.Key, error) {
	var signers []*pubkey.Key
	seen := false
	for len(in.Rest) > 0 {
		kind, body := in.Byte(), in.Bytes()
		if in.Bad {
			return nil, fmt.Errorf("%w: section cut short", ErrFormat)
		}
		if kind != sectionSignature {
			if seen {
				return nil, fmt.Errorf("%w: a section after the signature", ErrFormat)
			}
			continue
		}
		seen = true
		key, err := pubkey.Parse(body)
		if err != nil {
			return nil, fmt.Errorf("%w: signing key: %w", ErrFormat, err)
		}
		signed := data[:len(data)-len(in.Rest)]
		signature := in.Bytes()
		if in.Bad {
			return nil, fmt.Errorf("%w: signature cut short", ErrFormat)
		}
		if err := key.Verify(signed, signature); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if slices.ContainsFunc(signers, key.Equal) {
			return nil, fmt.Errorf("%w: signed twice with one key", ErrFormat)
		}
		signers = append(signers, key)
	}
	return signers, nil
}

// Revoked says whether sshd refuses a key or certificate because of the list: by the key, by what the
// list says of certificates, or by the key of the certificate's authority.
func (l *List) Revoked(key *pubkey.Key) bool {
	if l.plainRevoked(key) {
		return true
	}
	if key.Cert == nil {
		return false
	}
	return l.plainRevoked(key.Cert.CA) || slices.ContainsFunc(l.certs, func(c *certificates) bool {
		return (c.ca == nil || c.ca.Equal(key.Cert.CA)) && c.revoked(key.Cert)
	})
}

func (l *List) plainRevoked(key *pubkey.Key) bool {
	return l.sha1[sha1.Sum(key.Blob)] || l.sha256[sha256.Sum256(key.Blob)] || l.keys[string(key.Blob)] //nolint:gosec // see the import
}

// span is a range of serial numbers, both ends in it.
type span struct{ low, high uint64 }

// settle sorts and joins the spans, so that they can be searched.
func (c *certificates) settle() {
	sort.Slice(c.spans, func(i, j int) bool { return c.spans[i].low < c.spans[j].low })
	joined := c.spans[:0]
	for _, s := range c.spans {
		if n := len(joined); n > 0 && s.low <= joined[n-1].high {
			joined[n-1].high = max(joined[n-1].high, s.high)
			continue
		}
		joined = append(joined, s)
	}
	c.spans = joined
}
