package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/severity"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// eachSystemd runs a test beside the programs of 252, and under OPSCTL_TORTURE of 247 and 257.
func eachSystemd(t *testing.T, f func(*testing.T, *testpeers.Box, int)) {
	t.Helper()
	for version, recipe := range map[int]testpeers.Recipe{247: testpeers.BullseyeAnalyze(), 252: testpeers.Bookworm(), 257: testpeers.Trixie()} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			if version != 252 && numberOfCases(0, 1, 1) == 0 {
				t.Skip("judged under OPSCTL_TORTURE")
			}
			f(t, testpeers.Require(t, recipe), version)
		})
	}
}

func TestDirectiveTableMatchesSystemd(t *testing.T) {
	eachSystemd(t, func(t *testing.T, box *testpeers.Box, version int) {
		t.Helper()
		out, err := box.Run(t.Context(), "/usr/lib/systemd/systemd", "--dump-configuration-items")
		if err != nil {
			t.Fatal(err)
		}
		table, known, section := systemd.NewDirectives(), map[string]bool{}, ""
		for line := range strings.Lines(string(out)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "[") {
				section = strings.Trim(line, "[]")
				continue
			}
			name, _, ok := strings.Cut(line, "=")
			if known[section+"."+name] = ok; ok && !table.Known(section, name, version) {
				t.Errorf("[%s] %s= is not in the table", section, name)
			}
		}
		if len(known) < 1000 {
			t.Fatalf("systemd lists %d directives", len(known))
		}
		for _, name := range table.Names() {
			for _, section := range table.Sections(name) {
				if table.Known(section, name, version) && !known[section+"."+name] {
					t.Errorf("systemd has no [%s] %s=", section, name)
				}
			}
		}
	})
}

