package sshdconfig

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/pattern"
)

// values reads a directive's arguments in the form in which they are kept.
func (f *File) values(k keyword, args []string, rest string) ([]string, error) {
	switch k.kind {
	case command, restOfLine:
		text := strings.TrimLeft(rest, whitespace)
		if k.kind == command && !strings.HasPrefix(text, "/") && !strings.EqualFold(text, "none") {
			return nil, fmt.Errorf("%s must be an absolute path", k.name)
		}
		return []string{text}, nil
	case users, groups:
		return f.patterns(k, args)
	case files:
		return f.paths(k, args)
	case methods:
		return methodLists(args)
	case authOptions:
		return pubkeyOptions(args)
	}
	// All others take one argument.
	if len(args) == 0 || args[0] == "" {
		return nil, fmt.Errorf("%s: missing argument", k.name)
	}
	if len(args) > 1 {
		return nil, fmt.Errorf("keyword %s extra arguments at end of line", k.name)
	}
	value, err := f.value(k, args[0])
	return []string{value}, err
}

func (f *File) value(k keyword, arg string) (string, error) {
	switch k.kind {
	case flag:
		if v := strings.ToLower(arg); v == "yes" || v == "no" {
			return v, nil
		}
		return "", fmt.Errorf("%s: unsupported option %q", k.name, arg)
	case choice:
		v := strings.ToLower(arg)
		if !slices.Contains(k.choices, v) {
			return "", fmt.Errorf("%s: unsupported option %q", k.name, arg)
		}
		if to, ok := k.alias[v]; ok {
			v = to
		}
		return v, nil
	case integer:
		n, ok := strtonum(arg, 1<<31-1)
		if !ok {
			return "", fmt.Errorf("%s: invalid integer value %q", k.name, arg)
		}
		return strconv.FormatInt(n, 10), nil
	case duration:
		n, ok := seconds(arg)
		if !ok {
			return "", fmt.Errorf("%s: invalid time value %q", k.name, arg)
		}
		return strconv.FormatInt(n, 10), nil
	case port:
		n, ok := f.port(arg)
		if !ok || n == 0 {
			return "", fmt.Errorf("badly formatted port number %q", arg)
		}
		return strconv.Itoa(n), nil
	case algorithms:
		if !validAlgorithms(arg, f.version) {
			return "", fmt.Errorf("bad key types %q", arg)
		}
		def, all := defaultAlgorithms(), allAlgorithms(f.version, false)
		if k.name == "casignaturealgorithms" {
			def, all = defaultSignatures(), allAlgorithms(f.version, true)
		}
		_, err := assemble(arg, def, all)
		return arg, err
	case filename:
		if strings.EqualFold(arg, "none") {
			return "none", nil
		}
		path, err := f.expandTilde(arg)
		if err == nil && !strings.HasPrefix(path, "/") {
			path = "//" + path // where sshd was started, the root folder for a service, and a slash
		}
		return path, err
	case principals:
		return f.expandTilde(arg)
	}
	return arg, nil
}

func (f *File) patterns(k keyword, args []string) ([]string, error) {
	if len(args) == 0 && f.version.AtLeast(9, 9) {
		return nil, fmt.Errorf("no %s specified", k.name)
	}
	for _, arg := range args {
		if arg == "" || k.kind == users && !pattern.ValidUser(arg, f.version.AtLeast(9, 9)) {
			return nil, fmt.Errorf("invalid %s pattern: %q", k.name, arg)
		}
	}
	return args, nil
}

func (f *File) paths(k keyword, args []string) ([]string, error) {
	if len(args) == 0 && f.version.AtLeast(9, 9) {
		return nil, fmt.Errorf("no %s specified", k.name)
	}
	var list []string
	for _, arg := range args {
		if arg == "" {
			return nil, fmt.Errorf("keyword %s empty argument", k.name)
		}
		path, err := f.expandTilde(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, path)
	}
	return list, nil
}

// methodLists is sAuthenticationMethods: lists of methods, or any alone.
func methodLists(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, errors.New("no authenticationmethods specified")
	}
	if slices.Contains(args, "any") {
		if len(args) > 1 {
			return nil, errors.New(`"any" must appear alone in authenticationmethods`)
		}
		return args, nil
	}
	known := []string{"publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic", "gssapi-keyex"}
	for _, arg := range args {
		if arg == "" {
			return nil, errors.New("invalid authenticationmethods method list")
		}
		for method := range strings.SplitSeq(arg, ",") {
			name, _, _ := strings.Cut(method, ":") // keyboard-interactive:pam
			if !slices.Contains(known, name) {
				return nil, fmt.Errorf("invalid authenticationmethods method list %q", arg)
			}
		}
	}
	return args, nil
}

func pubkeyOptions(args []string) ([]string, error) {
	set := []string{"none"} // a value, so that the first line counts
	for _, arg := range args {
		switch v := strings.ToLower(arg); v {
		case "none":
		case "touch-required", "verify-required":
			set = append(set, v)
		default:
			return nil, fmt.Errorf("unsupported pubkeyauthoptions option %s", arg)
		}
	}
	return set, nil
}
