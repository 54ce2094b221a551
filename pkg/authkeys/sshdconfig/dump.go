package sshdconfig

import (
	"slices"
	"strings"
)

// FromDump reads the settings that sshd -T prints. That output is ambiguous where a setting is "none",
// which is also what an absent one is printed as, and where a file's name holds a blank; ours, the same
// connection's settings as this package reads them, decides there. It may be nil.
func FromDump(dump []byte, version Version, ours *Config) *Config {
	f := &File{version: version, keywords: keywords()}
	v := settings{}
	for line := range strings.Lines(string(dump)) {
		name, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		k, known := f.lookup(name)
		if !known {
			continue
		}
		switch k.kind {
		case users, groups, port:
			v[k.name] = append(v[k.name], rest)
		case files, methods, authOptions:
			v[k.name] = strings.Fields(rest)
		case match, include, ignored:
		default:
			v[k.name] = []string{rest}
		}
	}
	noneIsNothing := []string{
		"authorizedkeyscommand", "authorizedkeyscommanduser", "authorizedprincipalscommand", "authorizedprincipalscommanduser",
		"authorizedprincipalsfile", "trustedusercakeys", "revokedkeys", "forcecommand", "chrootdirectory",
	}
	for _, name := range noneIsNothing {
		if strings.EqualFold(first(v, name), "none") {
			delete(v, name)
		}
	}
	for _, name := range []string{"permitrootlogin", "loglevel", "syslogfacility", "fingerprinthash"} {
		if value := first(v, name); value != "" {
			v[name] = []string{strings.ToLower(value)}
		}
	}
	c := f.settle(v, nil)
	if ours != nil {
		disambiguate(c, ours)
	}
	return c
}

func disambiguate(c, ours *Config) {
	for _, field := range []struct{ theirs, ours *string }{
		{&c.TrustedUserCAKeys, &ours.TrustedUserCAKeys},
		{&c.RevokedKeys, &ours.RevokedKeys},
		{&c.AuthorizedPrincipalsFile, &ours.AuthorizedPrincipalsFile},
		{&c.AuthorizedPrincipalsCmd, &ours.AuthorizedPrincipalsCmd},
		{&c.AuthorizedKeysCommand, &ours.AuthorizedKeysCommand},
	} {
		if *field.theirs == "" && strings.EqualFold(*field.ours, "none") {
			*field.theirs = *field.ours
		}
	}
	if strings.Join(c.AuthorizedKeysFiles, " ") == strings.Join(ours.AuthorizedKeysFiles, " ") {
		c.AuthorizedKeysFiles = slices.Clone(ours.AuthorizedKeysFiles)
	}
}
