package innodb

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeName gives the name that a file or folder stands for: "@0041" is the character U+0041, "@0p" one of the letters that
// have a short code, and digits, ASCII letters and underscores stand for themselves (strings/ctype-utf8.c, the character set
// "filename"). What is no such code is left as it is, also "#mysql50#".
func DecodeName(name string) string {
	if !strings.Contains(name, "@") {
		return name
	}
	var b strings.Builder
	for name != "" {
		r, n := decodeRune(name)
		if n == 0 {
			b.WriteByte(name[0])
			name = name[1:]
			continue
		}
		b.WriteRune(r)
		name = name[n:]
	}
	return b.String()
}

// decodeRune reads the code that s begins with, of n bytes; 0 where it begins with none.
func decodeRune(s string) (r rune, n int) {
	if s[0] != '@' || len(s) < 3 {
		return 0, 0
	}
	if len(s) >= 5 {
		if code, err := strconv.ParseUint(s[1:5], 16, 16); err == nil && utf8.ValidRune(rune(code)) {
			return rune(code), 5
		}
	}
	if _, after, found := strings.Cut(shortNames, " "+s[1:3]); found {
		r, _ = utf8.DecodeRuneInString(after)
		return r, 3
	}
	return 0, 0
}
