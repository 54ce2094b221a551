package keyline

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
)

// Kind is the class of the reason why sshd does not use a line.
type Kind string

// The classes. The first that applies is given.
const (
	OK            Kind = ""
	Malformed     Kind = "malformed"
	BOM           Kind = "bom"
	TooSmall      Kind = "too-small"      // an RSA key under 1024 bits
	Certificate   Kind = "certificate"    // a certificate where a key belongs
	UnknownOption Kind = "unknown-option" //
	InvalidOption Kind = "invalid-option" // a known option with a value that sshd refuses
)

// Parser holds what the meaning of a line depends on.
type Parser struct {
	Location *time.Location         // sshd's time zone for expiry-time without Z; nil is UTC
	Port     func(name string) bool // whether a TCP service of that name exists, for permitopen; nil knows none
}

// Line is one line of an authorized_keys file that is neither blank nor a comment. When Kind is not OK
// sshd skips the line; Key is then the key that the line seems meant to hold, nil when there is none.
type Line struct {
	Options Options
	Name    string // the type as written
	Key     *pubkey.Key
	Comment string
	Kind    Kind
	Err     error // says why, nil when Kind is OK
}

// byteOrderMark is what some editors put before the first line; sshd takes it for part of the first
// word.
const byteOrderMark = "\xef\xbb\xbf"

// Blank says whether sshd skips the line without a look: nothing, or a comment. So is, for a reader's
// sake, a line of white space that sshd would try and find no key in.
func Blank(line string) bool {
	text := strings.TrimLeft(cString(line), " \t")
	return strings.HasPrefix(text, "#") || strings.Trim(text, " \t\r\n\v\f") == ""
}

// cString is what sshd sees of a line that it read with getline(): everything up to a NUL.
func cString(line string) string {
	text, _, _ := strings.Cut(line, "\x00")
	return strings.TrimSuffix(text, "\n")
}

// Parse reads a line. Leading blanks, a line end and a carriage return before it may be there.
func (p *Parser) Parse(line string) Line {
	text := strings.TrimLeft(cString(line), " \t")
	if result, ok := p.asSSHD(text); ok {
		return result
	}
	if rest, found := strings.CutPrefix(text, byteOrderMark); found {
		if result, ok := p.asSSHD(strings.TrimLeft(rest, " \t")); ok && result.Key != nil {
			result.Kind, result.Err = BOM, errors.New("a byte order mark stands before the line")
			return result
		}
	}
	return salvage(text)
}

// asSSHD is auth_check_authkey_line(): a key, or options and then a key. It says no when sshd would
// find no key; the options are judged only when there is one.
func (p *Parser) asSSHD(text string) (Line, bool) {
	line, ok := ReadKey(text)
	if ok {
		return line, true
	}
	end, err := optionsEnd(text)
	if err != nil {
		return Line{}, false
	}
	if line, ok = ReadKey(strings.TrimLeft(text[end:], " \t")); !ok {
		return Line{}, false
	}
	opts, err := p.Options(text)
	if err != nil && line.Kind == OK {
		line.Kind, line.Err = InvalidOption, err
		if errors.Is(err, ErrUnknownOption) {
			line.Kind = UnknownOption
		}
	}
	line.Options = opts
	line.Options.Raw = text[:end]
	return line, true
}

// ReadKey is sshkey_read(): a key type and a key, without options. It says no when sshd finds no key
// there. A key that is too small and a certificate count as read, so that they can
// be named; sshd takes neither.
func ReadKey(text string) (Line, bool) {
	name, rest, found := cutBlank(text)
	if !found {
		return Line{}, false
	}
	plain, isCert := pubkey.TypeByName(name)
	body, comment, _ := cutBlank(rest)
	if plain == "" || body == "" {
		return Line{}, false
	}
	blob, err := pubkey.DecodeBase64(body)
	if err != nil {
		return Line{}, false
	}
	key, err := pubkey.Parse(blob)
	if key == nil || key.Type != plain || (key.Cert != nil) != isCert {
		return Line{}, false
	}
	line := Line{Name: name, Key: key, Comment: strings.TrimRight(comment, " \t\r\n")}
	switch {
	case err != nil:
		line.Kind, line.Err = TooSmall, err
	case isCert:
		line.Kind, line.Err = Certificate, errors.New("a certificate stands in a key's place")
	}
	return line, true
}

// cutBlank cuts at the first run of blanks and says whether there was one.
func cutBlank(s string) (before, after string, found bool) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, "", false
	}
	return s[:i], strings.TrimLeft(s[i:], " \t"), true
}

// optionsEnd is sshkey_advance_past_options(): the first blank outside quotes.
func optionsEnd(s string) (int, error) {
	quoted := false
	i := 0
	for ; i < len(s) && (quoted || s[i] != ' ' && s[i] != '\t'); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
		case s[i] == '"':
			quoted = !quoted
		}
	}
	if i == len(s) && quoted {
		return 0, errors.New("invalid key option string: no end quote")
	}
	return i, nil
}

// salvage looks for a key in a line in which sshd finds none, so that the reader learns which key is
// not in use. It looks at every word that ends in the name of a key type.
func salvage(text string) Line {
	result := Line{Kind: Malformed, Err: errors.New("no key that sshd can read")}
	if _, err := optionsEnd(text); err != nil {
		result.Err = err
	}
	for rest := text; rest != ""; {
		word, after, _ := cutBlank(rest)
		start := strings.LastIndexAny(word, "\",=") + 1
		plain, _ := pubkey.TypeByName(word[start:])
		if plain == "" {
			rest = after
			continue
		}
		result.Name = word[start:]
		line, ok := ReadKey(rest[start:])
		if ok {
			result.Key, result.Comment = line.Key, line.Comment
			result.Options.Raw = strings.TrimRight(text[:len(text)-len(rest)+start], " \t")
			return result
		}
		result.Err = whyNoKey(plain, after)
		rest = after
	}
	return result
}

func whyNoKey(plain, rest string) error {
	body, _, _ := cutBlank(rest)
	blob, err := pubkey.DecodeBase64(body)
	if err != nil {
		return err
	}
	key, err := pubkey.Parse(blob)
	if err != nil {
		return err
	}
	if key.Type != plain {
		return fmt.Errorf("the line says %s, the key in it is of type %s", plain, key.Type)
	}
	return errors.New("no key that sshd can read")
}
