package systemd

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrQuoting says that quotes or escapes of a value do not end, so that systemd ignores the line.
var ErrQuoting = errors.New("unbalanced quoting")

// blanks separate words: WHITESPACE of src/basic/string-util.h.
const blanks = " \t\n\r"

// Word is one word of a value.
type Word struct {
	Text string // without quotes and escapes; specifiers and variables are as they were written
	Raw  string // as it was written
	// UnknownEscape says that a backslash stands for itself because what follows is no escape.
	UnknownEscape bool
}

// SplitWords splits a value as extract_first_word (src/basic/extract-word.c) does with EXTRACT_UNQUOTE and
// EXTRACT_CUNESCAPE: the form of Environment= and, but for the semicolon, of ExecStart=. What was split before an error is
// returned beside it.
func SplitWords(value string) ([]Word, error) {
	var words []Word
	for {
		word, rest, ok, err := nextWord(value)
		if err != nil || !ok {
			return words, err
		}
		words = append(words, word)
		value = rest
	}
}

// nextWord takes the first word; ok is false when there is none.
func nextWord(value string) (word Word, rest string, ok bool, err error) {
	value = strings.TrimLeft(value, blanks)
	if value == "" {
		return Word{}, "", false, nil
	}
	var text strings.Builder
	quote := byte(0)
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && i+1 == len(value) && quote != 0:
			return Word{}, "", false, ErrQuoting
		case c == '\\' && i+1 == len(value):
			word.UnknownEscape = true
			text.WriteByte(c)
		case c == '\\':
			plain, size := unescape(value[i+1:])
			if size == 0 {
				word.UnknownEscape = true
				plain, size = value[i:i+2], 1
			}
			text.WriteString(plain)
			i += size
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			text.WriteByte(c)
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(blanks, c) >= 0:
			word.Text, word.Raw = text.String(), value[:i]
			return word, strings.TrimLeft(value[i:], blanks), true, nil
		default:
			text.WriteByte(c)
		}
	}
	if quote != 0 {
		return Word{}, "", false, ErrQuoting
	}
	word.Text, word.Raw = text.String(), value
	return word, "", true, nil
}

// unescape reads one escape after its backslash (cunescape_one in src/basic/escape.c): its meaning and its length, 0 when
// it is none.
func unescape(s string) (plain string, size int) {
	if i := strings.IndexByte(`abfnrtv\"'s`, s[0]); i >= 0 {
		return "\a\b\f\n\r\t\v\\\"' "[i : i+1], 1
	}
	switch {
	case s[0] == 'x':
		return codePoint(s, 1, 2, 16)
	case s[0] == 'u':
		return codePoint(s, 1, 4, 16)
	case s[0] == 'U':
		return codePoint(s, 1, 8, 16)
	case s[0] >= '0' && s[0] <= '7':
		return codePoint(s, 0, 3, 8)
	}
	return "", 0
}

func codePoint(s string, from, digits, base int) (plain string, size int) {
	if len(s) < from+digits {
		return "", 0
	}
	n, err := strconv.ParseUint(s[from:from+digits], base, 32)
	// A NUL would end the string; ParseUint takes no sign, but underscores only with base 0.
	if err != nil || n == 0 {
		return "", 0
	}
	switch {
	case digits < 4 && n > 0xff:
		return "", 0
	case digits < 4:
		return string([]byte{byte(n)}), from + digits
	case !utf8.ValidRune(rune(n)):
		return "", 0
	}
	return string(rune(n)), from + digits
}

// Command is one command of an Exec directive.
type Command struct {
	Prefix  string // the characters of @-:+!| before the path
	Program Word   // without the prefix
	Args    []Word // what follows, without the name that @ asks for
	Name    string // argv[0]: the program's path unless @ gives another
}

// IgnoresFailure says whether the command may fail, or be missing.
func (c *Command) IgnoresFailure() bool { return strings.Contains(c.Prefix, "-") }

// Expands says whether systemd puts variables in.
func (c *Command) Expands() bool { return !strings.Contains(c.Prefix, ":") }

// SplitExec splits the value of ExecStart= or its kind as config_parse_exec (src/core/load-fragment.c) does. Commands are
// separated by a semicolon that is a word of its own; \; is a literal one.
func SplitExec(value string) ([]Command, error) {
	var commands []Command
	for value != "" {
		word, rest, ok, err := nextWord(value)
		if err != nil || !ok {
			return commands, err
		}
		command := Command{Program: word}
		command.prefix()
		if strings.Contains(command.Prefix, "@") {
			var name Word
			if name, rest, ok, err = nextWord(rest); err != nil || !ok {
				return commands, err
			}
			command.Name = name.Text
		}
		args, after, more, err := execArgs(rest)
		if err != nil {
			return commands, err
		}
		command.Args = args
		commands = append(commands, command)
		if !more {
			break
		}
		value = after
	}
	return commands, nil
}

// execArgs takes the words up to the end or to a semicolon, after which more is true.
func execArgs(value string) (args []Word, rest string, more bool, err error) {
	for {
		value = strings.TrimLeft(value, blanks)
		if after, found := lone(value, ";"); found {
			return args, after, true, nil
		}
		if after, found := lone(value, `\;`); found {
			args, value = append(args, Word{Text: ";", Raw: `\;`}), after
			continue
		}
		word, after, ok, err := nextWord(value)
		if err != nil || !ok {
			return args, "", false, err
		}
		args, value = append(args, word), after
	}
}

// lone cuts a word off that stands alone.
func lone(value, word string) (rest string, found bool) {
	rest, found = strings.CutPrefix(value, word)
	return rest, found && (rest == "" || strings.IndexByte(blanks, rest[0]) >= 0)
}

// prefix moves the special characters of systemd.service(5) from the program to Prefix.
func (c *Command) prefix() {
	n := len(c.Program.Text) - len(strings.TrimLeft(c.Program.Text, "@-:+!|"))
	c.Prefix = c.Program.Text[:n]
	c.Program.Text = c.Program.Text[n:]
	c.Name = c.Program.Text
}
