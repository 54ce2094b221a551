package scrape

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// str is a string of a new part, in the style that the file uses for its like.
func str(s string, style yaml.Style) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: style}
}

// yes is the boolean true.
func yes() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"} }

// seq is a list of a new part, in brackets or not.
func seq(style yaml.Style, items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: style, Content: items}
}

// mapping is a mapping of a new part, made of keys and values by turns.
func mapping(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: content}
}

// scalar is a scalar as it is written: plain only where every YAML reader takes it for this string, in brackets too.
func scalar(n *yaml.Node) string {
	switch s := n.Value; {
	case n.Tag == "!!bool":
		return s
	case n.Style&yaml.DoubleQuotedStyle != 0 || !isPrintable(s):
		return doubleQuoted(s)
	case n.Style&yaml.SingleQuotedStyle != 0 || !isPlain(s):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	default:
		return s
	}
}

func isPrintable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// doubleQuoted escapes what is not printable; JSON's readers understand all but what lies beyond U+FFFF.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(`\U` + hex(r, 8))
		default:
			b.WriteString(`\u` + hex(r, 4))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, digits int) string {
	text := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, digits-len(text))) + text
}

// otherwise are words that some reader of YAML 1.1 or 1.2 takes for something else than a string.
func otherwise() []string {
	return []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}
}

// isPlain says whether s can stand without quotes: it begins with a letter or a slash, holds letters, digits and a few
// signs that mean nothing in YAML, and is no word for something else; or it is an IPv4 address with its port.
func isPlain(s string) bool {
	if s == "" || slices.Contains(otherwise(), strings.ToLower(s)) || strings.HasSuffix(s, ":") {
		return false
	}
	if addr, err := netip.ParseAddrPort(s); err == nil && addr.Addr().Is4() {
		return true
	}
	for i, r := range s {
		letter := unicode.IsLetter(r) || r == '_' || r == '/'
		if i == 0 && !letter {
			return false
		}
		if !letter && !unicode.IsDigit(r) && !strings.ContainsRune("-.:+", r) {
			return false
		}
	}
	return true
}
