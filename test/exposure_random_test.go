package test

import (
	"math/rand/v2"
	"strings"
)

// randomConfinement is a service with drop-ins in which every directive that counts for the exposure may stand, several
// times, and with values that systemd does not understand or, rarely, refuses the unit for.
func randomConfinement(r *rand.Rand) exposed {
	texts := exposed{"[Service]\nExecStart=/bin/true\n"}
	for range r.IntN(3) {
		texts = append(texts, "[Service]\n")
	}
	percent := 5 + r.IntN(90) // so that there are open and closed units
	for n := range texts {
		for _, d := range confinementValues() {
			for r.IntN(100) < percent/len(texts) {
				texts[n] += d.name + "=" + d.value(r) + "\n"
			}
		}
		if r.IntN(20) == 0 {
			texts[n] += "[Unit]\nDefaultDependencies=" + oneOf(r, "no", "yes", "", "false", "bogus") + "\n"
		}
	}
	return texts
}

// randomDirective is a directive with its values; wrong are those for which systemd refuses a unit, "" when there are none.
type randomDirective struct {
	name   string
	values func(*rand.Rand) string
	wrong  string
}

func (d randomDirective) value(r *rand.Rand) string {
	switch {
	case d.wrong == "" && r.IntN(15) == 0:
		return oneOf(r, "", "", "~", "bogus", `"`, "yes", "no")
	case d.wrong != "" && r.IntN(200) == 0:
		return oneOf(r, strings.Split(d.wrong, "|")...)
	}
	return d.values(r)
}

func confinementValues() []randomDirective {
	word := func(words ...string) func(*rand.Rand) string {
		return func(r *rand.Rand) string { return oneOf(r, words...) }
	}
	list := func(words ...string) func(*rand.Rand) string {
		return func(r *rand.Rand) string {
			text := oneOf(r, "", "", "~")
			for range 1 + r.IntN(6) {
				text += oneOf(r, words...) + oneOf(r, " ", " ", "  ", "\t")
			}
			return text
		}
	}
	boolean := word("yes", "yes", "yes", "true", "on", "1", "Y", "T", "no", "off", "False", "0", "n")
	all := []randomDirective{
		{"DynamicUser", boolean, "|bogus|2"},
		{"User", word("nobody", "root", "0", "prometheus", "1000", "", "_x", "x%i", "a b", "Ä"), "a:b|a/b|0123|.|-1|65535|4294967295|99999999999"},
		{"SupplementaryGroups", few("adm", "disk", "", "4 adm"), "a:b|adm 007|a/b"},
		{"RootDirectory", word("/", "/srv/root", "", "//", "/srv/root/"), "srv/x|/srv/../x|./x"},
		{"RootImage", word("/srv/image.raw", "", "/"), "srv/x|/srv/../x|./x"},
		{"MountImages", word("/srv/i.raw:/mnt", ""), ""},
		{"ProtectHome", word("yes", "read-only", "tmpfs", "no", "true"), ""},
		{"ProtectSystem", word("yes", "full", "strict", "no", "1"), ""},
		{"PrivateTmp", word("yes", "no", "connected", "disconnected"), ""},
		{"PrivateUsers", word("yes", "no", "self", "identity"), ""},
		{"ProtectControlGroups", word("yes", "no", "private", "strict"), ""},
		{"PrivateMounts", word("yes", "no", ""), ""},
		{"UMask", word("0022", "077", "0", "7777", "027", "0007", "0033", "10000", "8", "-1", "0026"), ""},
		{"KeyringMode", word("private", "shared", "inherit", "Private"), ""},
		{"ProtectProc", word("invisible", "ptraceable", "noaccess", "default"), ""},
		{"ProcSubset", word("pid", "all"), ""},
		{"NotifyAccess", word("none", "main", "exec", "all"), ""},
		{"Delegate", word("yes", "no", "cpu memory", "", "bogus", `"`), ""},
		{"CapabilityBoundingSet", list(append(capabilities(), "21", "0x7", "99")...), ""},
		{"AmbientCapabilities", list(capabilities()...), ""},
		{"RestrictNamespaces", word("yes", "no", "~user", "user net", "~mnt pid ipc", "cgroup", "uts", "user bogus", "~time", ""), ""},
		{"RestrictAddressFamilies", list("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_BLUETOOTH", "AF_VSOCK", "af_route", "AF_LOCAL", "none", "AF_X"), ""},
		{"RestrictAddressFamilies", word("none"), ""},
		{"SystemCallArchitectures", word("native", "native x86", "x86-64", "bogus", "native native", `"native"`, `nat\ive`), ""},
		{"SystemCallFilter", list(calls()...), ""},
		{"SystemCallFilter", word("@system-service", `"@system-service"`, "~@privileged @resources", "~@privileged", "@known"), ""},
		{"IPAddressDeny", few("any", "0.0.0.0/0", "::/0", "10.0.0.0/8", "1.2.3.4/0", "localhost"), ""},
		{"IPAddressAllow", few("localhost", "127.0.0.1", "::1", "10.0.0.0/8", "127.0.0.0/4", "link-local", "multicast", "::1/64", "127.1.2.3/9", "bogus", "a.localhost"), ""},
		{"IPIngressFilterPath", word("/sys/fs/bpf/x", "", "x"), ""},
		{"IPEgressFilterPath", word("/sys/fs/bpf/x", "", "", ""), ""},
		{"DevicePolicy", word("auto", "closed", "strict"), ""},
		{"DeviceAllow", word("/dev/null rw", "char-rtc r", "block-loop", "/dev/null x", "dev/null", "", "", "/dev/../etc/x", "/dev/null", `"/dev/null" r`, "/dev/null r w"), ""},
		{"LoadCredentialEncrypted", word("a:/etc/a", ""), ""},
		{"Type", word("simple", "exec", "notify"), ""},
	}
	for _, name := range []string{
		"PrivateDevices", "PrivateNetwork", "ProtectKernelModules", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectClock", "ProtectHostname",
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC",
	} {
		all = append(all, randomDirective{name, boolean, ""})
	}
	return all
}

// few is one or two words.
func few(words ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		return strings.TrimSpace(oneOf(r, words...) + oneOf(r, "", " "+oneOf(r, words...)))
	}
}

func capabilities() []string {
	return strings.Fields(`CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE
		CAP_NET_BIND_SERVICE CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE
		CAP_SYS_PACCT cap_sys_admin CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE
		CAP_SETFCAP CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE CAP_BOGUS`)
}

func calls() []string {
	return strings.Fields(`@aio @basic-io @chown @clock @cpu-emulation @debug @default @file-system @io-event @ipc @keyring @known @memlock @module
		@mount @network-io @obsolete @pkey @privileged @process @raw-io @reboot @resources @sandbox @setuid @signal @swap @sync @system-service @timer
		@bogus mount:EPERM @clock:1 ptrace:EBOGUS swapon adjtimex clock_settime perf_event_open mount_setattr reboot:kill chown quotactl_fd bpf
		set_mempolicy_home_node _sysctl iopl read write vm86 subpage_prot`)
}
