package testpeers

// BullseyeAnalyze holds systemd 247 for its systemd-analyze and its list of directives. [Bookworm] and [Trixie] hold 252
// and 257.
func BullseyeAnalyze() Recipe {
	return Recipe{
		Suite:    "bullseye",
		Packages: []string{"systemd", "iproute2", "coreutils", "dash"},
		Omit:     []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare"},
	}
}
