package systemd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// setting is one directive of a sandbox. since is set where the value is younger than the directive.
type setting struct {
	name, value string
	since       int
}

// sandbox is what all profiles share, in the order of the unit. Each stands for one line of systemd-analyze security.
func sandbox() []setting {
	return []setting{
		{"NoNewPrivileges", "yes", 0},
		{"CapabilityBoundingSet", "", 0},
		{"AmbientCapabilities", "", 0},
		{"ProtectSystem", "strict", strictSince},
		{"ProtectHome", "yes", 0},
		{"PrivateTmp", "yes", 0},
		{"PrivateDevices", "yes", 0},
		{"DevicePolicy", "closed", 0},
		{"PrivateUsers", "yes", 0},
		{"PrivateIPC", "yes", 0},
		{"ProtectHostname", "yes", 0},
		{"ProtectClock", "yes", 0},
		{"ProtectKernelTunables", "yes", 0},
		{"ProtectKernelModules", "yes", 0},
		{"ProtectKernelLogs", "yes", 0},
		{"ProtectControlGroups", "yes", 0},
		{"ProtectProc", "invisible", 0},
		{"RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6", 0},
		{"RestrictNamespaces", "yes", 0},
		{"RestrictRealtime", "yes", 0},
		{"RestrictSUIDSGID", "yes", 0},
		{"LockPersonality", "yes", 0},
		{"MemoryDenyWriteExecute", "yes", 0},
		{"RemoveIPC", "yes", 0},
		{"KeyringMode", "private", 0},
		{"SystemCallArchitectures", "native", 0},
		{"SystemCallFilter", "@system-service ~@privileged @resources", filterGroupsSince},
		{"SystemCallErrorNumber", "EPERM", filterGroupsSince},
	}
}

// furtherHardening are the directives that an override may add to the sandbox.
func furtherHardening() []string {
	return []string{
		"BindPaths", "BindReadOnlyPaths", "DeviceAllow", "ExecPaths", "IOSchedulingClass", "IPAddressAllow", "IPAddressDeny", "InaccessiblePaths",
		"Nice", "NoExecPaths", "OOMScoreAdjust", "PrivateMounts", "PrivateNetwork", "PrivatePIDs", "ProcSubset", "ReadOnlyPaths", "ReadWritePaths",
		"RestrictFileSystems", "RestrictNetworkInterfaces", "SecureBits", "SocketBindAllow", "SocketBindDeny", "SupplementaryGroups",
		"TemporaryFileSystem",
	}
}

// changes are what a profile needs otherwise; an empty value leaves the directive out.
func (p Profile) changes() (map[string]string, error) {
	switch p {
	case "", Network:
		return map[string]string{}, nil
	case Machine:
		return map[string]string{
			"ProtectClock": "", // it takes adjtimex, and 17 families of node_timex
			"PrivateTmp":   "", // it hides mounts
			"ProtectHome":  "read-only",
			"ProtectProc":  "", // the processes collector counts all
			// The interfaces' addresses, neighbours and statistics come over netlink.
			"RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
			"SystemCallFilter":        "@system-service ~@privileged @resources adjtimex clock_adjtime",
		}, nil
	case Processes:
		return map[string]string{"ProtectProc": "", "PrivateUsers": ""}, nil
	}
	return nil, fmt.Errorf("profile %q: there are %s, %s and %s", p, Network, Machine, Processes)
}

// harden writes the sandbox: the profile's, then the component's overrides.
func (s *Service) harden(w *unitWriter) error {
	changes, err := s.Hardening.Profile.changes()
	if err != nil {
		return err
	}
	if len(s.Capabilities) > 0 {
		names := strings.Join(s.Capabilities, " ")
		changes["CapabilityBoundingSet"], changes["AmbientCapabilities"] = names, names
		changes["PrivateUsers"] = "" // in a user namespace they would open nothing of the host's
	}
	maps.Copy(changes, s.Hardening.Overrides)
	for _, each := range sandbox() {
		value, changed := changes[each.name]
		_, chosen := s.Hardening.Overrides[each.name]
		delete(changes, each.name)
		switch {
		case changed && value == "":
			continue
		case each.since > w.version && !chosen: // the profile's value is as young as the sandbox's
			w.older(each.name)
			continue
		case changed:
			each.value = value
		}
		w.sandbox(each)
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if !slices.Contains(furtherHardening(), name) {
			return fmt.Errorf("hardening: %s= is no directive of a sandbox", name)
		}
		if changes[name] != "" {
			w.put(name, changes[name])
		}
	}
	return nil
}

// older writes what an old version has instead.
func (w *unitWriter) older(name string) {
	switch {
	case name == "ProtectSystem":
		w.put(name, "full")
	case name == "SystemCallFilter" && w.version >= 231:
		w.put(name, "~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io")
		w.put("SystemCallErrorNumber", "EPERM")
	}
}

// sandbox writes one setting. A filter's parts that begin with ~ take away from what the parts before them allow, and
// each change of direction is a line of its own.
func (w *unitWriter) sandbox(s setting) {
	if s.name != "SystemCallFilter" {
		w.put(s.name, s.value)
		return
	}
	var line []string
	flush := func() {
		w.list(s.name, line)
		line = nil
	}
	denying := false
	for word := range strings.FieldsSeq(s.value) {
		group := strings.HasPrefix(strings.TrimPrefix(word, "~"), "@")
		if strings.HasPrefix(word, "~") || denying && !group {
			flush()
			denying = !denying
		}
		line = append(line, word)
	}
	flush()
}
