package innodb

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// DecodeName gives the name that a file or folder stands for: "@0041" is the character U+0041, and digits, ASCII letters and
// underscores stand for themselves (strings/ctype-utf8.c, the character set "filename"). What is no such code is left as it is,
// also "#mysql50#" and the short codes of two characters, for letters of a few alphabets, which stand in a table of the
// server's own.
func DecodeName(name string) string {
	if !strings.Contains(name, "@") {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		if name[i] == '@' && i+5 <= len(name) {
			if r, err := strconv.ParseUint(name[i+1:i+5], 16, 16); err == nil && utf8.ValidRune(rune(r)) {
				b.WriteRune(rune(r))
				i += 5
				continue
			}
		}
		b.WriteByte(name[i])
		i++
	}
	return b.String()
}
