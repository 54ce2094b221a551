package keyline

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnknownOption is an option that sshd does not know; it makes sshd skip the whole line.
var ErrUnknownOption = errors.New("unknown key option")

// The numbers of values that sshauthopt_parse() takes (SSH_AUTHOPT_ENV_MAX and _PERMIT_MAX; it stops
// one later).
const (
	maxEnvironment = 1024 + 1
	maxPermit      = 4096 + 1
)

// maxHost is NI_MAXHOST.
const maxHost = 1025

// tunIDMax is SSH_TUNID_MAX.
const tunIDMax = 0x7fffffff - 2

// cursor is the rest of the options; methods move it forward as sshd's opt_ functions do.
type cursor struct {
	s string
}

// flag is opt_flag(): a name without regard to case, after no- when that is allowed.
func (c *cursor) flag(name string, negatable bool) (on, matched bool) {
	s, on := c.s, true
	if negatable && hasPrefixFold(s, "no-") {
		s, on = s[3:], false
	}
	if !hasPrefixFold(s, name) {
		return false, false
	}
	c.s = s[len(name):]
	return on, true
}

// value is opt_match(): a name and an equals sign.
func (c *cursor) value(name string) bool {
	if !hasPrefixFold(c.s, name) || !strings.HasPrefix(c.s[len(name):], "=") {
		return false
	}
	c.s = c.s[len(name)+1:]
	return true
}

// dequote is opt_dequote(): a quoted string in which \" stands for a quote.
func (c *cursor) dequote() (string, error) {
	if !strings.HasPrefix(c.s, `"`) {
		return "", errors.New("missing start quote")
	}
	var out strings.Builder
	for i := 1; i < len(c.s); i++ {
		switch {
		case c.s[i] == '"':
			c.s = c.s[i+1:]
			return out.String(), nil
		case c.s[i] == '\\' && i+1 < len(c.s) && c.s[i+1] == '"':
			i++
		}
		out.WriteByte(c.s[i])
	}
	return "", errors.New("missing end quote")
}

// Options reads options up to the first blank outside quotes (sshauthopt_parse). On error the options
// read so far are returned beside it.
func (p *Parser) Options(text string) (Options, error) {
	var o Options
	c := &cursor{s: text}
	for c.s != "" && !atBlank(c.s) {
		start := c.s
		if !o.flagOption(c) {
			if err := p.valueOption(c, &o); err != nil {
				return o, err
			}
		}
		if c.s == "" || atBlank(c.s) {
			break
		}
		if c.s[0] != ',' {
			name, _, _ := strings.Cut(start, ",")
			name, _, _ = strings.Cut(name, " ")
			return o, fmt.Errorf("%w %.60q", ErrUnknownOption, name)
		}
		if c.s = c.s[1:]; c.s == "" {
			return o, errors.New("unexpected end of options")
		}
	}
	return o, nil
}

func atBlank(s string) bool { return s[0] == ' ' || s[0] == '\t' }

// flagOption tries the options without a value.
func (o *Options) flagOption(c *cursor) bool {
	if _, ok := c.flag("restrict", false); ok {
		o.Restrict = true
		o.NoPortForwarding, o.NoAgentForwarding, o.NoX11Forwarding, o.NoPTY, o.NoUserRC = true, true, true, true, true
		return true
	}
	if on, ok := c.flag("cert-authority", false); ok {
		o.CertAuthority = on
		return true
	}
	for _, f := range []struct {
		name string
		off  *bool
	}{
		{"port-forwarding", &o.NoPortForwarding},
		{"agent-forwarding", &o.NoAgentForwarding},
		{"x11-forwarding", &o.NoX11Forwarding},
		{"touch-required", &o.NoTouchRequired},
	} {
		if on, ok := c.flag(f.name, true); ok {
			*f.off = !on
			return true
		}
	}
	if on, ok := c.flag("verify-required", true); ok {
		o.VerifyRequired = on
		return true
	}
	if on, ok := c.flag("pty", true); ok {
		o.NoPTY = !on
		return true
	}
	on, ok := c.flag("user-rc", true)
	if ok {
		o.NoUserRC = !on
	}
	return ok
}

