package testpeers

// Registry holds docker-registry 2.8.2, distribution's registry with its own garbage collector.
func Registry() Recipe {
	return Recipe{
		Suite:    "bookworm",
		Packages: []string{"docker-registry"},
		Omit:     []string{"perl", "libperl", "adduser", "passwd", "debconf", "libpam", "init-system-helpers"},
	}
}
