package sshdconfig

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/pattern"
)

// match is what sMatch does: the block that begins is active when all criteria hold.
func (r *run) match(rest string, args []string, s *scope) error {
	conn := r.conn
	if s.neverMatch {
		conn = nil
	}
	criteria, err := r.criteria(rest, args)
	holds := err == nil
	if err == nil {
		holds, err = r.holds(criteria, conn)
	}
	s.active = holds && !s.neverMatch
	s.matchOnly = false
	r.path = append(r.path, s.active)
	if r.conn == nil {
		r.f.hasMatch = true
	}
	if err != nil {
		return fmt.Errorf("bad Match condition: %w", err)
	}
	return nil
}

// criterion is a pair of a Match line. The criteria all and invalid-user stand alone.
type criterion struct{ name, value string }

// criteria takes a Match line apart: with strdelim() until 9.8, as arguments since 9.9, where user=NAME
// is one argument.
func (r *run) criteria(rest string, args []string) ([]criterion, error) {
	if r.f.version.AtLeast(9, 9) {
		return argCriteria(args)
	}
	var words []string
	for p := &rest; ; {
		word, ok := strdelim(&p)
		if !ok || word == "" || word[0] == '#' {
			if ok && word == "" && p != nil && *p != "" {
				return nil, errors.New("extra arguments at end of line")
			}
			break
		}
		words = append(words, word)
	}
	var list []criterion
	for i := 0; i < len(words); i++ {
		name := strings.ToLower(words[i])
		switch {
		case name == "all":
			list = append(list, criterion{name: name})
		case i+1 == len(words):
			return nil, fmt.Errorf("missing Match criteria for %s", words[i])
		default:
			i++
			list = append(list, criterion{name, words[i]})
		}
	}
	return list, nil
}

func argCriteria(args []string) ([]criterion, error) {
	var list []criterion
	for i := 0; i < len(args); i++ {
		if args[i] == "" || args[i][0] == '#' {
			break
		}
		name, value, joined := strings.Cut(args[i], "=")
		name = strings.ToLower(name)
		if joined && !joinable(name) {
			name, joined = strings.ToLower(args[i]), false
		}
		switch {
		case name == "all" || name == "invalid-user":
			list = append(list, criterion{name: name})
			continue
		case !joined && i+1 < len(args):
			i++
			value = args[i]
		}
		if value == "" || value[0] == '#' {
			return nil, fmt.Errorf("missing Match criteria for %s", name)
		}
		list = append(list, criterion{name, value})
	}
	return list, nil
}

func joinable(name string) bool {
	switch name {
	case "user", "group", "host", "address", "localaddress", "localport", "rdomain", "version":
		return true
	}
	return false
}

// holds is match_cfg_line(). Without a connection only the form is checked, and nothing but all holds.
func (r *run) holds(list []criterion, conn *Connection) (bool, error) {
	if len(list) == 0 {
		return false, errors.New("one or more attributes required for Match")
	}
	all := true
	for _, c := range list {
		if c.name == "all" {
			if len(list) > 1 {
				return false, errors.New("'all' cannot be combined with other Match attributes")
			}
			return true, nil
		}
		ok, err := r.criterion(c, conn)
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

func (r *run) criterion(c criterion, conn *Connection) (bool, error) {
	if r.conn == nil && c.name != "user" && c.name != "group" && c.name != "invalid-user" && c.name != "version" {
		r.f.byAddr = true
	}
	switch c.name {
	case "user":
		return conn != nil && pattern.List(conn.User, c.value) == pattern.Matched, nil
	case "group":
		return conn != nil && r.f.env.Groups != nil && pattern.GroupList(r.f.env.Groups(conn.User), c.value), nil
	case "invalid-user":
		return conn != nil && conn.InvalidUser, nil
	case "host":
		return conn != nil && (conn.AnyAddress || conn.Host != "" && pattern.HostName(conn.Host, c.value) == pattern.Matched), nil
	case "address", "localaddress":
		return c.address(conn)
	case "localport":
		n, ok := r.f.port(c.value)
		if !ok {
			return false, fmt.Errorf("invalid LocalPort %q on Match line", c.value)
		}
		return conn != nil && (conn.AnyAddress || conn.LocalPort == n), nil
	case "rdomain":
		return conn != nil && (conn.AnyAddress || pattern.List(conn.RDomain, c.value) == pattern.Matched && conn.RDomain != ""), nil
	case "version":
		if r.f.version.AtLeast(9, 9) {
			return pattern.List(r.f.version.String(), c.value) == pattern.Matched, nil
		}
	}
	return false, fmt.Errorf("unsupported Match attribute %s", c.name)
}

func (c criterion) address(conn *Connection) (bool, error) {
	if !pattern.ValidAddrList(c.value) {
		return false, fmt.Errorf("invalid Match %s argument %q", c.name, c.value)
	}
	if conn == nil || conn.AnyAddress {
		return conn != nil, nil
	}
	addr := conn.Address
	if c.name == "localaddress" {
		addr = conn.LocalAddr
	}
	return addr != "" && pattern.AddrList(addr, c.value) == pattern.Matched, nil
}

// port is a2port(): a number or the name of a service.
func (f *File) port(s string) (int, bool) {
	if n, ok := strtonum(s, 65535); ok {
		return int(n), true
	}
	if f.env.Service == nil {
		return 0, false
	}
	return f.env.Service(s)
}
