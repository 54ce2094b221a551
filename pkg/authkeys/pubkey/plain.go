package pubkey

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"fmt"
	"math/big"
	"math/bits"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// minRSA is SSH_RSA_MINIMUM_MODULUS_SIZE, in bits.
const minRSA = 1024

// parsePlain reads the fields of a plain key; in a certificate more fields follow.
func parsePlain(in *wire.Reader, plain string) (*Key, error) {
	var out wire.Writer
	out.Text(plain)
	size, err := copyFields(in, &out, plain)
	if err != nil {
		return nil, err
	}
	if in.Bad {
		return nil, ErrFormat
	}
	key := &Key{Type: plain, Bits: size, Blob: out}
	if plain == RSA && size < minRSA {
		return key, fmt.Errorf("%w: %d bits", ErrTooSmall, size)
	}
	return key, nil
}

func copyFields(in *wire.Reader, out *wire.Writer, plain string) (size int, err error) {
	switch plain {
	case RSA:
		e, n := in.Number(), in.Number()
		out.Number(e)
		out.Number(n)
		return bitLen(n), nil
	case DSA:
		p := in.Number()
		out.Number(p)
		for range 3 {
			out.Number(in.Number())
		}
		return bitLen(p), nil
	case ED25519, SKED25519:
		key := in.Bytes()
		if !in.Bad && len(key) != 32 {
			return 0, fmt.Errorf("%w: an Ed25519 key of %d bytes", ErrFormat, len(key))
		}
		out.Bytes(key)
		size = 256
	default:
		if size, err = copyECDSA(in, out, plain); err != nil {
			return 0, err
		}
	}
	if plain == SKED25519 || plain == SKECDSA {
		out.Text(in.Text()) // the application, "ssh:" as a rule
	}
	return size, nil
}

func copyECDSA(in *wire.Reader, out *wire.Writer, plain string) (int, error) {
	name, point := in.Text(), in.Bytes()
	if in.Bad {
		return 0, ErrFormat
	}
	var curve ecdh.Curve
	var params *elliptic.CurveParams
	want := strings.TrimPrefix(plain, "ecdsa-sha2-")
	switch plain {
	case ECDSA256, SKECDSA:
		curve, params, want = ecdh.P256(), elliptic.P256().Params(), "nistp256"
	case ECDSA384:
		curve, params = ecdh.P384(), elliptic.P384().Params()
	case ECDSA521:
		curve, params = ecdh.P521(), elliptic.P521().Params()
	}
	if name != want {
		return 0, fmt.Errorf("%w: curve %.20q in a key of type %s", ErrFormat, name, plain)
	}
	if _, err := curve.NewPublicKey(point); err != nil || !plausible(point, params) {
		return 0, fmt.Errorf("%w: not a point on the curve %s", ErrFormat, name)
	}
	out.Text(name)
	out.Bytes(point)
	return params.BitSize, nil
}

// plausible holds what sshkey_ec_validate_public() demands beyond a point on the curve: coordinates
// longer than half the order and below it.
func plausible(point []byte, params *elliptic.CurveParams) bool {
	half := len(point) / 2
	limit := new(big.Int).Sub(params.N, big.NewInt(1))
	for _, c := range [][]byte{point[1 : 1+half], point[1+half:]} {
		n := new(big.Int).SetBytes(c)
		if n.BitLen() <= params.N.BitLen()/2 || n.Cmp(limit) >= 0 {
			return false
		}
	}
	return true
}

func bitLen(number []byte) int {
	if len(number) == 0 {
		return 0
	}
	return (len(number)-1)*8 + bits.Len8(number[0])
}
