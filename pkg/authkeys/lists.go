package authkeys

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/krl"
	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
)

// listedKey is a key of a plain list: TrustedUserCAKeys, or RevokedKeys that is no KRL.
type listedKey struct {
	line    int
	key     *pubkey.Key
	comment string
}

// revocation is what RevokedKeys names.
type revocation struct {
	name   string
	list   *krl.List // nil for a plain list
	keys   []listedKey
	broken error // why sshd refuses every key that is not found before the fault
}

// revocations reads RevokedKeys; "" gives nil, which revokes nothing.
func (s *site) revocations(name string) *revocation {
	if name == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.lists[name]; ok {
		return r
	}
	r := &revocation{name: name}
	s.lists[name] = r
	data, err := s.host.ReadFile(name, maxKeyFile)
	switch {
	case err != nil:
		r.broken = err
	case krl.Is(data):
		rules := krl.Until93
		if s.version.AtLeast(9, 4) {
			rules = krl.Since94
		}
		r.list, r.broken = krl.Parse(data, rules)
	default:
		r.keys, r.broken = s.keyList(data)
	}
	return r
}

// reason says why a key or certificate is refused, "" when it is not (auth_key_is_revoked).
func (r *revocation) reason(key *pubkey.Key) string {
	if r == nil {
		return ""
	}
	listed := func(l listedKey) bool {
		return l.key.Equal(key) || key.Cert != nil && l.key.Equal(key.Cert.CA)
	}
	switch {
	case r.list != nil && r.list.Revoked(key), slices.ContainsFunc(r.keys, listed):
		return "revoked by " + r.name
	case r.broken != nil:
		return fmt.Sprintf("sshd refuses every key, for it cannot read RevokedKeys %s: %v", r.name, r.broken)
	}
	return ""
}

// keyList reads a plain list of keys, one a line (sshkey_in_file). A line that holds no key ends sshd's
// search with an error: the keys before it are returned beside that error. RSA keys that are too small
// are passed over.
func (s *site) keyList(data []byte) ([]listedKey, error) {
	var list []listedKey
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		text, _, _ := strings.Cut(line, "\x00")
		text = strings.TrimLeft(text, " \t")
		if text == "" || text[0] == '#' || text[0] == '\n' {
			continue
		}
		found, ok := keyline.ReadKey(text)
		switch {
		case !ok:
			return list, fmt.Errorf("line %d holds no key", number)
		case found.Kind == keyline.TooSmall:
			continue
		case found.Key.Type == pubkey.DSA && !s.version.HasDSA():
			return list, fmt.Errorf("line %d holds a key of type %s, which this sshd does not know", number, pubkey.DSA)
		}
		list = append(list, listedKey{number, found.Key, found.Comment})
	}
	return list, nil
}

// trusted reads the authorities of TrustedUserCAKeys, as far as sshd reads them.
func (s *site) trusted(name string) ([]listedKey, error) {
	if name == "" {
		return nil, nil
	}
	data, err := s.host.ReadFile(name, maxKeyFile)
	if err != nil {
		return nil, err
	}
	list, err := s.keyList(data)
	return slices.DeleteFunc(list, func(l listedKey) bool { return l.key.Cert != nil }), err
}

// certOptions are what a certificate's critical options and extensions demand (sshauthopt_from_cert).
type certOptions struct {
	command *string
	source  *string
	verify  bool
}

func readCertOptions(c *pubkey.Cert) (certOptions, error) {
	var o certOptions
	for _, option := range c.Critical {
		known, err := o.critical(option)
		if err != nil {
			return o, err
		}
		if !known {
			return o, fmt.Errorf("the certificate's critical option %.40q is not supported", option.Name)
		}
	}
	flags := []string{"no-touch-required", "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc"}
	for _, option := range c.Extensions {
		if option.Garbled || slices.Contains(flags, option.Name) && len(option.Data) > 0 {
			return o, fmt.Errorf("the certificate's extension %.40q is corrupt", option.Name)
		}
	}
	return o, nil
}

func (o *certOptions) critical(option pubkey.Option) (known bool, err error) {
	corrupt := fmt.Errorf("the certificate's critical option %.40q is corrupt", option.Name)
	if option.Garbled {
		return false, corrupt
	}
	text, isText, exact := option.Text()
	var dest **string
	switch option.Name {
	case "verify-required":
		o.verify = true
		if len(option.Data) > 0 {
			return true, corrupt
		}
		return true, nil
	case "force-command":
		dest = &o.command
	case "source-address":
		dest = &o.source
	default:
		return false, nil
	}
	if !isText || !exact {
		return true, corrupt
	}
	if *dest != nil {
		return true, errors.New("the certificate repeats its critical option " + option.Name)
	}
	*dest = &text
	return true, nil
}
