package testpeers

// MariaDBPackages holds MariaDB 10.11, server and client, for [StartMariaDB] and [Machine.StartMariaDB].
func MariaDBPackages() Recipe {
	return Recipe{
		Suite:    "bookworm",
		Packages: []string{"mariadb-server-core", "mariadb-client-core"},
		Omit:     []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare", "debconf", "ucf", "sensible-utils"},
	}
}
