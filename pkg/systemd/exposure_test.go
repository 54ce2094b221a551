package systemd

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

const plainService = "[Service]\nExecStart=/bin/true\n"

const closedService = plainService + `DynamicUser=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateMounts=yes
PrivateNetwork=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=none
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
IPAddressDeny=any
UMask=0077
RootDirectory=/srv/x
`

// together parses a unit and its drop-ins.
func together(texts ...string) *Unit {
	u := &Unit{}
	for n, text := range texts {
		u.Append(Parse(strconv.Itoa(n)+".conf", []byte(text)))
	}
	return u
}

// The figures are those of systemd-analyze: of files by 252 and 257, of loaded units by 247, 252 and 257, which agree.
func TestExposure(t *testing.T) {
	tests := map[string]struct {
		unit                           []string
		offline252, offline257, loaded string
	}{
		"nothing is closed":           {[]string{plainService}, "9.6 UNSAFE", "9.4 UNSAFE", "9.6 UNSAFE"},
		"a dynamic user brings along": {[]string{plainService + "DynamicUser=yes\n"}, "8.4 EXPOSED", "8.2 EXPOSED", "8.2 EXPOSED"},
		"nobody is nearly root":       {[]string{plainService + "User=nobody\n"}, "9.5 UNSAFE", "9.3 UNSAFE", "9.5 UNSAFE"},
		"some do not count at boot":   {[]string{"[Unit]\nDefaultDependencies=no\n" + plainService}, "9.5 UNSAFE", "9.4 UNSAFE", "9.5 UNSAFE"},
		"all that can be closed is":   {[]string{closedService}, "0.1 SAFE", "0.1 SAFE", "0.1 SAFE"},
		"drop-ins add, reset and negate": {
			[]string{
				plainService + "SystemCallFilter=@system-service\nCapabilityBoundingSet=CAP_NET_RAW\n",
				"[Service]\nSystemCallFilter=\nCapabilityBoundingSet=~CAP_NET_RAW\nRestrictNamespaces=~user\n",
			}, "6.8 MEDIUM", "6.6 MEDIUM", "6.8 MEDIUM",
		},
		"a wrong account ends its drop-in": {
			[]string{plainService + "PrivateTmp=yes\n", "[Service]\nPrivateDevices=yes\nUser=a:b\nPrivateNetwork=yes\n", "[Service]\nProtectHome=yes\n"},
			"8.6 EXPOSED", "8.4 EXPOSED", "8.4 EXPOSED",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			u := together(test.unit...)
			for opts, want := range map[ExposureOptions]string{
				{252, true}: test.offline252, {257, true}: test.offline257, {247, false}: test.loaded, {252, false}: test.loaded, {257, false}: test.loaded,
			} {
				level, err := u.Exposure(opts)
				if got := level.String() + " " + level.Word(); err != nil || got != want {
					t.Errorf("%+v: %s %v, want %s", opts, got, err, want)
				}
			}
		})
	}
}

func TestExposureErrors(t *testing.T) {
	for text, opts := range map[string]ExposureOptions{
		"[Service]\nUser=a:b\n": {252, true}, "[Service]\nSupplementaryGroups=adm a/b\n": {257, false}, "[Service\n": {252, true}, "[Service]\nDynamicUser=\n": {247, false},
		"[Service]\nRootDirectory=x\n": {252, true}, "[Service]\n# \n\xff=a\n": {252, true},
	} {
		if level, err := together(text).Exposure(opts); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "0.conf:") {
			t.Errorf("%q: %s %v", text, level, err)
		}
	}
	for _, opts := range []ExposureOptions{{246, false}, {247, true}, {}} {
		if level, err := together(plainService).Exposure(opts); !errors.Is(err, ErrVersion) {
			t.Errorf("%+v: %s %v", opts, level, err)
		}
	}
}

func TestLevelWord(t *testing.T) {
	for level, want := range map[Level]string{
		0: "0.0 PERFECT", 1: "0.1 SAFE", 9: "0.9 SAFE", 10: "1.0 OK", 49: "4.9 OK", 50: "5.0 MEDIUM", 75: "7.5 EXPOSED", 90: "9.0 UNSAFE", 100: "10.0 DANGEROUS",
	} {
		if got := level.String() + " " + level.Word(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// The directives that count are known to every version with an exposure, but for those that say otherwise.
func TestExposureReadsKnownDirectives(t *testing.T) {
	table := NewDirectives()
	for line := range strings.Lines(closedService + "KeyringMode=\nDevicePolicy=\nDeviceAllow=\nIPIngressFilterPath=\nNotifyAccess=\nMountImages=\nDelegate=\n") {
		if name, _, found := strings.Cut(line, "="); found && !table.Known("Service", name, MinExposureVersion) {
			t.Errorf("%s is younger than %d", name, MinExposureVersion)
		}
	}
}

func FuzzExposure(f *testing.F) {
	f.Add(closedService, "[Service]\nSystemCallFilter=~@known mount:EPERM\nRestrictNamespaces=~user time\nIPAddressAllow=a.localhost ::1/64 1.2.3.4/0\n", 252, true)
	f.Add(plainService, "[Service]\nDelegate=\"\nUMask=08\nCapabilityBoundingSet=~ 0x7 \"CAP_\\KILL\n[Unit]\nDefaultDependencies=no\n", 247, false)
	f.Add("[Service]\nUser=a:b\n", "[Service]\nDeviceAllow=/dev/../x rw\nMountImages=-/a:/b:c\nSystemCallArchitectures=native x86\n", 257, false)
	f.Fuzz(func(t *testing.T, fragment, dropIn string, version int, offline bool) {
		level, err := together(fragment, dropIn).Exposure(ExposureOptions{version, offline})
		switch {
		case errors.Is(err, ErrVersion), errors.Is(err, ErrRefused):
		case err != nil || level < 0 || level > 100:
			t.Fatalf("%d: %v", level, err)
		}
	})
}

func BenchmarkExposure(b *testing.B) {
	u := together(closedService)
	for b.Loop() {
		if _, err := u.Exposure(ExposureOptions{Version: 252}); err != nil {
			b.Fatal(err)
		}
	}
}