// shapes are services as the components have them, with the exposure in tenths that each must not exceed.
func shapes() map[int][]systemd.Service {
	network := func(name string, args ...string) systemd.Service {
		return systemd.Service{
			Name: name, Description: "100% of " + name, Documentation: []string{"https://github.com/prometheus/" + name},
			After: []string{"network-online.target"}, Wants: []string{"network-online.target"},
			Exec: append([]string{"/srv/opt/" + name}, args...), User: name, DynamicUser: true, StateDirectory: name, ConfigurationDirectory: name,
			OpenFiles: 65536, Memory: 1 << 30, Environment: []systemd.Variable{{Name: "GOGC", Value: `"50"% $x`}},
		}
	}
	mysqld := network("mysqld_exporter", "--config.my-cnf={credential:my.cnf}")
	mysqld.Credentials = []systemd.Credential{{Name: "my.cnf", File: "/etc/mysqld_exporter/my.cnf"}}
	node := network("node_exporter", "--collector.filesystem.mount-points-exclude=^/(dev|proc)($|/)")
	node.Hardening.Profile = systemd.Machine
	process := network("process-exporter", "-procnames={{.Comm}} '100%'")
	process.Hardening.Profile, process.Capabilities = systemd.Processes, []string{"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}
	blackbox := network("blackbox_exporter")
	blackbox.Capabilities = []string{"CAP_NET_RAW"}
	prometheus := network("prometheus", "--storage.tsdb.path=/var/lib/prometheus")
	prometheus.ReloadSignal = "HUP"
	return map[int][]systemd.Service{
		13: {prometheus, mysqld, network("pushgateway"), network("alertmanager", "--x=\"a b\" ; c")},
		16: {blackbox},
		21: {node, process},
	}
}

func TestUnitsAreVerifiedAndClosed(t *testing.T) {
	eachSystemd(t, func(t *testing.T, box *testpeers.Box, version int) {
		t.Helper()
		all := shapes()
		for _, tenths := range slices.Sorted(maps.Keys(all)) {
			for _, s := range all[tenths] {
				judgeUnit(t, box, &s, version, tenths)
			}
		}
	})
}

func judgeUnit(t *testing.T, box *testpeers.Box, s *systemd.Service, version, tenths int) {
	t.Helper()
	text, err := s.Render(version)
	if err != nil {
		t.Fatal(err)
	}
	file := "/srv/" + s.Name + ".service"
	writeBox(t, box, s.Exec[0], "#!/bin/sh\n")
	writeBox(t, box, "/srv/opt/kill", "#!/bin/sh\n") // the trees have none
	writeBox(t, box, file, strings.Replace(string(text), "=/bin/kill ", "=/srv/opt/kill ", 1))
	var complaints strings.Builder
	verify := box.Command(t.Context(), "systemd-analyze", "verify", file)
	verify.Stderr = &complaints
	err = verify.Run()
	// 247 speaks of its own cgroup first.
	said := regexp.MustCompile(`(?m)^.*Couldn't move remaining userspace processes.*\n`).ReplaceAllString(complaints.String(), "")
	if err != nil || said != "" {
		t.Errorf("systemd-analyze verify: %v: %s\n%s", err, said, text)
	}
	if version < 250 {
		return // security knows no --offline
	}
	out, err := box.Run(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+strconv.Itoa(tenths), file)
	level := regexp.MustCompile(`Overall exposure level .*`).FindString(string(out))
	t.Logf("systemd %d: %s", version, level)
	if err != nil {
		t.Errorf("%s is over %d tenths: %s: %v", s.Name, tenths, level, err)
	}
}

func writeBox(t *testing.T, box *testpeers.Box, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(box.Path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(box.Path(name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(box.Path(name), map[bool]os.FileMode{true: 0o644, false: 0o755}[strings.HasSuffix(name, ".service")]); err != nil {
		t.Fatal(err)
	}
}

// TestDebianUnitsHaveNoFindings lints the units of Debian's own packages where their programs are.
func TestDebianUnitsHaveNoFindings(t *testing.T) {
	for suite, version := range map[string]int{"bookworm": 252, "trixie": 257} {
		t.Run(suite, func(t *testing.T) {
			if suite != "bookworm" && numberOfCases(0, 1, 1) == 0 {
				t.Skip("judged under OPSCTL_TORTURE")
			}
			dir := testpeers.RequireUnits(t, suite)
			h, err := host.Root(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := systemd.HostVersion(h); got != version {
				t.Errorf("systemd %d, want %d", got, version)
			}
			report, err := systemd.LintFiles(t.Context(), []string{filepath.Join(dir, "usr/lib/systemd/system")},
				systemd.FilesOptions{LintOptions: systemd.LintOptions{Host: h, Version: version}})
			if err != nil || len(report.Files) < 200 {
				t.Fatalf("%d files: %v", len(report.Files), err)
			}
			info := 0
			for _, f := range report.Items {
				if f.Severity == severity.Info {
					info++
					continue
				}
				t.Errorf("%s:%d: %s %s: %s", filepath.Base(f.File), f.Line, f.Severity, f.ID, f.Message)
			}
			t.Logf("%d files, %d findings of severity info", len(report.Files), info)
		})
	}
}

// TestSystemdSplitsCommandsAsWritten starts commands with random arguments under a booted systemd and compares what they
// received.
func TestSystemdSplitsCommandsAsWritten(t *testing.T) {
	m := testpeers.RequireMachine(t, testpeers.BookwormMachine())
	random := randomFrom(seed(t))
	unit, want := "[Service]\nType=oneshot\nStandardOutput=append:/run/argv\nEnvironment=A=wrong\n", ""
	for range numberOfCases(100, 300, 1000) {
		argv := []string{"/usr/bin/printf", `%s\0`}
		for range 1 + random.IntN(4) {
			argv = append(argv, randomArgument(random))
		}
		value, err := systemd.QuoteExec(argv)
		if err != nil {
			t.Fatal(err)
		}
		unit += "ExecStart=" + value + "\n"
		want += strings.Join(argv[2:], "\x00") + "\x00"
	}
	if err := os.WriteFile(m.Path("/etc/systemd/system/argv.service"), []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), "systemctl", "daemon-reload"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), "systemctl", "start", "argv"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(m.Path("/run/argv"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\x00"), strings.Split(string(got), "\x00")); diff != "" {
		t.Error(diff)
	}
}

// TestParseAgreesWithSystemd compares line numbers, names and sections of random units with what systemd-analyze verify
// says of names that it does not know.
func TestParseAgreesWithSystemd(t *testing.T) {
	box := testpeers.Require(t, testpeers.Bookworm())
	random := randomFrom(seed(t))
	said := regexp.MustCompile(`(?m)^/srv/p(\d+)\.service:(\d+): Unknown key(?: name)? '(.*)' in section '?\[?(\w+)\]?'?, ignoring\.$`)
	want, units := map[string][]string{}, map[string]string{}
	args := []string{"verify", "--man=no"}
	for n := range numberOfCases(60, 100, 400) {
		text := randomUnit(random)
		name := fmt.Sprint(n)
		units[name] = text
		writeBox(t, box, "/srv/p"+name+".service", text)
		args = append(args, "/srv/p"+name+".service")
		for _, a := range systemd.Parse("", []byte(text)).Assignments {
			if a.Name != "ExecStart" && !strings.HasPrefix(a.Section, "X-") {
				want[name] = append(want[name], fmt.Sprintf("%d %s", a.Last, a.Name))
			}
		}
	}
	cmd := box.Command(t.Context(), "systemd-analyze", args...)
	out, _ := cmd.CombinedOutput() // it fails for units without a command
	got := map[string][]string{}
	for _, m := range said.FindAllStringSubmatch(string(out), -1) {
		got[m[1]] = append(got[m[1]], m[2]+" "+m[3])
	}
	if len(got) < len(units)/2 {
		t.Fatalf("systemd complained of %d units:\n%s", len(got), out)
	}
	for name, text := range units {
		if diff := cmp.Diff(want[name], got[name]); diff != "" {
			t.Errorf("%q\n%s", text, diff)
		}
	}
}
