package sshdconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/opsctl/opsctl/pkg/host"
)

// Limits: sshd has none on the size of its configuration; its nesting limit is SERVCONF_MAX_DEPTH.
const (
	maxFile  = 4 << 20
	maxDepth = 16
	maxFiles = 10_000 // files read for one configuration, included ones counted each time
)

// Kind is the class of a Problem.
type Kind string

// The classes of problems. With any but Deprecated sshd does not start.
const (
	Unknown    Kind = "unknown-directive"
	Deprecated Kind = "deprecated-directive"
	Bad        Kind = "bad-config"
	Unreadable Kind = "unreadable"
)

// Problem is what sshd would complain of.
type Problem struct {
	Kind    Kind
	File    string
	Line    int
	Message string
}

// Env is what the meaning of a configuration depends on outside its files.
type Env struct {
	Version Version
	// Groups gives the names of a user's groups, for Match Group; nil when there is no such user.
	Groups func(user string) []string
	// Service gives the port of a TCP service, for ports given by name.
	Service func(name string) (int, bool)
	// Home gives a user's home folder, for names with ~; "" asks for the one of root.
	Home func(user string) (string, bool)
}

// File is a configuration that was read, with the files that it includes. It may be used from many
// goroutines.
type File struct {
	host     *host.Host
	name     string
	version  Version
	env      Env
	keywords map[string]keyword
	global   settings // of the main section
	problems []Problem
	hasMatch bool
	byAddr   bool

	mu    sync.Mutex // guards what follows
	texts map[string]text
	globs map[string][]string
}

type text struct {
	lines []string
	err   error
}

// Load reads the configuration name from a host, and checks it as sshd does at its start. What is wrong
// with it is in Problems; the error is only about the file itself.
func Load(h *host.Host, name string, env Env) (*File, error) {
	if env.Version == (Version{}) {
		env.Version = Newest()
	}
	f := &File{
		host: h, name: name, version: env.Version, env: env, keywords: keywords(),
		texts: map[string]text{}, globs: map[string][]string{},
	}
	if _, err := f.read(name); err != nil {
		return nil, err
	}
	f.global = f.evaluate(nil).values
	f.problems = append(f.problems, f.startProblems()...)
	return f, nil
}

// Problems lists what sshd would complain of, in the order of the files.
func (f *File) Problems() []Problem { return slices.Clone(f.problems) }

// HasMatch says whether settings differ between connections.
func (f *File) HasMatch() bool { return f.hasMatch }

// ByAddress says whether settings differ between the addresses, names or ports of a connection.
func (f *File) ByAddress() bool { return f.byAddr }

// read gives the lines of a file, each without its leading blanks, from the cache when it was read
// before, as sshd does with included files.
func (f *File) read(name string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.texts[name]; ok {
		return t.lines, t.err
	}
	data, err := f.host.ReadFile(name, maxFile)
	t := text{err: err}
	if err == nil {
		t.lines = splitLines(string(data))
	}
	f.texts[name] = t
	return t.lines, t.err
}

// splitLines is load_server_config(): leading blanks go, and a NUL ends the line's text, which joins
// the next one.
func splitLines(data string) []string {
	var out strings.Builder
	for line := range strings.SplitAfterSeq(data, "\n") {
		line = strings.TrimLeft(line, " \t\r")
		line, _, _ = strings.Cut(line, "\x00")
		out.WriteString(line)
	}
	return strings.Split(out.String(), "\n")
}

func (f *File) glob(pattern string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if names, ok := f.globs[pattern]; ok {
		return names, nil
	}
	names, err := f.host.Glob(pattern)
	f.globs[pattern] = names
	return names, err
}

// expandTilde is tilde_expand_filename().
func (f *File) expandTilde(name string) (string, error) {
	if !strings.HasPrefix(name, "~") {
		return name, nil
	}
	user, rest, _ := strings.Cut(name[1:], "/")
	home, ok := "", false
	if f.env.Home != nil {
		home, ok = f.env.Home(user)
	}
	if !ok {
		return "", fmt.Errorf("no such user %q", user)
	}
	return strings.TrimSuffix(home, "/") + "/" + strings.TrimLeft(rest, "/"), nil
}

// missing says whether an error means that there is no such file.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
