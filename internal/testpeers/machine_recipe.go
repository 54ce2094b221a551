package testpeers

// machineRecipe makes a tree that boots under [Machine]: systemd as the first process, D-Bus, and the tools that an
// installation uses or that judge one.
func machineRecipe(suite string) Recipe {
	return Recipe{
		Suite: suite,
		Packages: []string{
			"systemd", "systemd-sysv", "dbus", "libnss-systemd", "iproute2", "procps", "curl", "strace", "util-linux", "passwd",
			"base-files", "base-passwd", "bash", "dash", "coreutils", "login", "mount", "libpam-runtime", "libpam-modules", "libpam-systemd",
		},
		Omit: []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare"},
	}
}

// BookwormMachine boots systemd 252.
func BookwormMachine() Recipe { return machineRecipe("bookworm") }
