package sshdconfig

import (
	"errors"
	"strconv"
	"strings"
)

const whitespace = " \t\r\n"

// strdelim takes the next word off *rest as OpenSSH's function of that name does: words end at white
// space, at one equals sign or at a quote. The second result is false at the end of the text.
func strdelim(rest **string) (string, bool) {
	if *rest == nil {
		return "", false
	}
	s := **rest
	i := strings.IndexAny(s, whitespace+`"=`)
	if i < 0 {
		*rest = nil
		return s, true
	}
	word := s[:i]
	if s[i] == '"' {
		quoted, after, closed := strings.Cut(s[i+1:], `"`)
		if !closed {
			*rest = nil
			return "", false
		}
		after = strings.TrimLeft(after, whitespace)
		*rest = &after
		return word + quoted, true
	}
	after := strings.TrimLeft(s[i+1:], whitespace)
	// Only one equals sign is skipped.
	if s[i] != '=' && strings.HasPrefix(after, "=") {
		after = strings.TrimLeft(after[1:], whitespace)
	}
	*rest = &after
	return word, true
}

// Split splits an argument list as argv_split() does: words of quoted and bare parts, in which \\, \",
// \' and, outside quotes, "\ " stand for the second character. With comments, a word that starts with
// # ends the list.
func Split(s string, comments bool) ([]string, error) {
	var words []string
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || s[i] == '\t' {
			continue
		}
		if comments && s[i] == '#' {
			break
		}
		word, next, err := splitWord(s, i)
		if err != nil {
			return nil, err
		}
		words, i = append(words, word), next
	}
	return words, nil
}

func splitWord(s string, i int) (word string, next int, err error) {
	var out strings.Builder
	var quote byte
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (strings.IndexByte(`'"\`, s[i+1]) >= 0 || quote == 0 && s[i+1] == ' '):
			i++
			out.WriteByte(s[i])
		case c == '\\':
			out.WriteByte(c)
		case quote == 0 && (c == ' ' || c == '\t'):
			return out.String(), i, nil
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			out.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", 0, errors.New("invalid quotes")
	}
	return out.String(), i, nil
}

// strtonum is strtonum(3) from 0 to limit.
func strtonum(s string, limit int64) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimLeft(s, " \t\n\v\f\r"), 10, 64)
	return n, err == nil && n >= 0 && n <= limit
}

// seconds is convtime(): numbers with the units s, m, h, d and w, in any case and number.
func seconds(s string) (int64, bool) {
	units := map[byte]int64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 604800}
	const most = 1<<31 - 1
	if s == "" {
		return 0, false
	}
	var total int64
	for s != "" {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		n, ok := strtonum(s[:digits], most)
		if !ok {
			return 0, false
		}
		s = s[digits:]
		unit := int64(1)
		if s != "" {
			if unit, ok = units[s[0]|0x20]; !ok {
				return 0, false
			}
			s = s[1:]
		}
		if n > most/unit || total > most-n*unit {
			return 0, false
		}
		total += n * unit
	}
	return total, true
}
