package systemd

import (
	"fmt"
	"slices"
	"strings"
)

// confinement is what of a service counts for its exposure, after all lines of its files.
type confinement struct {
	opts ExposureOptions
	// settings are the directives with one word by name, in the spelling of systemctl show: yes and no for booleans.
	settings map[string]string
	user     string
	groups   []string
	paths    map[string]string // RootDirectory and RootImage
	images   bool              // MountImages names at least one
	mask     uint64
	delegate bool
	devices  bool // DeviceAllow names at least one
	// secrets says of LoadCredential and SetCredential whether they, or the form with Encrypted, name an encrypted one.
	secrets map[string]bool

	bounding, ambient uint64 // capabilities, a bit each
	namespaces        uint64 // kinds that may be created, a bit each
	families          wordFilter
	architectures     map[string]bool
	allowed, denied   []prefix // IPAddressAllow and IPAddressDeny
	filters           map[string]bool
	calls             callFilter
}

// confine reads a unit line by line as load-fragment.c does: what it does not understand changes nothing. A line that it
// cannot stand ends a drop-in, and refuses the unit where it is in the first file.
func confine(u *Unit, opts ExposureOptions) (*confinement, error) {
	c := &confinement{
		opts: opts, settings: map[string]string{}, paths: map[string]string{}, filters: map[string]bool{}, secrets: map[string]bool{},
		mask: 0o022, bounding: allBits, namespaces: allBits,
	}
	first, ends := "", map[string]int{} // the last line of a file that counts
	if len(u.Lines) > 0 {
		first = u.Lines[0].File
	}
	for _, p := range slices.Backward(u.Problems) {
		switch p.Kind {
		case ProblemHeader, ProblemUTF8, ProblemLong:
			ends[p.File] = p.Line
		}
	}
	for _, a := range u.Assignments {
		if end, ended := ends[a.File]; ended && a.Line > end {
			continue
		}
		if !c.apply(a) {
			ends[a.File] = a.Line
		}
	}
	if line, ended := ends[first]; ended {
		return nil, fmt.Errorf("%s:%d: %w", first, line, ErrRefused)
	}
	c.imply()
	return c, nil
}

// apply takes a line; false says that systemd reads no further.
func (c *confinement) apply(a Assignment) bool {
	if a.Section == "Unit" && a.Name == "DefaultDependencies" {
		c.set(a)
	}
	if a.Section != "Service" {
		return true
	}
	switch a.Name {
	case "User":
		if a.Value != "" && !validAccount(a.Value) {
			return false
		}
		c.user = a.Value
	case "SupplementaryGroups":
		return c.setGroups(a.Value)
	case "RootDirectory", "RootImage":
		return c.setRoot(a.Name, a.Value)
	case "DynamicUser":
		c.set(a)
		_, ok := parseBool(a.Value)
		return ok
	case "MountImages":
		c.setImages(a.Value)
	case "LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted":
		c.setCredential(a)
	case "UMask":
		c.setMask(a.Value)
	case "Delegate":
		c.setDelegate(a.Value)
	default:
		c.applyList(a)
	}
	return true
}

func (c *confinement) applyList(a Assignment) {
	switch a.Name {
	case "CapabilityBoundingSet":
		setCapabilities(&c.bounding, a.Value, allBits)
	case "AmbientCapabilities":
		setCapabilities(&c.ambient, a.Value, 0)
	case "RestrictNamespaces":
		c.setNamespaces(a.Value)
	case "RestrictAddressFamilies":
		c.setFamilies(a.Value)
	case "SystemCallArchitectures":
		c.setArchitectures(a.Value)
	case "SystemCallFilter":
		c.setCalls(a.Value)
	case "IPAddressAllow":
		c.setPrefixes(&c.allowed, a.Value)
	case "IPAddressDeny":
		c.setPrefixes(&c.denied, a.Value)
	case "IPIngressFilterPath", "IPEgressFilterPath":
		c.setProgram(a.Name, a.Value)
	case "DeviceAllow":
		c.setDevice(a.Value)
	default:
		c.set(a)
	}
}

// Versions in which directives that count have changed.
const (
	// encryptedSince: LoadCredentialEncrypted= and SetCredentialEncrypted=, NEWS of 250.
	encryptedSince = 250
	// noFamilySince: RestrictAddressFamilies=none, NEWS of 249.
	noFamilySince = 249
	// mountsUnsetSince: PrivateMounts= that is not set differs from no, src/core/execute.c of 254.
	mountsUnsetSince = 254
	// kindsSince: kinds of PrivateTmp=, PrivateUsers= and ProtectControlGroups= beside yes and no, NEWS of 257.
	kindsSince = 257
	// timeKindSince: RestrictNamespaces=time is understood, src/basic/namespace-util.c of 252.
	timeKindSince = 252
	// bpfSince: CAP_BPF counts, analyze-security.c of 252.
	bpfSince = 252
	// errorsSince: system calls with an error number of their own count like others, analyze-security.c of 252.
	errorsSince = 252
	// prefixSetsSince: IPAddressAllow= and IPAddressDeny= are kept as written, src/shared/in-addr-prefix-util.c of 252.
	prefixSetsSince = 252
	// ingressSince: IPIngressFilterPath= counts; 247 overwrites it with IPEgressFilterPath=.
	ingressSince = 252
)

