// Package digest keeps content digests as raw bytes: a store has millions of them, and "sha256:" with 64 hexadecimal
// digits takes more than twice their room. It knows sha256 and sha512, the two algorithms that registries accept, and
// promises that a [Digest] is well formed: only [Parse] and [FromHex] make one.
package digest

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512" // registers the algorithm with go-digest
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	oci "github.com/opencontainers/go-digest"
)

// Digest is the hash of a blob. It is comparable; the zero value is no digest.
type Digest struct {
	// sum holds 32 bytes (sha256) or 64 (sha512): the length tells the algorithm.
	sum string
}

// Parse reads "sha256:<hex>" and "sha512:<hex>" as the OCI image specification (descriptor.md, "Digests") writes them:
// lower case, full length, nothing around.
func Parse(s string) (Digest, error) {
	if algorithm, digits, ok := strings.Cut(s, ":"); ok {
		if d := quick(algorithm, digits); !d.IsZero() {
			return d, nil
		}
	}
	d, err := oci.Parse(s)
	if err != nil {
		return Digest{}, fmt.Errorf("%.100q: %w", s, err)
	}
	return decode(d.Algorithm().String(), d.Encoded())
}

// Malformed reports whether an error is that of a text that is no digest.
func Malformed(err error) bool {
	return errors.Is(err, oci.ErrDigestInvalidFormat) || errors.Is(err, oci.ErrDigestInvalidLength) || errors.Is(err, oci.ErrDigestUnsupported)
}

// FromHex is the digest that two folders of a store spell, such as "sha256" and 64 digits.
func FromHex(algorithm, digits string) (Digest, error) {
	if d := quick(algorithm, digits); !d.IsZero() {
		return d, nil
	}
	return Parse(algorithm + ":" + digits)
}

// quick is the digest where it is well formed, without go-digest's regular expressions; else zero.
func quick(algorithm, digits string) Digest {
	var sum [sha512.Size]byte
	size := 0
	switch algorithm {
	case "sha256":
		size = sha256.Size
	case "sha512":
		size = sha512.Size
	}
	if size == 0 || len(digits) != 2*size {
		return Digest{}
	}
	for _, c := range []byte(digits) {
		if 'A' <= c && c <= 'F' { // which the decoder would take
			return Digest{}
		}
	}
	if _, err := hex.Decode(sum[:size], []byte(digits)); err != nil {
		return Digest{}
	}
	return Digest{string(sum[:size])}
}

func decode(algorithm, digits string) (Digest, error) {
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return Digest{}, err
	}
	if len(raw) != sha256.Size && len(raw) != sha512.Size {
		return Digest{}, fmt.Errorf("%s: %w", algorithm, oci.ErrDigestUnsupported)
	}
	return Digest{string(raw)}, nil
}

// Of is the sha256 digest of data.
func Of(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest{string(sum[:])}
}

// IsZero reports whether d is no digest.
func (d Digest) IsZero() bool { return d.sum == "" }

// Algorithm is "sha256" or "sha512", "" for the zero value.
func (d Digest) Algorithm() string {
	switch len(d.sum) {
	case sha256.Size:
		return "sha256"
	case sha512.Size:
		return "sha512"
	}
	return ""
}

// Hex is the hash in 64 or 128 lower case digits.
func (d Digest) Hex() string { return hex.EncodeToString([]byte(d.sum)) }

// String is "sha256:<hex>" or "sha512:<hex>", "" for the zero value.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Algorithm() + ":" + d.Hex()
}

// MarshalText implements [encoding.TextMarshaler] as [Digest.String].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] as [Parse].
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = Parse(string(text))
	return err
}

// Compare orders sha256 before sha512, and each by its bytes: the order of their texts.
func Compare(a, b Digest) int {
	return cmp.Or(cmp.Compare(len(a.sum), len(b.sum)), cmp.Compare(a.sum, b.sum))
}
