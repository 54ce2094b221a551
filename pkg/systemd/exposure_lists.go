package systemd

import (
	"slices"
	"strconv"
	"strings"
)

// allBits is a set that was not restricted.
const allBits = ^uint64(0)

// capabilityNames are those of linux/capability.h by number.
func capabilityNames() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
		"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
		"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
		"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
		"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
		"CAP_CHECKPOINT_RESTORE",
	}
}

// capabilitySet has a bit for each name or number; what is neither counts for nothing.
func capabilitySet(words ...string) uint64 {
	names, set := capabilityNames(), uint64(0)
	for _, word := range words {
		n, err := strconv.ParseInt(word, 0, 8) // safe_atoi takes 0x7, too
		if err != nil {
			n = int64(slices.Index(names, strings.ToUpper(word)))
		}
		if n >= 0 && n < 64 {
			set |= 1 << n
		}
	}
	return set
}

// setCapabilities adds to a set, or takes away from it behind ~; initial says that nothing was set before.
func setCapabilities(set *uint64, value string, initial uint64) {
	value, invert := strings.CutPrefix(value, "~")
	words, _ := plainWords(value, true)
	named := capabilitySet(words...)
	switch fresh := named == 0 || *set == initial; {
	case fresh && invert:
		*set = ^named
	case fresh:
		*set = named
	case invert:
		*set &^= named
	default:
		*set |= named
	}
}

func (c *confinement) assessCapabilities() []assessment {
	var all []assessment
	for _, each := range []struct {
		weight int
		names  string
	}{
		{1500, "CAP_SYS_ADMIN"},
		{1500, "CAP_SETUID CAP_SETGID CAP_SETPCAP"},
		{1500, "CAP_SYS_PTRACE"},
		{1000, "CAP_SYS_TIME"},
		{1000, "CAP_NET_ADMIN"},
		{1000, "CAP_SYS_RAWIO"},
		{1000, "CAP_SYS_MODULE"},
		{500, "CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE"},
		{500, "CAP_SYSLOG"},
		{500, "CAP_SYS_NICE CAP_SYS_RESOURCE"},
		{500, "CAP_MKNOD"},
		{1000, "CAP_CHOWN CAP_FSETID CAP_SETFCAP"},
		{1000, "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_IPC_OWNER"},
		{500, "CAP_KILL"},
		{500, "CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW"},
		{100, "CAP_SYS_BOOT"},
		{100, "CAP_MAC_ADMIN CAP_MAC_OVERRIDE"},
		{75, "CAP_LINUX_IMMUTABLE"},
		{50, "CAP_IPC_LOCK"},
		{50, "CAP_SYS_CHROOT"},
		{25, "CAP_BLOCK_SUSPEND"},
		{25, "CAP_WAKE_ALARM"},
		{25, "CAP_LEASE"},
		{25, "CAP_SYS_TTY_CONFIG"},
		{25, "CAP_SYS_PACCT"},
	} {
		all = append(all, yesNo(each.weight, c.bounding&capabilitySet(strings.Fields(each.names)...) != 0))
	}
	if c.opts.Version >= bpfSince {
		all = append(all, yesNo(25, c.bounding&capabilitySet("CAP_BPF") != 0))
	}
	return all
}

// namespaceKinds are the words of RestrictNamespaces= in systemd.exec(5), and everyNamespace stands for them.
func namespaceKinds() []string { return []string{"user", "mnt", "ipc", "pid", "cgroup", "net", "uts"} }

const everyNamespace = 1<<7 - 1

func (c *confinement) setNamespaces(value string) {
	switch yes, ok := parseBool(value); {
	case value == "":
		c.namespaces = allBits
		return
	case ok && yes:
		c.namespaces = 0
		return
	case ok:
		c.namespaces = everyNamespace
		return
	}
	value, invert := strings.CutPrefix(value, "~")
	words, ok := plainWords(value, false)
	named := uint64(0)
	for _, word := range words {
		n := slices.Index(namespaceKinds(), word)
		if n < 0 && (word != "time" || c.opts.Version < timeKindSince) {
			return // one word spoils the line
		}
		if n >= 0 { // "time" is understood and counts for nothing
			named |= 1 << n
		}
	}
	switch {
	case !ok:
	case c.namespaces == allBits && invert:
		c.namespaces = everyNamespace &^ named
	case c.namespaces == allBits:
		c.namespaces = named
	case invert:
		c.namespaces &^= named
	default:
		c.namespaces |= named
	}
}

func (c *confinement) assessNamespaces() []assessment {
	var all []assessment
	for n, weight := range []int{1500, 500, 500, 500, 500, 500, 100} {
		all = append(all, yesNo(weight, c.namespaces&(1<<n) != 0))
	}
	return all
}

// wordFilter is a list of what is allowed or, without allow, of what is denied.
type wordFilter struct {
	set   bool // the first line says which of both
	allow bool
	words map[string]bool
}

// setFamilies takes a line of RestrictAddressFamilies=.
func (c *confinement) setFamilies(value string) {
	switch {
	case value == "":
		c.families = wordFilter{}
		return
	case value == "none" && c.opts.Version >= noFamilySince:
		c.families = wordFilter{allow: true}
		return
	}
	value, invert := strings.CutPrefix(value, "~")
	if !c.families.set {
		c.families = wordFilter{set: true, allow: !invert, words: map[string]bool{}}
	}
	words, _ := plainWords(value, true)
	for _, word := range words {
		family := familyOf(word)
		switch {
		case family == "":
		case invert != c.families.allow:
			c.families.words[family] = true
		default:
			delete(c.families.words, family)
		}
	}
}

// familyOf is a family under one of its names, "" for what linux/socket.h does not have.
func familyOf(word string) string {
	word = strings.ToUpper(word)
	switch word {
	case "AF_LOCAL", "AF_FILE":
		return "AF_UNIX"
	case "AF_ROUTE":
		return "AF_NETLINK"
	case "AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET",
		"AF_ALG", "AF_APPLETALK", "AF_ASH", "AF_ATMPVC", "AF_ATMSVC", "AF_AX25", "AF_BLUETOOTH", "AF_BRIDGE", "AF_CAIF", "AF_CAN", "AF_DECNET",
		"AF_ECONET", "AF_IB", "AF_IEEE802154", "AF_IPX", "AF_IRDA", "AF_ISDN", "AF_IUCV", "AF_KCM", "AF_KEY", "AF_LLC", "AF_MCTP", "AF_MPLS",
		"AF_NETBEUI", "AF_NETROM", "AF_NFC", "AF_PHONET", "AF_PPPOX", "AF_QIPCRTR", "AF_RDS", "AF_ROSE", "AF_RXRPC", "AF_SECURITY", "AF_SMC",
		"AF_SNA", "AF_TIPC", "AF_VSOCK", "AF_WANPIPE", "AF_X25", "AF_XDP":
		return word
	}
	return ""
}

func (c *confinement) assessFamilies() []assessment {
	listed := map[string]bool{}
	for family := range c.families.words {
		switch family {
		case "AF_INET6":
			family = "AF_INET"
		case "AF_INET", "AF_UNIX", "AF_NETLINK", "AF_PACKET":
		default:
			family = "other"
		}
		listed[family] = true
	}
	open := func(family string) bool { return listed[family] == c.families.allow }
	return []assessment{
		yesNo(1500, open("AF_INET")), yesNo(25, open("AF_UNIX")), yesNo(200, open("AF_NETLINK")), yesNo(1000, open("AF_PACKET")), yesNo(1250, open("other")),
	}
}
