package sshdconfig

// kind says how a keyword's arguments are read.
type kind int

const (
	ignored    kind = iota // taken, but of no concern to keys or logs
	deprecated             // sshd says so and goes on
	unsupported
	flag         // yes or no
	choice       // one of keyword.choices, keyword.canonical gives another name to some
	integer      // 0 to 2^31-1
	duration     // time intervals such as 1h30m
	word         // one argument
	filename     // one argument, a path
	principals   // one argument, a path that ~ may begin
	files        // paths, of which the first line counts
	users        // patterns; all lines add up
	groups       // patterns; all lines add up
	algorithms   // a list with + - ^
	command      // the rest of the line, an absolute path or none
	restOfLine   // the rest of the line
	methods      // AuthenticationMethods
	authOptions  // PubkeyAuthOptions
	port         // a port; all lines add up
	userEnv      // PermitUserEnvironment
	match        // Match
	include      // Include
	quietIgnored // Protocol
)

// keyword is what is known about a directive.
type keyword struct {
	name    string // canonical, lower case: that of sshd -T
	kind    kind
	inMatch bool // may stand in a Match block
	since   [2]int
	choices []string
	alias   map[string]string // choice to the one that sshd -T prints
}

// The names are those of keywords[] in servconf.c, with those of Debian's patches.
var (
	globalIgnored = []string{
		"hostkey", "hostdsakey", "hostkeyagent", "pidfile", "modulifile", "kerberosorlocalpasswd", "kerberosticketcleanup",
		"gssapicleanupcredentials", "gssapicleanupcreds", "gssapistrictacceptorcheck", "gssapikeyexchange",
		"gssapistorecredentialsonrekey", "gssapikexalgorithms", "listenaddress", "addressfamily", "printmotd",
		"printlastlog", "ignoreuserknownhosts", "xauthlocation", "compression", "tcpkeepalive", "keepalive", "ciphers", "macs",
		"maxstartups", "persourcemaxstartups", "persourcenetblocksize", "hostcertificate",
		"kexalgorithms", "versionaddendum", "securitykeyprovider", "debianbanner", "hostkeyalgorithms",
	}
	matchIgnored = []string{
		"logverbose", "hostbasedusesnamefrompacketonly", "hostbasedacceptedalgorithms",
		"hostbasedacceptedkeytypes", "kerberosauthentication", "ignorerhosts", "x11forwarding",
		"x11displayoffset", "x11uselocalhost", "permitemptypasswords", "rekeylimit", "allowtcpforwarding", "allowagentforwarding",
		"gatewayports", "maxsessions", "banner", "clientaliveinterval", "clientalivecountmax", "acceptenv", "setenv", "permittunnel",
		"permittty", "permituserrc", "permitopen", "permitlisten", "ipqos", "streamlocalbindmask", "streamlocalbindunlink",
		"allowstreamlocalforwarding", "disableforwarding", "channeltimeout", "unusedconnectiontimeout",
	}
	globalDeprecated = []string{
		"pamauthenticationviakbdint", "serverkeybits", "keyregenerationinterval", "rhostsauthentication", "uselogin",
		"permitblacklistedkeys", "checkmail", "verifyreversemapping", "reversemappingcheck", "useprivilegeseparation",
	}
	matchDeprecated   = []string{"rhostsrsaauthentication", "rsaauthentication", "authorizedkeysfile2"}
	globalUnsupported = []string{"kerberosgetafstoken", "kerberostgtpassing", "afstokenpassing", "gssusesessionccache", "gssapiusesessioncredcache"}
)

// aliases are names that stand for others.
var aliases = map[string]string{
	"pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms", "challengeresponseauthentication": "kbdinteractiveauthentication",
	"skeyauthentication": "kbdinteractiveauthentication",
}

