// Package pubkey reads SSH public keys and certificates (RFC 4253 section 6.6, RFC 5656,
// PROTOCOL.certkeys, PROTOCOL.u2f) and takes exactly those that sshd takes: it follows the
// deserialize_public functions and cert_parse() of OpenSSH 9.2 to 10.0.
//
// golang.org/x/crypto/ssh reads the same formats but draws the line elsewhere: it refuses RSA
// exponents over 24 bits and certificate options out of order, and takes RSA keys under 1024 bits. A
// verdict on whether sshd lets a key in cannot rest on that. Signatures are verified by x/crypto.
package pubkey

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the fingerprint that FingerprintHash md5 logs
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// The plain key types.
const (
	RSA       = "ssh-rsa"
	DSA       = "ssh-dss"
	ED25519   = "ssh-ed25519"
	ECDSA256  = "ecdsa-sha2-nistp256"
	ECDSA384  = "ecdsa-sha2-nistp384"
	ECDSA521  = "ecdsa-sha2-nistp521"
	SKECDSA   = "sk-ecdsa-sha2-nistp256@openssh.com"
	SKED25519 = "sk-ssh-ed25519@openssh.com"
)

const certSuffix = "-cert-v01@openssh.com"

// ErrTooSmall is an RSA key below the 1024 bits that OpenSSH can read at all
// (SSH_RSA_MINIMUM_MODULUS_SIZE).
var ErrTooSmall = errors.New("RSA key under 1024 bits")

// ErrFormat is a blob that is no key that OpenSSH can read.
var ErrFormat = errors.New("invalid key")

// ErrUnknownType is a key type that OpenSSH does not know.
var ErrUnknownType = errors.New("unknown key type")

// Key is a public key. Two keys are the same when Type and Blob are: the blob is encoded anew, so
// that different encodings of one key compare equal, as they do in sshkey_equal().
type Key struct {
	Type string // a plain type, also for a certificate
	Bits int    // of the modulus, the prime or the curve
	Blob []byte // the plain key in the wire format, what fingerprints are taken of
	Cert *Cert  // nil for a plain key
}

// Equal says whether both are the same plain key, whatever certificates they carry
// (sshkey_equal_public).
func (k *Key) Equal(other *Key) bool {
	return k.Type == other.Type && bytes.Equal(k.Blob, other.Blob)
}

// SHA256 is the fingerprint as sshd logs it, "SHA256:" and unpadded base64. Of a certificate it is
// that of the key in it.
func (k *Key) SHA256() string {
	sum := sha256.Sum256(k.Blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// MD5 is the fingerprint as sshd logs it with FingerprintHash md5, "MD5:" and pairs of digits.
func (k *Key) MD5() string {
	sum := md5.Sum(k.Blob) //nolint:gosec // see the import
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return "MD5:" + strings.Join(pairs, ":")
}

// ShortType is the name that sshd logs: ED25519, RSA-CERT, ECDSA-SK ...
func (k *Key) ShortType() string {
	short := map[string]string{
		RSA: "RSA", DSA: "DSA", ED25519: "ED25519", ECDSA256: "ECDSA", ECDSA384: "ECDSA", ECDSA521: "ECDSA",
		SKECDSA: "ECDSA-SK", SKED25519: "ED25519-SK",
	}[k.Type]
	if k.Cert != nil {
		short += "-CERT"
	}
	return short
}

// Name is the key's type in the wire format: Type, or that of the certificate.
func (k *Key) Name() string {
	if k.Cert != nil {
		return certName(k.Type)
	}
	return k.Type
}

func certName(plain string) string {
	return strings.TrimSuffix(plain, "@openssh.com") + certSuffix
}

// TypeByName says which plain type a name in a key file or a blob stands for, and whether it is a
// certificate's. Names of RSA and webauthn signatures stand for their keys. Unknown names give "".
func TypeByName(name string) (plain string, cert bool) {
	switch name {
	case RSA, "rsa-sha2-256", "rsa-sha2-512":
		return RSA, false
	case SKECDSA, "webauthn-sk-ecdsa-sha2-nistp256@openssh.com":
		return SKECDSA, false
	case DSA, ED25519, ECDSA256, ECDSA384, ECDSA521, SKED25519:
		return name, false
	case "rsa-sha2-256" + certSuffix, "rsa-sha2-512" + certSuffix:
		return RSA, true
	}
	for _, plain := range []string{RSA, DSA, ED25519, ECDSA256, ECDSA384, ECDSA521, SKECDSA, SKED25519} {
		if name == certName(plain) {
			return plain, true
		}
	}
	return "", false
}

// Parse reads a key or certificate in the wire format. A certificate's signature is verified. Errors
// wrap ErrFormat, ErrTooSmall, ErrUnknownType or ErrSignature; with ErrTooSmall the key is returned
// beside the error.
func Parse(blob []byte) (*Key, error) { return parse(blob, true) }

func parse(blob []byte, allowCert bool) (*Key, error) {
	in := &wire.Reader{Rest: blob}
	name := in.Text()
	if in.Bad {
		return nil, ErrFormat
	}
	plain, isCert := TypeByName(name)
	if plain == "" {
		return nil, fmt.Errorf("%w %.40q", ErrUnknownType, name)
	}
	if isCert && !allowCert {
		return nil, fmt.Errorf("%w: a certificate cannot sign", ErrFormat)
	}
	if isCert {
		in.Bytes() // the nonce
	}
	key, err := parsePlain(in, plain)
	if err != nil && (isCert || !errors.Is(err, ErrTooSmall)) {
		return nil, err
	}
	if isCert {
		if key.Cert, err = parseCert(in, blob); err != nil {
			return nil, err
		}
	}
	if in.Bad || len(in.Rest) != 0 {
		return nil, fmt.Errorf("%w: wrong length", ErrFormat)
	}
	return key, err
}

// DecodeBase64 decodes a key's base64 as b64_pton() does: white space anywhere, padding required and
// its bits zero.
func DecodeBase64(text string) ([]byte, error) {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\v\f\r", r) {
			return -1
		}
		return r
	}, text)
	data, err := base64.StdEncoding.Strict().DecodeString(clean)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return data, nil
}
