package systemd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func nodeExporter() Service {
	return Service{
		Name: "node_exporter", Description: "Metrics of this machine, 100% of them", Documentation: []string{"https://github.com/prometheus/node_exporter"},
		After: []string{"network-online.target"}, Wants: []string{"network-online.target"},
		Exec: []string{"/opt/node_exporter/current/node_exporter", "--web.listen-address=:9100", "--collector.filesystem.mount-points-exclude=^/(dev|proc)($|/)"},
		User: "node_exporter", OpenFiles: 4096, Hardening: Hardening{Profile: Machine},
	}
}

func TestRender(t *testing.T) {
	const want = `# Written by opsctl for systemd 252; the next installation replaces it.
# Changes belong in a drop-in: systemctl edit node_exporter

[Unit]
Description=Metrics of this machine, 100%% of them
Documentation=https://github.com/prometheus/node_exporter
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300s
StartLimitBurst=5

[Service]
Type=exec
ExecStart=/opt/node_exporter/current/node_exporter \
    --web.listen-address=:9100 \
    --collector.filesystem.mount-points-exclude=^/(dev|proc)($$|/)
Restart=on-failure
RestartSec=5s
User=node_exporter
LimitNOFILE=4096
UMask=0027
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
DevicePolicy=closed
PrivateUsers=yes
PrivateIPC=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=adjtimex clock_adjtime
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
	s := nodeExporter()
	got, err := s.Render(252)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func mysqldExporter() Service {
	return Service{
		Name: "mysqld_exporter", Exec: []string{"/opt/mysqld_exporter/current/mysqld_exporter", "--config.my-cnf={credential:my.cnf}"},
		User: "mysqld_exporter", DynamicUser: true, StateDirectory: "mysqld_exporter", Memory: 1 << 30, RestartDelay: 1500 * time.Millisecond,
		Credentials: []Credential{{"my.cnf", "/etc/mysqld_exporter/my.cnf"}},
		Environment: []Variable{{"GOGC", "50"}},
	}
}

func TestRenderByVersion(t *testing.T) {
	tests := []struct {
		version     int
		has, hasNot []string
	}{
		{
			219,
			[]string{"Type=simple", "=/etc/mysqld_exporter/my.cnf\n", "\nUser=mysqld_exporter\n", "StartLimitInterval=300s", "ProtectSystem=full", "MemoryLimit=1073741824"},
			[]string{"LoadCredential", "DynamicUser", "StateDirectory", "SystemCallFilter", "AmbientCap", "ReadWritePaths", "MemoryMax", "StartLimitIntervalSec", "%d"},
		},
		{
			234,
			[]string{"SystemCallFilter=~@clock", "ProtectSystem=strict", "ReadWritePaths=/var/lib/mysqld_exporter", "StartLimitIntervalSec=300s"},
			[]string{"Type=exec", "LockPersonality", "StateDirectory", "DynamicUser"},
		},
		{239, []string{"Type=simple", "StateDirectory=mysqld_exporter", "SystemCallFilter=@system-service", "MemoryMax=1073741824"}, []string{"Type=exec", "ReadWritePaths", "ProtectHostname"}},
		{247, []string{"Type=exec", "=/etc/mysqld_exporter/my.cnf\n", "ProtectProc=invisible", "RestartSec=1.5s"}, []string{"LoadCredential", "DynamicUser", "PrivateIPC"}},
		{252, []string{"LoadCredential=my.cnf:/etc/mysqld_exporter/my.cnf\n", "--config.my-cnf=%d/my.cnf\n", "DynamicUser=yes", "Environment=GOGC=50"}, nil},
	}
	table := NewDirectives()
	for _, test := range tests {
		s := mysqldExporter()
		got, err := s.Render(test.version)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range test.has {
			if !strings.Contains(string(got), text) {
				t.Errorf("%d lacks %q:\n%s", test.version, text, got)
			}
		}
		for _, text := range test.hasNot {
			if strings.Contains(string(got), text) {
				t.Errorf("%d has %q:\n%s", test.version, text, got)
			}
		}
		for _, a := range Parse("", got).Assignments {
			if !table.Known(a.Section, a.Name, test.version) {
				t.Errorf("systemd %d does not know %s= in [%s]", test.version, a.Name, a.Section)
			}
		}
	}
}

func TestRenderSaysWhatTheHostNeeds(t *testing.T) {
	s := mysqldExporter()
	if !s.NeedsAccount(247) || s.NeedsAccount(252) || !s.CredentialFiles(247) || s.CredentialFiles(252) || !s.NeedsFolders(234) || s.NeedsFolders(235) {
		t.Error("account, secret and folders by version")
	}
	s.Hardening.Profile = Machine
	if !s.NeedsAccount(257) {
		t.Error("a dynamic user has a private /tmp, which hides mounts")
	}
}

func TestRenderHardening(t *testing.T) {
	s := nodeExporter()
	s.Capabilities = []string{"CAP_NET_RAW"}
	s.Hardening = Hardening{Overrides: map[string]string{
		"ProtectHome": "read-only", "MemoryDenyWriteExecute": "", "IPAddressAllow": "localhost", "SystemCallFilter": "@system-service ~@mount",
	}}
	got, err := s.Render(257)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"ProtectHome=read-only\n", "IPAddressAllow=localhost\n", "CapabilityBoundingSet=CAP_NET_RAW\n", "AmbientCapabilities=CAP_NET_RAW\n",
		"SystemCallFilter=@system-service\nSystemCallFilter=~@mount\n", "ProtectClock=yes\n",
	} {
		if !strings.Contains(string(got), text) {
			t.Errorf("lacks %q:\n%s", text, got)
		}
	}
	for _, text := range []string{"MemoryDeny", "PrivateUsers"} {
		if strings.Contains(string(got), text) {
			t.Errorf("has %s:\n%s", text, got)
		}
	}
	s.Hardening = Hardening{Profile: Processes}
	if got, err = s.Render(257); err != nil || strings.Contains(string(got), "ProtectProc") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestRenderRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*Service)
		want   error // nil: any
	}{
		"a newline in the description":  {func(s *Service) { s.Description = "a\nExecStartPre=/bin/evil" }, ErrUnsafe},
		"a backslash at the end":        {func(s *Service) { s.Description = `a\` }, ErrUnsafe},
		"a newline in an argument":      {func(s *Service) { s.Exec = append(s.Exec, "a\nUser=root") }, ErrUnsafe},
		"a newline in a variable":       {func(s *Service) { s.Environment = []Variable{{"A", "a\nb"}} }, ErrUnsafe},
		"a newline in an override":      {func(s *Service) { s.Hardening.Overrides = map[string]string{"ProtectHome": "yes\nUser=root"} }, ErrUnsafe},
		"a password argument":           {func(s *Service) { s.Exec = append(s.Exec, "--redis.password=hunter2") }, ErrSecret},
		"a DSN in the environment":      {func(s *Service) { s.Environment = []Variable{{"DATA_SOURCE_NAME", "u:p@(db:3306)/"}} }, ErrSecret},
		"a comment in the user":         {func(s *Service) { s.User = "prometheus # x" }, ErrUnsafe},
		"nobody":                        {func(s *Service) { s.User = "nobody" }, nil},
		"no user":                       {func(s *Service) { s.User = "" }, nil},
		"a relative program":            {func(s *Service) { s.Exec = []string{"node_exporter"} }, nil},
		"no program":                    {func(s *Service) { s.Exec = nil }, nil},
		"a unit name with a slash":      {func(s *Service) { s.Name = "../x" }, ErrUnsafe},
		"an unknown profile":            {func(s *Service) { s.Hardening.Profile = "soft" }, nil},
		"an unknown directive":          {func(s *Service) { s.Hardening.Overrides = map[string]string{"ProtectHoem": "yes"} }, nil},
		"a credential with a blank":     {func(s *Service) { s.Credentials = []Credential{{"a", "/etc/a b"}} }, ErrUnsafe},
		"a credential outside":          {func(s *Service) { s.Credentials = []Credential{{"../a", "/etc/a"}} }, ErrUnsafe},
		"a path with a blank":           {func(s *Service) { s.ReadWritePaths = []string{"/a b"} }, ErrUnsafe},
		"an override of what is needed": {func(s *Service) { s.Hardening.Overrides = map[string]string{"ExecStart": "/bin/evil"} }, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := nodeExporter()
			test.change(&s)
			got, err := s.Render(252)
			if err == nil || test.want != nil && !errors.Is(err, test.want) || got != nil {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
	s := nodeExporter()
	if _, err := s.Render(218); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "218") {
		t.Error(err)
	}
	s.Exec = append(s.Exec, strings.Repeat("x", 3000))
	if _, err := s.Render(219); !errors.Is(err, ErrUnsafe) {
		t.Error(err)
	}
	if _, err := s.Render(252); err != nil {
		t.Error(err)
	}
}

// Nothing that is written is found faulty by the linter.
func TestRenderedUnitsHaveNoFindings(t *testing.T) {
	for version := MinVersion; version <= MaxVersion; version++ {
		for _, s := range []Service{nodeExporter(), mysqldExporter()} {
			text, err := s.Render(version)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range Lint(s.Name+".service", Parse("x", text), LintOptions{Version: version}) {
				t.Errorf("systemd %d: %+v", version, f)
			}
		}
	}
}

// Groups of system calls came with 231, and @system-service with 239: an older systemd takes them for names that it does not
// know, and refuses what is not listed.
func TestOldVersionsGetNoGroupsOfSystemCalls(t *testing.T) {
	for _, profile := range []Profile{Network, Machine, Processes} {
		s := Service{Name: "x", Exec: []string{"/opt/x/x"}, User: "x", Hardening: Hardening{Profile: profile}}
		for version, never := range map[int]string{219: "SystemCallFilter=", 230: "SystemCallFilter=", 231: "@system-service", 238: "@system-service"} {
			text, err := s.Render(version)
			if err != nil || strings.Contains(string(text), never) {
				t.Errorf("%s on %d: %v\n%s", profile, version, err, text)
			}
		}
	}
}
