package systemd

import "slices"

// assessment is one line of systemd-analyze security: it adds weight*bad/of, rounded up.
type assessment struct {
	weight, bad, of int
	skip            bool // not for this service
}

// yesNo is an assessment without degrees.
func yesNo(weight int, bad bool) assessment {
	a := assessment{weight: weight, of: 1}
	if bad {
		a.bad = 1
	}
	return a
}

// outOfTen is one with degrees.
func outOfTen(weight, bad int) assessment { return assessment{weight: weight, bad: bad, of: 10} }

// unless leaves an assessment out.
func (a assessment) unless(skip bool) assessment {
	a.skip = skip
	return a
}

// assessments are all lines of security_assessor_table in analyze-security.c. Weights have not changed from 247 to 257.
func assessments(c *confinement) []assessment {
	early := !c.is("DefaultDependencies") // "special boot phase"
	root := c.privileged()
	all := []assessment{
		outOfTen(2000, c.userBadness()),
		yesNo(200, len(c.groups) > 0).unless(root),
		yesNo(1000, c.word("PrivateTmp") == "no").unless(early),
		outOfTen(1000, degree(c.word("ProtectHome"), map[string]int{"yes": 0, "tmpfs": 1, "read-only": 5})).unless(early),
		outOfTen(1000, degree(c.word("ProtectSystem"), map[string]int{"strict": 0, "full": 3, "yes": 5})).unless(early),
		yesNo(200, hostRoot(c.paths["RootDirectory"]) && hostRoot(c.paths["RootImage"])).unless(early),
		yesNo(1000, !c.privateMounts()),
		yesNo(1000, c.word("PrivateUsers") == "no"),
		yesNo(1000, c.word("ProtectControlGroups") == "no"),
		outOfTen(100, c.maskBadness()),
		yesNo(1000, c.word("KeyringMode") != "private"),
		{weight: 1000, bad: min(3, degree(c.word("ProtectProc"), map[string]int{"invisible": 0, "ptraceable": 0, "noaccess": 1})), of: 3},
		yesNo(10, c.word("ProcSubset") != "pid"),
		yesNo(1000, c.word("NotifyAccess") == "all"),
		yesNo(100, !c.is("RemoveIPC")).unless(root),
		yesNo(100, c.delegate),
		outOfTen(1000, c.architectureBadness()),
		outOfTen(1000, c.addressBadness()),
		outOfTen(1000, c.deviceBadness()),
		yesNo(500, c.ambient != 0),
	}
	for _, each := range []struct {
		name   string
		weight int
	}{
		{"PrivateDevices", 1000},
		{"PrivateNetwork", 2500},
		{"ProtectKernelModules", 1000},
		{"ProtectKernelTunables", 1000},
		{"ProtectKernelLogs", 1000},
		{"ProtectClock", 1000},
		{"ProtectHostname", 50},
		{"LockPersonality", 100},
		{"MemoryDenyWriteExecute", 100},
		{"NoNewPrivileges", 1000},
		{"RestrictRealtime", 500},
		{"RestrictSUIDSGID", 1000},
	} {
		all = append(all, yesNo(each.weight, !c.is(each.name)))
	}
	return slices.Concat(all, c.assessCapabilities(), c.assessNamespaces(), c.assessFamilies(), c.assessCalls())
}

// degree is the badness out of ten of a word, 10 for one that is not listed.
func degree(word string, listed map[string]int) int {
	if bad, ok := listed[word]; ok {
		return bad
	}
	return 10
}
