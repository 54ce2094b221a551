package sshaudit

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// addr is a peer's address in 16 bytes: IPv4 as mapped, anything else (a host
// name of a sshd with UseDNS, an address with a zone) as nameMark and the name's
// hash.
type addr struct{ hi, lo uint64 }

const (
	nameMark = ^uint64(0)
	v4Mark   = uint64(0xffff) << 32
	maxNames = 1 << 16
)

func fromNetip(ip netip.Addr) addr {
	b := ip.As16()
	return addr{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// netip gives the address, the zero Addr for a name.
func (a addr) netip() netip.Addr {
	if a.hi == nameMark {
		return netip.Addr{}
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b).Unmap()
}

func (a addr) isV4() bool { return a.hi == 0 && a.lo>>32 == 0xffff }

// prefix clears all but the first bits of an address: v4 of an IPv4 one, v6 of
// the others. Names have no prefix and become the zero address.
func (a addr) prefix(v4, v6 int) addr {
	switch {
	case a.hi == nameMark:
		return addr{}
	case a.isV4():
		return addr{lo: a.lo &^ (1<<(32-v4) - 1)}
	default:
		return addr{hi: a.hi &^ (1<<(64-v6) - 1)}
	}
}

// addrOf reads an address as sshd wrote it.
func (p *Partial) addrOf(text []byte) addr {
	if ip, err := netip.ParseAddr(string(text)); err == nil && ip.Zone() == "" {
		return fromNetip(ip)
	}
	h := fnv.New64a()
	h.Write(text)
	a := addr{nameMark, h.Sum64()}
	if _, ok := p.names[a.lo]; !ok && len(p.names) < maxNames {
		p.names[a.lo] = string(text)
	}
	return a
}

// peer gives the address of an event's client.
func (p *Partial) peer(e *authlog.Event) addr {
	if e.IsV4 {
		return addr{lo: v4Mark | uint64(e.V4)}
	}
	return p.addrOf(e.Addr)
}

// addrText is the inverse of addrOf.
func (p *Partial) addrText(a addr) string {
	if a.hi != nameMark {
		return a.netip().String()
	}
	if name, ok := p.names[a.lo]; ok {
		return name
	}
	return "unknown"
}
