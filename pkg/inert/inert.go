// Package inert makes foreign text harmless on a terminal. Login names, file
// names and messages of servers can hold escape sequences, direction overrides
// and bytes that are no UTF-8; none of them may move the cursor, recolour the
// screen or reorder the line they are printed in.
package inert

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rune reports whether r can be printed in a table cell as it is: no control
// character (tab and newline included), no bidirectional control, no line or
// paragraph separator, no zero-width or otherwise invisible format character,
// no noncharacter and no private-use code point.
func Rune(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return false
	case r < 0x80:
		return true
	case r == utf8.RuneError, r == '\u200d':
		// U+FFFD is what everything else becomes; the zero-width joiner is part of
		// many emoji, and every terminal treats it as having no width.
		return true
	default:
		return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) && !nonCharacter(r)
	}
}

// nonCharacter covers U+FDD0..U+FDEF and the last two code points of each plane.
func nonCharacter(r rune) bool {
	return r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe
}

// String returns s with every rune that Rune refuses, and every byte that is
// not UTF-8, replaced by U+FFFD. Text that is already harmless is returned
// unchanged without an allocation.
func String(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if !Rune(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

func clean(s string) bool {
	for i, r := range s {
		if !Rune(r) {
			return false
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false
			}
		}
	}
	return true
}