// known are the directives that matter, and those that only newer releases have.
var known = []keyword{
	{name: "pamservicename", kind: ignored, inMatch: true, since: [2]int{9, 8}},
	{name: "persourcepenalties", kind: ignored, since: [2]int{9, 8}},
	{name: "persourcepenaltyexemptlist", kind: ignored, since: [2]int{9, 8}},
	{name: "sshdsessionpath", kind: ignored, since: [2]int{9, 8}},
	{name: "sshdauthpath", kind: ignored, since: [2]int{10, 0}},
	{name: "refuseconnection", kind: flag, inMatch: true, since: [2]int{9, 9}},
	{name: "usepam", kind: flag},
	{name: "usedns", kind: flag},
	{name: "strictmodes", kind: flag},
	{name: "pubkeyauthentication", kind: flag, inMatch: true},
	{name: "dsaauthentication", kind: flag}, // an alias that is not allowed in Match
	{name: "passwordauthentication", kind: flag, inMatch: true},
	{name: "kbdinteractiveauthentication", kind: flag, inMatch: true},
	{name: "hostbasedauthentication", kind: flag, inMatch: true},
	{name: "gssapiauthentication", kind: flag, inMatch: true},
	{name: "exposeauthinfo", kind: flag, inMatch: true},
	{
		name: "permitrootlogin", kind: choice, inMatch: true,
		choices: []string{"without-password", "prohibit-password", "forced-commands-only", "yes", "no"},
		alias:   map[string]string{"prohibit-password": "without-password"},
	},
	{
		name: "loglevel", kind: choice, inMatch: true,
		choices: []string{"silent", "quiet", "fatal", "error", "info", "verbose", "debug", "debug1", "debug2", "debug3"},
		alias:   map[string]string{"quiet": "silent", "debug1": "debug"},
	},
	{
		name: "syslogfacility", kind: choice,
		choices: []string{
			"daemon", "user", "auth", "authpriv", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
		},
	},
	{name: "fingerprinthash", kind: choice, choices: []string{"md5", "sha1", "sha256", "sha384", "sha512"}},
	{name: "requiredrsasize", kind: integer, inMatch: true},
	{name: "maxauthtries", kind: integer, inMatch: true},
	{name: "logingracetime", kind: duration},
	{name: "port", kind: port},
	{name: "permituserenvironment", kind: userEnv},
	{name: "allowusers", kind: users, inMatch: true},
	{name: "denyusers", kind: users, inMatch: true},
	{name: "allowgroups", kind: groups, inMatch: true},
	{name: "denygroups", kind: groups, inMatch: true},
	{name: "authorizedkeysfile", kind: files, inMatch: true},
	{name: "authorizedprincipalsfile", kind: principals, inMatch: true},
	{name: "trustedusercakeys", kind: filename, inMatch: true},
	{name: "revokedkeys", kind: filename, inMatch: true},
	{name: "chrootdirectory", kind: word, inMatch: true},
	{name: "rdomain", kind: ignored, inMatch: true},
	{name: "authorizedkeyscommand", kind: command, inMatch: true},
	{name: "authorizedkeyscommanduser", kind: word, inMatch: true},
	{name: "authorizedprincipalscommand", kind: command, inMatch: true},
	{name: "authorizedprincipalscommanduser", kind: word, inMatch: true},
	{name: "forcecommand", kind: restOfLine, inMatch: true},
	{name: "pubkeyacceptedalgorithms", kind: algorithms, inMatch: true},
	{name: "casignaturealgorithms", kind: algorithms, inMatch: true},
	{name: "authenticationmethods", kind: methods, inMatch: true},
	{name: "pubkeyauthoptions", kind: authOptions, inMatch: true},
	{name: "match", kind: match, inMatch: true},
	{name: "include", kind: include, inMatch: true},
}

// keywords makes the table of directives, by lower-case name.
func keywords() map[string]keyword {
	table := map[string]keyword{}
	for _, group := range []struct {
		names   []string
		kind    kind
		inMatch bool
	}{
		{globalIgnored, ignored, false},
		{matchIgnored, ignored, true},
		{globalDeprecated, deprecated, false},
		{matchDeprecated, deprecated, true},
		{globalUnsupported, unsupported, false},
		{[]string{"protocol"}, quietIgnored, false},
	} {
		for _, name := range group.names {
			table[name] = keyword{name: name, kind: group.kind, inMatch: group.inMatch}
		}
	}
	for _, k := range known {
		table[k.name] = k
	}
	for name, target := range aliases {
		table[name] = table[target]
	}
	return table
}

// lookup finds a directive that the release knows.
func (f *File) lookup(name string) (keyword, bool) {
	k, ok := f.keywords[name]
	switch {
	case name == "subsystem":
		return keyword{name: name, kind: ignored, inMatch: f.version.AtLeast(9, 5)}, true
	case !ok || !f.version.AtLeast(k.since[0], k.since[1]):
		return keyword{}, false
	case name == "dsaauthentication":
		k.name = "pubkeyauthentication"
	}
	return k, true
}
