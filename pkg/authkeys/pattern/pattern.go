// Package pattern matches names and addresses as OpenSSH does: match_pattern() and its relatives in
// match.c, and address lists in addrmatch.c and addr.c.
package pattern

import (
	"slices"
	"strings"
)

// Result is the outcome of matching a list of patterns.
type Result int

// Negated means that a pattern after ! matched, which overrules all others in the list.
const (
	None Result = iota
	Matched
	Negated
	Invalid // an entry of an address list that cannot be read; the whole list is worth nothing
)

// maxSub is the length at which match_pattern_list() gives up on the whole list (its buffer).
const maxSub = 1023

// Match matches a whole string; * stands for any text and ? for one byte.
func Match(s, pattern string) bool {
	star, mark := -1, 0
	i, p := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			i++
			p++
		case star >= 0:
			mark++
			i, p = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// List matches a string against comma-separated patterns, of which those after ! are negated.
func List(s, patterns string) Result { return list(s, patterns, false) }

// HostName matches a host name against comma-separated patterns without regard to case.
func HostName(host, patterns string) Result { return list(lower(host), patterns, true) }

func list(s, patterns string, fold bool) Result {
	found := None
	for patterns != "" { // a trailing comma does not start another, empty, pattern
		rest, negated := cutBang(patterns)
		var sub string
		sub, patterns, _ = strings.Cut(rest, ",")
		if len(sub) >= maxSub {
			return None
		}
		if fold {
			sub = lower(sub)
		}
		if !Match(s, sub) {
			continue
		}
		if negated {
			return Negated
		}
		found = Matched
	}
	return found
}

func cutBang(s string) (rest string, negated bool) { return strings.CutPrefix(s, "!") }

// HostAndIP is match_host_and_ip(): the patterns of from= and of the part after @ in AllowUsers. The
// host is the client's name when UseDNS is on, else its address again.
func HostAndIP(host, addr, patterns string) Result {
	byAddr := AddrList(addr, patterns)
	switch byAddr {
	case Invalid:
		return Invalid
	case Negated:
		return None
	}
	byName := HostName(host, patterns)
	if byName == Negated || byName == None && byAddr == None {
		return None
	}
	return Matched
}

// User matches one entry of AllowUsers or DenyUsers, USER or USER@HOST. OpenSSH up to 9.8 splits at the first @,
// later ones at the last (lastAt).
func User(user, host, addr, pattern string, lastAt bool) Result {
	at := strings.IndexByte(pattern, '@')
	if lastAt {
		at = strings.LastIndexByte(pattern, '@')
	}
	name := pattern
	if at >= 0 {
		name = pattern[:at]
	}
	if !Match(user, name) {
		return None
	}
	if at < 0 {
		return Matched
	}
	return HostAndIP(host, addr, pattern[at+1:])
}

// ValidUser says whether sshd takes an entry of AllowUsers or DenyUsers.
func ValidUser(pattern string, lastAt bool) bool {
	at := strings.IndexByte(pattern, '@')
	if lastAt {
		at = strings.LastIndexByte(pattern, '@')
	}
	return at < 0 || ValidAddrList(pattern[at+1:])
}

// AnyGroup is ga_match(): whether one of the groups matches one of the patterns, which know no
// negation.
func AnyGroup(groups, patterns []string) bool {
	return slices.ContainsFunc(groups, func(g string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return Match(g, p) })
	})
}

// GroupList is ga_match_pattern_list(), for Match Group: a negated match of any group overrules.
func GroupList(groups []string, patterns string) bool {
	found := false
	for _, g := range groups {
		switch List(g, patterns) {
		case Negated:
			return false
		case Matched:
			found = true
		}
	}
	return found
}

// lower folds ASCII only, as tolower() in the C locale.
func lower(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) < 0 {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
