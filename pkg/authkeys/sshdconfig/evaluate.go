package sshdconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Connection is what Match looks at.
type Connection struct {
	User        string
	InvalidUser bool   // there is no such account
	Host        string // the client's name with UseDNS, else its address
	Address     string // the client's
	LocalAddr   string
	LocalPort   int
	RDomain     string
	// AnyAddress stands for a connection of which only the user is known: criteria about addresses,
	// names and ports hold when this is true, and do not when AnyAddress is false and Address is "".
	AnyAddress bool
}

// settings are the values of keywords by canonical name. A keyword without a value is absent.
type settings map[string][]string

// run is one pass over the files. sshd makes two: at its start, with Match blocks only checked, and for
// each connection, in which only they count (see the comment above match_cfg_line_group in servconf.c).
type run struct {
	f      *File
	conn   *Connection // nil in the first pass
	values settings
	files  int
	path   []bool // the outcome of each Match line, in order
	fatal  error  // the first error of the second pass, which ends the connection
	stop   bool   // includes without end: nothing more is read
}

// scope is the state that Match changes, of one file.
type scope struct {
	active     bool
	neverMatch bool // the file is included from a block that does not hold
	matchOnly  bool // in the second pass, before the file's first Match
	name       string
	depth      int
}

// evaluate makes one pass. The first one collects the problems.
func (f *File) evaluate(conn *Connection) *run {
	r := &run{f: f, conn: conn, values: settings{}}
	r.file(f.name, &scope{active: conn == nil, matchOnly: conn != nil, name: f.name})
	return r
}

// file processes a file's lines and leaves the scope's activity as the last Match set it.
func (r *run) file(name string, s *scope) {
	lines, err := r.f.read(name)
	if err != nil {
		kind := Unreadable
		if missing(err) {
			kind = Bad
		}
		r.problem(s, 0, kind, "%v", err)
		return
	}
	if r.files++; r.files > maxFiles {
		r.problem(s, 0, Bad, "more than %d included files", maxFiles)
		r.stop = true
	}
	for i, line := range lines {
		if r.stop {
			return
		}
		if err := r.line(line, i+1, s); err != nil {
			r.problem(s, i+1, Bad, "%v", err)
		}
	}
}

func (r *run) problem(s *scope, line int, kind Kind, format string, args ...any) {
	p := Problem{Kind: kind, File: s.name, Line: line, Message: fmt.Sprintf(format, args...)}
	switch {
	case r.conn == nil:
		r.f.problems = append(r.f.problems, p)
	case r.fatal == nil && kind != Deprecated && !slices.Contains(r.f.problems, p): // new to this pass
		r.fatal = fmt.Errorf("%s line %d: %s", p.File, p.Line, p.Message)
	}
}

// line is process_server_config_line_depth().
func (r *run) line(text string, number int, s *scope) error {
	text = strings.TrimRight(text, whitespace+"\f")
	rest := &text
	name, ok := strdelim(&rest)
	if ok && name == "" {
		name, ok = strdelim(&rest)
	}
	if !ok || name == "" || name[0] == '#' {
		return nil
	}
	if rest == nil || *rest == "" {
		return fmt.Errorf("no argument after keyword %q", name)
	}
	k, known := r.f.lookup(strings.ToLower(name))
	args, err := Split(*rest, true)
	if err != nil {
		return err
	}
	switch {
	case !known:
		r.problem(s, number, Unknown, "Bad configuration option: %s", name)
		return nil
	case !s.active && !k.inMatch && r.conn == nil:
		return fmt.Errorf("directive %q is not allowed within a Match block", name)
	case !s.active && !k.inMatch:
		return nil // it counted in the first pass
	}
	switch k.kind {
	case match:
		return r.match(*rest, args, s)
	case include:
		return r.include(args, s)
	case deprecated:
		r.problem(s, number, Deprecated, "Deprecated option %s", name)
		return nil
	case unsupported:
		r.problem(s, number, Deprecated, "Unsupported option %s", name)
		return nil
	case ignored, quietIgnored:
		return nil
	}
	values, err := r.f.values(k, args, *rest)
	if err != nil {
		return err
	}
	if k.kind == methods && values[0] == "any" && len(r.values[k.name]) > 0 && !r.f.version.AtLeast(9, 9) {
		return errors.New(`"any" must appear alone in authenticationmethods`) // older releases look at earlier lines too
	}
	if s.active {
		r.set(k, values)
	}
	return nil
}

// set keeps the first value, but adds to lists of users, groups and ports.
func (r *run) set(k keyword, values []string) {
	switch k.kind {
	case users, groups, port:
		r.values[k.name] = append(r.values[k.name], values...)
		return
	case command:
		// Until 9.3 a mistake made AuthorizedKeysCommand decide about AuthorizedPrincipalsCommand too.
		if !r.f.version.AtLeast(9, 4) {
			if _, taken := r.values["authorizedkeyscommand"]; !taken {
				r.values[k.name] = values
			}
			return
		}
	}
	if k.name == "fingerprinthash" { // the last one counts
		r.values[k.name] = values
		return
	}
	if _, taken := r.values[k.name]; !taken && len(values) > 0 {
		r.values[k.name] = values
	}
}

// include processes the files that the patterns name. Whether they count is decided by the block that
// they are included from; a Match in them ends with them.
func (r *run) include(args []string, s *scope) error {
	if len(args) == 0 {
		return fmt.Errorf("include: missing filename argument")
	}
	for _, arg := range args {
		if arg == "" {
			return fmt.Errorf("include: empty argument")
		}
		// A name with ~ is left to glob(3), to which it is a name like any other.
		if arg[0] != '/' && arg[0] != '~' {
			arg = "/etc/ssh/" + arg
		}
		names, err := r.f.glob(arg)
		if err != nil {
			r.problem(s, 0, Unreadable, "%v", err)
		}
		for _, name := range names {
			if s.depth+1 > maxDepth {
				r.stop = true // where sshd ends, too
				return errors.New("too many recursive configuration includes")
			}
			r.file(name, &scope{
				active: s.active, neverMatch: !s.matchOnly && !s.active, matchOnly: s.matchOnly,
				name: name, depth: s.depth + 1,
			})
		}
	}
	return nil
}