// word is the value of a directive that takes one, systemd's default when it is not set.
func (c *confinement) word(name string) string {
	if value, ok := c.settings[name]; ok {
		return value
	}
	switch name {
	case "KeyringMode":
		return "private"
	case "NotifyAccess":
		return "none"
	case "ProtectProc":
		return "default"
	case "ProcSubset":
		return "all"
	case "DevicePolicy":
		return "auto"
	case "DefaultDependencies":
		return "yes"
	}
	return "no"
}

func (c *confinement) is(name string) bool { return c.word(name) == "yes" }

// set takes a directive with one word.
func (c *confinement) set(a Assignment) {
	words, boolean := c.choices(a.Name)
	yes, ok := parseBool(a.Value)
	switch {
	case slices.Contains(words, a.Value):
		c.settings[a.Name] = a.Value
	case boolean && ok && yes:
		c.settings[a.Name] = "yes"
	case boolean && ok:
		c.settings[a.Name] = "no"
	case a.Name == "PrivateMounts" && a.Value == "" && c.opts.Version >= mountsUnsetSince:
		delete(c.settings, a.Name)
	}
}

// choices are the words that a directive takes, and whether it takes a boolean.
func (c *confinement) choices(name string) (words []string, boolean bool) {
	switch name {
	case "PrivateDevices", "PrivateMounts", "PrivateNetwork", "ProtectKernelModules", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectClock",
		"ProtectHostname", "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC",
		"DynamicUser", "DefaultDependencies":
		return nil, true
	case "ProtectHome":
		return []string{"read-only", "tmpfs"}, true
	case "ProtectSystem":
		return []string{"full", "strict"}, true
	case "PrivateTmp":
		return c.kinds("connected", "disconnected"), true
	case "PrivateUsers":
		return c.kinds("self", "identity"), true
	case "ProtectControlGroups":
		return c.kinds("private", "strict"), true
	case "KeyringMode":
		return []string{"inherit", "private", "shared"}, false
	case "ProtectProc":
		return []string{"noaccess", "invisible", "ptraceable", "default"}, false
	case "ProcSubset":
		return []string{"all", "pid"}, false
	case "NotifyAccess":
		return []string{"none", "main", "exec", "all"}, false
	case "DevicePolicy":
		return []string{"auto", "closed", "strict"}, false
	}
	return nil, false
}

func (c *confinement) kinds(words ...string) []string {
	if c.opts.Version < kindsSince {
		return nil
	}
	return words
}

// parseBool reads what parse_boolean (src/basic/parse-util.c) does.
func parseBool(value string) (yes, ok bool) {
	if truth(value) {
		return true, true
	}
	switch strings.ToLower(value) {
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

// imply adds what directives bring along: unit_patch_contexts in src/core/unit.c.
func (c *confinement) imply() {
	if c.is("PrivateDevices") {
		c.bounding &^= capabilitySet("CAP_MKNOD", "CAP_SYS_RAWIO")
		if c.word("DevicePolicy") == "auto" {
			c.settings["DevicePolicy"] = "closed"
		}
	}
	if c.is("ProtectKernelModules") {
		c.bounding &^= capabilitySet("CAP_SYS_MODULE")
	}
	if c.is("ProtectKernelLogs") {
		c.bounding &^= capabilitySet("CAP_SYSLOG")
	}
	if c.is("ProtectClock") {
		c.bounding &^= capabilitySet("CAP_SYS_TIME", "CAP_WAKE_ALARM")
	}
	if c.is("DynamicUser") {
		for _, name := range []string{"PrivateTmp", "RemoveIPC", "NoNewPrivileges", "RestrictSUIDSGID"} {
			c.settings[name] = "yes"
		}
		c.settings["ProtectSystem"] = "strict"
		if c.word("ProtectHome") == "no" {
			c.settings["ProtectHome"] = "read-only"
		}
	}
	// Devices that these need are added to a list that would shut them out; without a policy the list does not count.
	if c.images || c.paths["RootImage"] != "" || c.is("ProtectClock") || c.secrets["LoadCredential"] || c.secrets["SetCredential"] {
		c.devices = true
	}
}
