package testpeers

// EnginePackages hold Docker's engine, its client, what a network of containers needs, and what its images are made of.
func EnginePackages() Recipe {
	return Recipe{
		Suite: "bookworm",
		Packages: []string{
			"docker.io", "containerd", "runc", "tini", "iptables", "docker-registry", "nginx", "busybox", "iproute2", "mount", "util-linux", "coreutils", "bash", "dash", "ca-certificates",
		},
		Omit: []string{
			"perl", "libperl", "adduser", "passwd", "debconf", "libpam", "sysvinit-utils", "login", "libsemanage", "libsepol", "libdb", "init-system-helpers", "usrmerge", "libfile-find", "libtext-glob",
			"libnumber-compare", "openssl",
		},
	}
}