// valueOption tries the options with a quoted value. An unknown option is left where it stands.
func (p *Parser) valueOption(c *cursor, o *Options) error {
	for _, once := range []struct {
		name string
		dest **string
	}{{"command", &o.Command}, {"principals", &o.Principals}, {"from", &o.From}} {
		if !c.value(once.name) {
			continue
		}
		if *once.dest != nil {
			return fmt.Errorf("multiple %q clauses", once.name)
		}
		text, err := c.dequote()
		if err != nil {
			return fmt.Errorf("%s: %w", once.name, err)
		}
		*once.dest = &text
		return nil
	}
	for _, many := range []struct {
		name string
		set  func(*Options, string) error
	}{
		{"expiry-time", p.setExpiry},
		{"environment", setEnvironment},
		{"permitopen", p.setPermitOpen},
		{"permitlisten", p.setPermitListen},
		{"tunnel", setTunnel},
	} {
		if !c.value(many.name) {
			continue
		}
		text, err := c.dequote()
		if err == nil {
			err = many.set(o, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", many.name, err)
		}
		return nil
	}
	return nil
}

func (p *Parser) setExpiry(o *Options, text string) error {
	t, err := ParseTime(text, p.Location)
	if err != nil || t.Unix() == 0 {
		return fmt.Errorf("invalid expiry time %.40q", text)
	}
	if o.Expiry == nil || t.Before(*o.Expiry) {
		o.Expiry = &t
	}
	return nil
}

func setEnvironment(o *Options, text string) error {
	name, _, found := strings.Cut(text, "=")
	if !found || !validEnvName(name) {
		return fmt.Errorf("invalid environment string %.40q", text)
	}
	if len(o.Environment) >= maxEnvironment {
		return errors.New("too many environment strings")
	}
	for _, known := range o.Environment {
		if strings.HasPrefix(known, name+"=") {
			return nil // the first one wins
		}
	}
	o.Environment = append(o.Environment, text)
	return nil
}

func validEnvName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

func (p *Parser) setPermitOpen(o *Options, text string) error {
	return p.permit(&o.PermitOpen, text)
}

func (p *Parser) setPermitListen(o *Options, text string) error {
	if !strings.Contains(text, ":") {
		text = "*:" + text // a bare port is for any address
	}
	return p.permit(&o.PermitListen, text)
}

// permit is handle_permit(): HOST:PORT, [HOST]:PORT or, as hpdelim2() has it, HOST/PORT.
func (p *Parser) permit(list *[]string, text string) error {
	if len(*list) >= maxPermit {
		return errors.New("too many permission directives")
	}
	end := strings.IndexAny(text, ":/")
	if strings.HasPrefix(text, "[") {
		if end = strings.IndexByte(text, ']') + 1; end == 0 {
			return fmt.Errorf("invalid permission hostname in %.60q", text)
		}
	}
	if end < 0 || end == len(text) {
		return fmt.Errorf("no port in %.60q", text)
	}
	if text[end] != ':' && text[end] != '/' || end >= maxHost {
		return fmt.Errorf("invalid permission hostname in %.60q", text)
	}
	if port := text[end+1:]; port != "*" && !p.validPort(port) {
		return fmt.Errorf("invalid permission port in %.60q", text)
	}
	*list = append(*list, text)
	return nil
}

// validPort is a2port() giving more than 0: a number up to 65535 or the name of a TCP service.
func (p *Parser) validPort(s string) bool {
	if n, ok := strtonum(s, 65535); ok {
		return n > 0
	}
	return p.Port != nil && p.Port(s)
}

func setTunnel(o *Options, text string) error {
	if _, ok := strtonum(text, tunIDMax); !ok && !strings.EqualFold(text, "any") {
		return fmt.Errorf("invalid tun device %.40q", text)
	}
	o.Tunnel = &text
	return nil
}

// strtonum is strtonum(3) from 0 to limit: white space and a sign may stand before the digits.
func strtonum(s string, limit int64) (int64, bool) {
	digits := strings.TrimLeft(s, " \t\n\v\f\r")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0 && n <= limit
}

func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if c := s[i]; c != prefix[i] && (c < 'A' || c > 'Z' || c+'a'-'A' != prefix[i]) {
			return false
		}
	}
	return true
}
