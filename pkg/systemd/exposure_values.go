package systemd

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// plainWords splits a value as extract_first_word (src/basic/extract-word.c) does without unescaping: a backslash takes the
// next character as it is, and quotes count where unquote says so. ok is false where they do not end; the words before
// count all the same.
func plainWords(value string, unquote bool) (words []string, ok bool) {
	var word strings.Builder
	quote, inside := byte(0), false
	for i := 0; i < len(value); i++ {
		ch := value[i]
		switch {
		case ch == '\\' && i+1 == len(value):
			return words, false
		case ch == '\\':
			i++
			word.WriteByte(value[i])
			inside = true
		case quote != 0 && ch == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(ch)
		case unquote && (ch == '"' || ch == '\''):
			quote, inside = ch, true
		case strings.IndexByte(blanks, ch) >= 0:
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteByte(ch)
			inside = true
		}
	}
	if inside && quote == 0 {
		words = append(words, word.String())
	}
	return words, quote == 0
}

// validAccount says whether systemd takes a name for a user or a group: valid_user_group_name in src/basic/user-util.c,
// relaxed. One with specifiers is taken for valid.
func validAccount(name string) bool {
	if name == "" || strings.Contains(name, "%") {
		return name != ""
	}
	if digits := strings.TrimPrefix(name, "-"); strings.Trim(digits, "0123456789") == "" {
		id, err := strconv.ParseUint(name, 10, 32)
		return err == nil && (name == "0" || name[0] != '0') && id != 0xffff && id != 0xffffffff
	}
	return name != "." && name != ".." && !strings.ContainsAny(name, ":/") && !strings.ContainsFunc(name, unicode.IsControl) &&
		strings.Trim(name, " ") == name
}

func (c *confinement) setGroups(value string) bool {
	if value == "" {
		c.groups = nil
		return true
	}
	words, ok := plainWords(value, false)
	for _, word := range words {
		if !validAccount(word) {
			return false
		}
		c.groups = append(c.groups, word)
	}
	return ok
}

// setRoot takes an absolute path without elements that lead upwards.
func (c *confinement) setRoot(name, value string) bool {
	if value != "" && !strings.HasPrefix(value, "%") && !normalPath(value) {
		return false
	}
	c.paths[name] = value
	return true
}

func normalPath(path string) bool {
	return strings.HasPrefix(path, "/") && !slices.Contains(strings.Split(path, "/"), "..")
}

func hostRoot(path string) bool { return strings.Trim(path, "/") == "" }

// setImages takes entries SOURCE:DESTINATION[:OPTIONS], each perhaps behind a minus sign.
func (c *confinement) setImages(value string) {
	if value == "" {
		c.images = false
	}
	words, _ := plainWords(value, true)
	for _, word := range words {
		parts := strings.Split(strings.TrimPrefix(word, "-"), ":")
		c.images = c.images || len(parts) > 1 && normalPath(parts[0]) && normalPath(parts[1])
	}
}

// setCredential sees whether one is encrypted. An empty value of either form of a directive resets both.
func (c *confinement) setCredential(a Assignment) {
	name, encrypted := strings.CutSuffix(a.Name, "Encrypted")
	if encrypted && c.opts.Version < encryptedSince {
		return
	}
	c.secrets[name] = a.Value != "" && (encrypted || c.secrets[name])
}

func (c *confinement) setMask(value string) {
	if mask, err := strconv.ParseUint(value, 8, 32); err == nil && mask <= 0o7777 {
		c.mask = mask
	}
}

// setDelegate takes a boolean or a list of controllers; an empty value delegates without any.
func (c *confinement) setDelegate(value string) {
	if yes, ok := parseBool(value); ok {
		c.delegate = yes
	} else if _, ok := plainWords(value, true); ok {
		c.delegate = true
	}
}

func (c *confinement) setArchitectures(value string) {
	if value == "" || c.architectures == nil {
		c.architectures = map[string]bool{}
	}
	words, _ := plainWords(value, true)
	for _, word := range words {
		switch word {
		case "native", "x86", "x86-64", "x32", "arm", "arm64", "loongarch64", "mips", "mips64", "mips64-n32", "mips-le", "mips64-le",
			"mips64-le-n32", "parisc", "parisc64", "ppc", "ppc64", "ppc64-le", "riscv64", "s390", "s390x":
			c.architectures[word] = true
		}
	}
}

func (c *confinement) setProgram(name, value string) {
	if value == "" || strings.HasPrefix(value, "%") || normalPath(value) {
		c.filters[name] = value != ""
	}
}

// setDevice takes DEVICE RIGHTS.
func (c *confinement) setDevice(value string) {
	if value == "" {
		c.devices = false
		return
	}
	words, _ := plainWords(value, true)
	if len(words) == 0 || len(words) > 2 || len(words) == 2 && strings.Trim(words[1], "rwm") != "" {
		return
	}
	path := words[0]
	if strings.HasPrefix(path, "block-") || strings.HasPrefix(path, "char-") || strings.HasPrefix(path, "%") ||
		normalPath(path) && (strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/run/systemd/inaccessible/")) {
		c.devices = true
	}
}

// prefix is an entry of IPAddressAllow= or IPAddressDeny=.
type prefix struct{ netip.Prefix }

// setPrefixes takes a line of either. Before 252 a word that is no address ends the line, and entries that others cover are
// dropped (src/core/ip-address-access.c of 247).
func (c *confinement) setPrefixes(list *[]prefix, value string) {
	if value == "" {
		*list = nil
		return
	}
	old := c.opts.Version < prefixSetsSince
	words, _ := plainWords(value, false)
	for _, word := range words {
		for _, text := range expandPrefix(word) {
			p, err := netip.ParsePrefix(text)
			if a, addrErr := netip.ParseAddr(text); addrErr == nil && a.Zone() == "" {
				p, err = netip.PrefixFrom(a, a.BitLen()), nil
			}
			switch {
			case err == nil:
				*list = append(*list, prefix{p.Masked()})
			case old:
				return
			}
		}
	}
	if all := slices.Clone(*list); old {
		*list = slices.DeleteFunc(*list, func(p prefix) bool {
			return slices.ContainsFunc(all, func(q prefix) bool { return q.Bits() < p.Bits() && q.Contains(p.Addr()) })
		})
	}
}

// expandPrefix replaces the names of systemd.resource-control(5) by what they stand for.
func expandPrefix(word string) []string {
	switch word {
	case "any":
		return []string{"0.0.0.0/0", "::/0"}
	case "link-local":
		return []string{"169.254.0.0/16", "fe80::/64"}
	case "multicast":
		return []string{"224.0.0.0/4", "ff00::/8"}
	}
	name := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(word), "."), ".localdomain")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return []string{"127.0.0.0/8", "::1/128"}
	}
	return []string{word}
}

// localhost says whether the entry counts as this host alone. Asked about a loaded unit, systemd-analyze takes only the whole
// of 127.0.0.0/8 for it.
func (p prefix) localhost(offline bool) bool {
	return p.Addr().IsLoopback() && (offline || p.Bits() == 8 || p.Addr().Is6())
}
