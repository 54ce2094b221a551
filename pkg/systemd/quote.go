package systemd

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrUnsafe says that a value cannot stand in a unit: it has a line break or a NUL, and so would end its directive.
var ErrUnsafe = errors.New("cannot stand in a unit file")

// QuoteExec writes argv such that ExecStart= splits it back identically and expands nothing: no specifier, no variable
// (systemd.service(5), COMMAND LINES). argv[0] must be an absolute path. Line breaks and NULs are refused with ErrUnsafe, as
// a unit that shows them escaped would still be read by tools that cut at lines.
func QuoteExec(argv []string) (string, error) {
	words, err := execWords(argv)
	return strings.Join(words, " "), err
}

func execWords(argv []string) ([]string, error) {
	if len(argv) == 0 || !cleanAbsolute(argv[0]) {
		return nil, fmt.Errorf("command %q: the program must be an absolute path", argv)
	}
	words := make([]string, len(argv))
	for i, arg := range argv {
		if err := refuseBreaks(arg); err != nil {
			return nil, err
		}
		// The program's name passes specifiers but never variables, so there $ stands for itself.
		if i > 0 {
			arg = strings.ReplaceAll(arg, "$", "$$")
		}
		words[i] = quoteWord(strings.ReplaceAll(arg, "%", "%%"))
	}
	return words, nil
}

// QuoteEnvironment writes an assignment such that Environment= reads back identically; variables are not expanded there,
// specifiers are. The name must be one that a shell takes, the value UTF-8 (env_assignment_is_valid).
func QuoteEnvironment(name, value string) (string, error) {
	if !variableName(name) {
		return "", fmt.Errorf("variable %q: %w", name, ErrUnsafe)
	}
	if err := refuseBreaks(value); err != nil {
		return "", err
	}
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("value of %s is no UTF-8: %w", name, ErrUnsafe)
	}
	return quoteWord(name + "=" + strings.ReplaceAll(value, "%", "%%")), nil
}

func refuseBreaks(value string) error {
	if i := strings.IndexAny(value, "\n\r\x00"); i >= 0 {
		return fmt.Errorf("line break or NUL at byte %d of a value: %w", i, ErrUnsafe)
	}
	return nil
}

func variableName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// quoteWord is one word for extract_first_word with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE: as it is where nothing in it
// has a meaning, else in double quotes with C escapes.
func quoteWord(word string) string {
	if word != "" && !strings.ContainsFunc(word, needsQuotes) && word[0] != '#' && word[0] != ';' {
		return word
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(word) {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 0x7f || c >= utf8.RuneSelf && !utf8.ValidString(word):
			// A line with a byte that is no UTF-8 would be passed over whole.
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func needsQuotes(r rune) bool {
	return r <= ' ' || r == 0x7f || r == utf8.RuneError || strings.ContainsRune(`"'\`, r)
}

// cleanAbsolute says whether a path is one that systemd takes for a program: absolute, without "." and ".." elements.
func cleanAbsolute(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return false
	}
	for element := range strings.SplitSeq(path, "/") {
		if element == "." || element == ".." {
			return false
		}
	}
	return true
}
