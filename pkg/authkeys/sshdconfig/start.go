package sshdconfig

import (
	"fmt"
	"slices"
	"strings"
)

// startProblems are the checks of sshd's main() after it has read the configuration: commands need a
// user, and at least one list of AuthenticationMethods must be possible.
func (f *File) startProblems() []Problem {
	var list []Problem
	bad := func(format string, args ...any) {
		list = append(list, Problem{Kind: Bad, File: f.name, Message: fmt.Sprintf(format, args...)})
	}
	for _, name := range []string{"authorizedkeyscommand", "authorizedprincipalscommand"} {
		command := first(f.global, name)
		if command != "" && !strings.EqualFold(command, "none") && first(f.global, name+"user") == "" {
			bad("%s set without %suser", name, name)
		}
	}
	methods := f.global["authenticationmethods"]
	if len(methods) > 0 && methods[0] != "any" && !slices.ContainsFunc(methods, f.possible) {
		bad("AuthenticationMethods cannot be satisfied by enabled authentication methods")
	}
	return list
}

// possible says whether all methods of a list are enabled.
func (f *File) possible(list string) bool {
	for method := range strings.SplitSeq(list, ",") {
		name, _, _ := strings.Cut(method, ":")
		enabled := false
		switch name {
		case "publickey":
			enabled = yes(f.global, "pubkeyauthentication", true)
		case "password":
			enabled = yes(f.global, "passwordauthentication", true)
		case "keyboard-interactive":
			enabled = yes(f.global, "kbdinteractiveauthentication", true)
		case "hostbased":
			enabled = yes(f.global, "hostbasedauthentication", false)
		case "gssapi-with-mic":
			enabled = yes(f.global, "gssapiauthentication", false)
		}
		if !enabled {
			return false
		}
	}
	return true
}
