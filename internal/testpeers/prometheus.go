package testpeers

// Prometheus holds promtool and prometheus 2.42.
func Prometheus() Recipe {
	return Recipe{
		Suite:    "bookworm",
		Packages: []string{"prometheus", "iproute2", "coreutils", "dash"},
		Omit: []string{
			"perl", "libperl", "usrmerge", "libjs-", "fonts-", "adduser", "passwd", "debconf", "ucf", "sensible-utils",
			"libpam", "libdb", "libgdbm", "login", "node-", "libaudit", "libcap-ng", "libsemanage", "libsepol",
		},
	}
}
