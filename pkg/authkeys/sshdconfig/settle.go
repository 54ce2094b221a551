package sshdconfig

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Global gives the settings of the main section, which hold where no Match block says otherwise.
func (f *File) Global() *Config {
	return f.settle(f.global, nil)
}

// For gives the settings for a connection. Path identifies the Match blocks that hold: two connections
// with equal paths have equal settings. The error is one at which sshd ends the connection, beside the
// settings as far as they go.
func (f *File) For(conn Connection) (config *Config, path string, err error) {
	r := f.evaluate(&conn)
	return f.settle(f.global, r.values), fmt.Sprint(r.path), r.fatal
}

// settle merges the settings of Match blocks into those of the main section, as
// copy_set_server_options() does, those that may stand there: they replace, lists too. "none" is nothing in the main section and
// stays a name in a Match block, for sshd clears it only once.
func (f *File) settle(global, matched settings) *Config {
	v := maps.Clone(global)
	for _, name := range []string{"trustedusercakeys", "revokedkeys", "authorizedprincipalsfile", "forcecommand", "chrootdirectory"} {
		if strings.EqualFold(first(v, name), "none") {
			delete(v, name)
		}
	}
	for name, values := range matched {
		// "Match all" lets a directive in that may not stand in a Match block. The first pass has counted it.
		if k, _ := f.lookup(name); k.inMatch {
			v[name] = values
		}
	}
	if first(v, "authenticationmethods") == "any" {
		delete(v, "authenticationmethods")
	}
	for _, name := range []string{"forcecommand", "chrootdirectory"} {
		if strings.EqualFold(first(v, name), "none") {
			delete(v, name)
		}
	}
	c := f.config(v)
	if len(c.AuthorizedKeysFiles) == 0 {
		c.AuthorizedKeysFiles = []string{".ssh/authorized_keys", ".ssh/authorized_keys2"}
	}
	for _, p := range v["port"] {
		n, _ := strconv.Atoi(p) // was a number when it was kept
		c.Ports = append(c.Ports, n)
	}
	if len(c.Ports) == 0 {
		c.Ports = []int{22}
	}
	return c
}

// config gives the settings their types and defaults (fill_default_server_options).
func (f *File) config(v settings) *Config {
	c := &Config{
		PubkeyAuthentication:      yes(v, "pubkeyauthentication", true),
		PasswordAuthentication:    yes(v, "passwordauthentication", true),
		KbdInteractive:            yes(v, "kbdinteractiveauthentication", true),
		AuthorizedKeysFiles:       v["authorizedkeysfile"],
		AuthorizedKeysCommand:     first(v, "authorizedkeyscommand"),
		AuthorizedKeysCommandUser: first(v, "authorizedkeyscommanduser"),
		AuthorizedPrincipalsFile:  first(v, "authorizedprincipalsfile"),
		AuthorizedPrincipalsCmd:   first(v, "authorizedprincipalscommand"),
		AuthorizedPrincipalsUser:  first(v, "authorizedprincipalscommanduser"),
		TrustedUserCAKeys:         first(v, "trustedusercakeys"),
		RevokedKeys:               first(v, "revokedkeys"),
		AllowUsers:                v["allowusers"],
		DenyUsers:                 v["denyusers"],
		AllowGroups:               v["allowgroups"],
		DenyGroups:                v["denygroups"],
		AuthenticationMethods:     v["authenticationmethods"],
		PermitRootLogin:           cmp.Or(first(v, "permitrootlogin"), "without-password"),
		StrictModes:               yes(v, "strictmodes", true),
		UsePAM:                    yes(v, "usepam", false),
		UseDNS:                    yes(v, "usedns", false),
		ExposeAuthInfo:            yes(v, "exposeauthinfo", false),
		TouchRequired:             slices.Contains(v["pubkeyauthoptions"], "touch-required"),
		VerifyRequired:            slices.Contains(v["pubkeyauthoptions"], "verify-required"),
		RequiredRSASize:           number(v, "requiredrsasize", 1024),
		ForceCommand:              first(v, "forcecommand"),
		ChrootDirectory:           first(v, "chrootdirectory"),
		LoginGraceTime:            time.Duration(number(v, "logingracetime", 120)) * time.Second,
		LogLevel:                  strings.ToUpper(cmp.Or(first(v, "loglevel"), "info")),
		SyslogFacility:            strings.ToUpper(cmp.Or(first(v, "syslogfacility"), "auth")),
		FingerprintHash:           cmp.Or(first(v, "fingerprinthash"), "sha256"),
		MaxAuthTries:              number(v, "maxauthtries", 6),
		RefuseConnection:          yes(v, "refuseconnection", false),
	}
	c.PubkeyAcceptedAlgorithms, _ = assemble(first(v, "pubkeyacceptedalgorithms"), defaultAlgorithms(), allAlgorithms(f.version, false))
	c.CASignatureAlgorithms, _ = assemble(first(v, "casignaturealgorithms"), defaultSignatures(), allAlgorithms(f.version, true))
	return c
}

// Default is the configuration of an sshd whose file is empty.
func Default() *Config {
	return (&File{version: Newest()}).settle(settings{}, nil)
}

func first(v settings, name string) string {
	if list := v[name]; len(list) > 0 {
		return list[0]
	}
	return ""
}

func yes(v settings, name string, def bool) bool {
	if s := first(v, name); s != "" {
		return s == "yes"
	}
	return def
}

func number(v settings, name string, def int) int {
	n, err := strconv.Atoi(first(v, name))
	if err != nil {
		return def
	}
	return n
}
