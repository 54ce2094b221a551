package authkeys

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
	"github.com/opsctl/opsctl/pkg/host"
)

// minFragment is the least that a part of a fingerprint or key must hold to be looked for.
const minFragment = 4

// ErrAmbiguous is a part of a fingerprint or key that several keys have.
var ErrAmbiguous = errors.New("several keys match")

// FingerprintOf turns what a person gives for a key into the forms that logs use: SHA256:... and MD5:...
// It takes a fingerprint in either form or in bare hexadecimal, a file of keys or certificates, a whole
// line of an authorized_keys file, and a key in base64. A part of a fingerprint or of a key's base64, of
// four characters or more, is returned as it is, without a trailing "...": see Set.Find.
func FingerprintOf(arg string) ([]string, error) {
	keys, form, err := parseKeyArg(arg)
	if err != nil {
		return nil, err
	}
	if form != "" {
		return []string{form}, nil
	}
	var forms []string
	for _, k := range keys {
		for _, form := range []string{k.SHA256(), k.MD5()} {
			if !slices.Contains(forms, form) {
				forms = append(forms, form)
			}
		}
	}
	return forms, nil
}

// parseKeyArg gives the keys that arg holds, or the fingerprint or the part of one that it is.
func parseKeyArg(arg string) (keys []*pubkey.Key, form string, err error) {
	text := strings.TrimSpace(arg)
	if form, ok := fingerprintForm(text); ok {
		return nil, form, nil
	}
	if info, err := os.Stat(text); err == nil && !info.IsDir() {
		keys, err := keysOfFile(text)
		return keys, "", err
	}
	p := keyline.Parser{}
	if l := p.Parse(text); l.Key != nil {
		return []*pubkey.Key{l.Key}, "", nil
	}
	if blob, err := pubkey.DecodeBase64(text); err == nil {
		if k, err := pubkey.Parse(blob); k != nil && err == nil {
			return []*pubkey.Key{k}, "", nil
		}
	}
	text = strings.TrimRight(strings.TrimSuffix(text, "…"), ".")
	text = strings.TrimPrefix(text, "SHA256:")
	if len(text) >= minFragment && strings.Trim(text, base64Alphabet) == "" {
		return nil, text, nil
	}
	return nil, "", fmt.Errorf("%q is no fingerprint, key, or file with keys", arg)
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

// fingerprintForm recognizes whole fingerprints.
func fingerprintForm(text string) (string, bool) {
	if rest, ok := strings.CutPrefix(text, "SHA256:"); ok {
		rest = strings.TrimRight(rest, "=")
		if sum, err := base64.RawStdEncoding.DecodeString(rest); err == nil && len(sum) == 32 {
			return "SHA256:" + rest, true
		}
		return "", false
	}
	digits := strings.TrimPrefix(strings.ToLower(text), "md5:")
	sum, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(sum) != 16 {
		return "", false
	}
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return "MD5:" + strings.Join(pairs, ":"), true
}

func keysOfFile(name string) ([]*pubkey.Key, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("%s: %w", name, host.ErrTooLarge)
	}
	var keys []*pubkey.Key
	p := keyline.Parser{}
	for line := range strings.Lines(string(data)) {
		if keyline.Blank(line) {
			continue
		}
		if l := p.Parse(line); l.Key != nil {
			keys = append(keys, l.Key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no public key", name)
	}
	return keys, nil
}

// MatchesKey says whether a key is one of those that forms of FingerprintOf stand for. A part of a
// fingerprint or key is looked for in the SHA256 fingerprint and in the key's base64.
func MatchesKey(forms []string, sha256, md5 string, blob []byte) bool {
	return slices.ContainsFunc(forms, func(form string) bool {
		if strings.Contains(form, ":") {
			return form == sha256 || form == md5
		}
		return strings.Contains(strings.TrimPrefix(sha256, "SHA256:"), form) ||
			strings.Contains(base64.StdEncoding.EncodeToString(blob), form)
	})
}

// Find gives the keys of the set that arg stands for, as FingerprintOf takes it. When arg is a part that
// more than one key has, the error wraps ErrAmbiguous and names them.
func (s *Set) Find(arg string) ([]Key, error) {
	forms, err := FingerprintOf(arg)
	if err != nil {
		return nil, err
	}
	var found []Key
	var names []string
	for _, k := range s.Keys {
		if MatchesKey(forms, k.SHA256, k.MD5, k.Blob) {
			found = append(found, k)
			if name := strings.TrimSpace(k.SHA256 + " " + k.Comment); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if !strings.Contains(forms[0], ":") && severalKeys(found) {
		return nil, fmt.Errorf("%w %q: %s", ErrAmbiguous, forms[0], strings.Join(names, ", "))
	}
	return found, nil
}

func severalKeys(found []Key) bool {
	return slices.ContainsFunc(found, func(k Key) bool { return k.SHA256 != found[0].SHA256 })
}

// wanted gives the keys that a query is about, nil for all.
func (s *Set) wanted(arg string) ([]*pubkey.Key, error) {
	if arg == "" {
		return nil, nil
	}
	keys, form, err := parseKeyArg(arg)
	if err != nil || form == "" {
		return keys, err
	}
	found, err := s.Find(form)
	if err != nil {
		return nil, err
	}
	keys = []*pubkey.Key{}
	for _, k := range found {
		key, _ := pubkey.Parse(k.Blob) // an RSA key that is too small is a key, too
		if key != nil && !slices.ContainsFunc(keys, key.Equal) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
