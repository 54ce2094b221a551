package krl

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
	"github.com/opsctl/opsctl/pkg/authkeys/wire"
)

// The subsections about certificates.
const (
	certSerialList   = 0x20
	certSerialRange  = 0x21
	certSerialBitmap = 0x22
	certKeyID        = 0x23
	certExtension    = 0x39
)

// certificates are the revoked certificates of one authority, or of all when ca is nil.
type certificates struct {
	ca      *pubkey.Key
	spans   []span
	bitmaps []bitmap
	ids     map[string]bool
}

// bitmap holds serial numbers from first on, the lowest bit last, kept as it came: spread out as spans
// it could take a hundred times the memory.
type bitmap struct {
	first uint64
	bits  []byte
}

func (b bitmap) has(serial uint64) bool {
	offset := serial - b.first
	if serial < b.first || offset/8 >= uint64(len(b.bits)) {
		return false
	}
	return b.bits[uint64(len(b.bits))-1-offset/8]>>(offset%8)&1 != 0
}

func (l *List) certificates(in *wire.Reader, rules Rules) error {
	blob := in.Bytes()
	in.Bytes() // reserved
	if in.Bad {
		return fmt.Errorf("%w: certificate section cut short", ErrFormat)
	}
	c := &certificates{}
	if len(blob) > 0 {
		ca, err := pubkey.Parse(blob)
		if err != nil {
			return fmt.Errorf("%w: authority: %w", ErrFormat, err)
		}
		if c.ca = ca; ca.Cert != nil {
			// A certificate is nobody's authority; its subsections must still be readable.
			return c.subsections(in, rules)
		}
	}
	l.certs = append(l.certs, c)
	return c.subsections(in, rules)
}

func (c *certificates) subsections(in *wire.Reader, rules Rules) error {
	for len(in.Rest) > 0 {
		kind, body := in.Byte(), &wire.Reader{Rest: in.Bytes()}
		if in.Bad {
			return fmt.Errorf("%w: certificate subsection cut short", ErrFormat)
		}
		if err := c.subsection(kind, body, rules); err != nil {
			return err
		}
		if body.Bad || len(body.Rest) > 0 {
			return fmt.Errorf("%w: certificate subsection 0x%02x of a wrong length", ErrFormat, kind)
		}
	}
	return nil
}

func (c *certificates) subsection(kind byte, body *wire.Reader, rules Rules) error {
	switch {
	case kind == certSerialList:
		for len(body.Rest) > 0 && !body.Bad {
			serial := body.Uint64()
			if err := c.add(serial, serial, body); err != nil {
				return err
			}
		}
		return nil
	case kind == certSerialRange:
		low := body.Uint64()
		return c.add(low, body.Uint64(), body)
	case kind == certSerialBitmap:
		return c.addBitmap(body)
	case kind == certKeyID:
		for len(body.Rest) > 0 && !body.Bad {
			if c.ids == nil {
				c.ids = map[string]bool{}
			}
			c.ids[body.Text()] = true
		}
		return nil
	case kind == certExtension && rules >= Since94:
		return extension(body)
	}
	return fmt.Errorf("%w: unknown certificate subsection 0x%02x", ErrFormat, kind)
}

// add is ssh_krl_revoke_cert_by_serial_range(). Serial 0 stands for no serial and cannot be revoked.
func (c *certificates) add(low, high uint64, body *wire.Reader) error {
	if body.Bad {
		return nil // the caller says so
	}
	if low == 0 || low > high {
		return fmt.Errorf("%w: serial range %d-%d", ErrFormat, low, high)
	}
	c.spans = append(c.spans, span{low, high})
	return nil
}

func (c *certificates) addBitmap(body *wire.Reader) error {
	b := bitmap{first: body.Uint64(), bits: body.Number()}
	if body.Bad || len(b.bits) == 0 {
		return nil // the caller says so, or nothing is set
	}
	// Number cut the leading zeros, so the first byte holds the highest bit that is set.
	top := uint64(len(b.bits)-1)*8 + uint64(bits.Len8(b.bits[0])) - 1
	if b.first+top < b.first {
		return fmt.Errorf("%w: bitmap past the last serial", ErrFormat)
	}
	if b.has(0) {
		return fmt.Errorf("%w: serial 0 in a bitmap", ErrFormat)
	}
	c.bitmaps = append(c.bitmaps, b)
	return nil
}

// revoked is is_cert_revoked(): by key id, else by serial unless that is 0.
func (c *certificates) revoked(cert *pubkey.Cert) bool {
	if c.ids[cert.KeyID] {
		return true
	}
	if cert.Serial == 0 {
		return false
	}
	_, found := slices.BinarySearchFunc(c.spans, cert.Serial, func(s span, serial uint64) int {
		switch {
		case s.high < serial:
			return -1
		case s.low > serial:
			return 1
		}
		return 0
	})
	return found || slices.ContainsFunc(c.bitmaps, func(b bitmap) bool { return b.has(cert.Serial) })
}
