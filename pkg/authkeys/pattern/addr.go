package pattern

import (
	"net/netip"
	"strconv"
	"strings"
)

// AddrList is addr_match_list(): an address against comma-separated networks, addresses and wildcard
// patterns, of which those after ! are negated. All entries are looked at, so that an invalid one
// makes the list Invalid wherever it stands, unless a negated match comes first.
func AddrList(addr, list string) Result {
	host, err := parseAddr(addr)
	if err != nil {
		return None
	}
	return addrList(&host, addr, list)
}

// ValidAddrList says whether sshd takes the list at all.
func ValidAddrList(list string) bool { return addrList(nil, "", list) != Invalid }

func addrList(host *netip.Addr, addr, list string) Result {
	found := None
	for entry := range strings.SplitSeq(list, ",") {
		entry, negated := cutBang(entry)
		if entry == "" {
			return Invalid
		}
		network, result := parseCIDR(entry)
		if result == cidrInconsistent {
			return Invalid
		}
		if host == nil {
			continue
		}
		matched := Match(addr, entry)
		if result == cidrValid {
			matched = contains(network, *host)
		}
		if matched && negated {
			return Negated
		}
		if matched {
			found = Matched
		}
	}
	return found
}

// CIDRList is addr_match_cidr_list(), for the source-address option of certificates: addresses and
// networks only.
func CIDRList(addr, list string) Result {
	host, err := parseAddr(addr)
	if err != nil {
		return None
	}
	found := None
	for entry := range strings.SplitSeq(list, ",") {
		// sshd sets its error and goes on after a character that cannot stand in an address, so
		// that a later match would still succeed; no such entry can be read as a network, which
		// ends the list just the same.
		if entry == "" || len(entry) > inet6Len+3 || strings.Trim(entry, "0123456789abcdefABCDEF.:/") != "" {
			return Invalid
		}
		network, result := parseCIDR(entry)
		if result != cidrValid {
			return Invalid
		}
		if contains(network, host) {
			found = Matched
		}
	}
	return found
}

// ValidCIDRList says whether sshd takes the list of a certificate's source-address option.
func ValidCIDRList(list string) bool { return CIDRList("0.0.0.0", list) != Invalid }

// inet6Len is INET6_ADDRSTRLEN.
const inet6Len = 46

func contains(network netip.Prefix, host netip.Addr) bool {
	return network.Addr().Is4() == host.Is4() && network.Contains(host.WithZone(""))
}

type cidrResult int

const (
	cidrUnreadable cidrResult = iota
	cidrInconsistent
	cidrValid
)

// parseCIDR is addr_pton_cidr(): an address with an optional mask length. A length that the address
// family does not have, or that leaves host bits set, is inconsistent.
func parseCIDR(s string) (netip.Prefix, cidrResult) {
	if len(s) >= 64 {
		return netip.Prefix{}, cidrUnreadable
	}
	text, mask, hasMask := strings.Cut(s, "/")
	bits := 0
	if hasMask {
		n, ok := maskLen(mask)
		if !ok {
			return netip.Prefix{}, cidrUnreadable
		}
		bits = n
	}
	addr, err := parseAddr(text)
	if err != nil {
		return netip.Prefix{}, cidrUnreadable
	}
	if !hasMask {
		bits = addr.BitLen()
	}
	if bits > addr.BitLen() {
		return netip.Prefix{}, cidrInconsistent
	}
	network := netip.PrefixFrom(addr.WithZone(""), bits)
	if network.Masked() != network {
		return netip.Prefix{}, cidrInconsistent
	}
	return network, cidrValid
}

// maskLen reads the digits after the slash; more than 128 is unreadable for either family.
func maskLen(s string) (int, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > 128 {
		return 0, false
	}
	return int(n), true
}

// parseAddr reads a numeric address as getaddrinfo(AI_NUMERICHOST) does, which includes inet_aton()'s
// short, octal and hexadecimal forms of IPv4: 10.1 is 10.0.0.1.
func parseAddr(s string) (netip.Addr, error) {
	if v4, ok := inetAton(s); ok {
		return v4, nil
	}
	addr, err := netip.ParseAddr(s)
	if err == nil && addr.Is4() {
		// Dotted quads that inet_aton refuses do not exist; this keeps the two from differing.
		return netip.Addr{}, strconv.ErrSyntax
	}
	return addr, err
}

func inetAton(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, ok := atonPart(part)
		if !ok {
			return netip.Addr{}, false
		}
		last := i == len(parts)-1
		if !last && n > 0xff || last && n >= 1<<(8*(4-i)) {
			return netip.Addr{}, false
		}
		if last {
			value |= n
		} else {
			value |= n << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// atonPart reads a number as strtoul() with base 0 does, but without sign, space or underscore.
func atonPart(s string) (uint64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	base := 10
	if s[0] == '0' && len(s) > 1 {
		base = 8
		s = s[1:]
		if s[0] == 'x' || s[0] == 'X' {
			base = 16
			s = s[1:]
		}
	}
	n, err := strconv.ParseUint(s, base, 32)
	return n, err == nil
}
