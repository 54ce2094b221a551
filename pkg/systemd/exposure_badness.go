package systemd

import "slices"

// privileged says whether the service runs as root: security_info_runs_privileged.
func (c *confinement) privileged() bool {
	return c.user == "0" || c.user == "root" || c.user == "" && !c.is("DynamicUser")
}

func (c *confinement) userBadness() int {
	switch {
	case c.user == "nobody":
		return 9
	case c.privileged():
		return 10
	}
	return 0
}

// privateMounts says whether the service counts as having mounts of its own. Of files, only the directive counts, and from
// 254 on also one that is not set; of a loaded unit what implies it does.
func (c *confinement) privateMounts() bool {
	if c.opts.Offline {
		_, set := c.settings["PrivateMounts"]
		return c.is("PrivateMounts") || !set && c.opts.Version >= mountsUnsetSince
	}
	implied := []string{"PrivateMounts", "PrivateDevices", "PrivateTmp", "ProtectControlGroups", "ProtectKernelTunables", "ProtectKernelModules", "ProtectHome", "ProtectSystem"}
	return c.paths["RootImage"] != "" || slices.ContainsFunc(implied, func(name string) bool { return c.word(name) != "no" })
}

func (c *confinement) maskBadness() int {
	switch {
	case c.mask&0o002 == 0:
		return 10
	case c.mask&0o004 == 0:
		return 5
	case c.mask&0o020 == 0:
		return 2
	case c.mask&0o040 == 0:
		return 1
	}
	return 0
}

func (c *confinement) architectureBadness() int {
	switch {
	case len(c.architectures) == 0:
		return 10
	case len(c.architectures) == 1 && c.architectures["native"]:
		return 0
	}
	return 8
}

func (c *confinement) addressBadness() int {
	denies := func(is4 bool) bool {
		return slices.ContainsFunc(c.denied, func(p prefix) bool { return p.Bits() == 0 && p.Addr().Is4() == is4 })
	}
	foreign := slices.ContainsFunc(c.allowed, func(p prefix) bool { return !p.localhost(c.opts.Offline) })
	switch {
	case c.filters["IPIngressFilterPath"] && c.opts.Version >= ingressSince || c.filters["IPEgressFilterPath"]:
		return 0
	case !denies(true) || !denies(false):
		return 10
	case foreign:
		return 5
	case len(c.allowed) > 0:
		return 2
	}
	return 0
}

func (c *confinement) deviceBadness() int {
	switch {
	case c.word("DevicePolicy") == "auto":
		return 10
	case c.devices:
		return 5
	}
	return 0
}
