package testpeers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Key is a key pair, or a certificate with its key pair, that a client can offer.
type Key struct {
	// Signer is what to hand to [ssh.PublicKeys]. It is no embedded field: that would hide the signer's choice of
	// algorithms, and an RSA key would sign with SHA-1.
	Signer  ssh.Signer
	private crypto.PrivateKey // nil for security keys
}

// ErrNoPrivateKey means a key that OpenSSH's private format cannot hold: a security key's.
var ErrNoPrivateKey = errors.New("the key has no private half")

// NewEd25519 makes an ssh-ed25519 key.
func NewEd25519() (*Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return newKey(private)
}

// NewRSA makes an ssh-rsa key. Under 1024 bits Go wants GODEBUG=rsa1024min=0.
func NewRSA(bits int) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	return newKey(private)
}

// NewECDSA makes an ecdsa-sha2 key on P-256, P-384 or P-521.
func NewECDSA(curve elliptic.Curve) (*Key, error) {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return nil, err
	}
	return newKey(private)
}

func newKey(private crypto.PrivateKey) (*Key, error) {
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	return &Key{Signer: signer, private: private}, nil
}

// Line is the public key as an authorized_keys line without options: type, base64 and comment, no newline.
func (k *Key) Line(comment string) string { return PublicLine(k.Signer.PublicKey(), comment) }

// PublicLine is a public key or certificate as a line of a .pub file, without a newline.
func PublicLine(key ssh.PublicKey, comment string) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n")+" "+comment, " ")
}

// Offer tries a key or certificate with every signature algorithm of its type, SHA-512 before SHA-256 before SHA-1, each an
// attempt of its own. [ssh.PublicKeys] by itself offers one: it goes by server-sig-algs, which names no certificate
// algorithms, and so may miss the only one that PubkeyAcceptedAlgorithms leaves.
func Offer(signer ssh.Signer) (ssh.AuthMethod, error) {
	signs, ok := signer.(ssh.AlgorithmSigner)
	if name := signer.PublicKey().Type(); !ok || name != ssh.KeyAlgoRSA && name != ssh.CertAlgoRSAv01 {
		return ssh.PublicKeys(signer), nil
	}
	var each []ssh.Signer
	for _, algorithm := range []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA} {
		one, err := ssh.NewSignerWithAlgorithms(signs, []string{algorithm})
		if err != nil {
			return nil, err
		}
		each = append(each, one)
	}
	return ssh.PublicKeys(each...), nil
}

// PrivatePEM is the key in OpenSSH's private format. Test keys live in boxes and are never committed.
func (k *Key) PrivatePEM(comment string) (string, error) {
	if k.private == nil {
		return "", ErrNoPrivateKey
	}
	block, err := ssh.MarshalPrivateKey(k.private, comment)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(block)), nil
}

// Certify signs a copy of template over the subject's key with the CA and returns the subject with that certificate.
// Template may leave out everything but the validity; type 0 becomes a user certificate.
func Certify(ca, subject *Key, template ssh.Certificate) (*Key, error) {
	cert := template
	cert.Key = subject.Signer.PublicKey()
	if cert.CertType == 0 {
		cert.CertType = ssh.UserCert
	}
	if err := cert.SignCert(rand.Reader, ca.Signer); err != nil {
		return nil, err
	}
	signer, err := ssh.NewCertSigner(&cert, subject.Signer)
	if err != nil {
		return nil, err
	}
	return &Key{Signer: signer, private: subject.private}, nil
}

// NewSK makes an sk-ssh-ed25519@openssh.com key whose authenticator is software: sshd sees signatures with a counter and
// the user-presence flag, as from a hardware key (PROTOCOL.u2f).
func NewSK() (*Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	const application = "ssh:"
	blob := ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, public, application})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, err
	}
	return &Key{Signer: &skSigner{public: key, private: private, application: application}}, nil
}

type skSigner struct {
	public      ssh.PublicKey
	private     ed25519.PrivateKey
	application string
	counter     uint32
}

func (s *skSigner) PublicKey() ssh.PublicKey { return s.public }

func (s *skSigner) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	s.counter++
	const userPresent = 1
	app, message := sha256.Sum256([]byte(s.application)), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{userPresent}, s.counter)
	signed := append(append(app[:], rest...), message[:]...)
	return &ssh.Signature{Format: s.public.Type(), Blob: ed25519.Sign(s.private, signed), Rest: rest}, nil
}
