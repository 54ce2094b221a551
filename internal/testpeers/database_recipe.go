package testpeers

// MariaDBPackages holds MariaDB 10.11, server and client, for [StartMariaDB] and [Machine.StartMariaDB].
func MariaDBPackages() Recipe {
	return Recipe{
		Suite:    "bookworm",
		Packages: []string{"mariadb-server-core", "mariadb-client-core"},
		Omit:     []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare", "debconf", "ucf", "sensible-utils"},
	}
}

// MariaDB118Packages holds MariaDB 11.8.
func MariaDB118Packages() Recipe {
	r := MariaDBPackages()
	r.Suite = "trixie"
	return r
}

// MySQLPackages holds the MySQL of Debian's unstable suite, 9.7 or newer, for [StartMySQL]: no release of Debian has one.
func MySQLPackages() Recipe {
	r := MariaDBPackages()
	r.Suite, r.Packages = "sid", []string{"mysql-server-core", "mysql-client-core"}
	return r
}
