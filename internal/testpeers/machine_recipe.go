package testpeers

// Machines are trees that boot under [Machine], by the version of their systemd: Debian's bullseye, bookworm and trixie. Each
// has D-Bus, and the tools that an installation uses or that judge one; each runs what [ExporterPackages] holds.
func Machines() map[int]Recipe {
	bullseye := machineRecipe("bullseye")
	bullseye.Libc = "bookworm"
	return map[int]Recipe{247: bullseye, 252: BookwormMachine(), 257: machineRecipe("trixie")}
}

// BookwormMachine boots systemd 252.
func BookwormMachine() Recipe { return machineRecipe("bookworm") }

func machineRecipe(suite string) Recipe {
	return Recipe{
		Suite: suite,
		Packages: []string{
			"systemd", "systemd-sysv", "dbus", "libnss-systemd", "iproute2", "procps", "curl", "strace", "util-linux", "passwd",
			"base-files", "base-passwd", "bash", "dash", "coreutils", "grep", "gzip", "tar", "libc-bin", "login", "mount", "libpam-runtime", "libpam-modules", "libpam-systemd",
		},
		Omit: []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare"},
	}
}
