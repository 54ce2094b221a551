package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/host"
)

// lintCase is a unit and what is to be found in it, LINE ID a finding.
type lintCase struct {
	name, unit string // name of the file: a.service unless set
	version    int
	want       []string
}

func syntaxCases() map[string]lintCase {
	return map[string]lintCase{
		"bytes that are no UTF-8":         {unit: "[Service]\nUser=\xff\n", want: []string{"2 invalid-utf8"}},
		"a header without a bracket":      {unit: "[Service\nUser=a\n", want: []string{"1 section-header", "2 not-an-assignment"}},
		"a line over 1 MiB":               {unit: "[Service]\nUser=" + strings.Repeat("x", maxLine) + "\n", want: []string{"2 line-too-long"}},
		"lines that are none":             {unit: "User=a\n[Service]\nUser\n=a\n", want: []string{"1 not-an-assignment", "3 not-an-assignment", "4 not-an-assignment"}},
		"a section that is mistyped":      {unit: "[Servce]\nUser=a\n[X-Mine]\nFoo=1\n", want: []string{"1 unknown-section"}},
		"a section of another kind":       {unit: "[Socket]\nListenStream=1\n", want: []string{"1 unknown-section"}},
		"that section where it belongs":   {name: "a.socket", unit: "[Socket]\nListenStream=1\n"},
		"a drop-in of a socket":           {name: "a.socket.d/x.conf", unit: "[Socket]\nListenStream=1\n[Service]\nUser=a\n", want: []string{"3 unknown-section"}},
		"a drop-in of who knows what":     {name: "x.conf", unit: "[Socket]\nListenStream=1\n[Service]\nUser=a\n"},
		"a directive that is mistyped":    {unit: "[Service]\nExecStrat=A=1\nX-Mine=1\n", want: []string{"2 unknown-directive"}},
		"a directive that nobody knows":   {unit: "[Service]\nKubernetesPodName=1\n", want: []string{"2 unknown-directive"}},
		"a directive of systemd 300":      {unit: "[Service]\nKubernetesPodName=1\n", version: 300},
		"a limit in the wrong section":    {unit: "[Service]\nStartLimitIntervalSec=5\n[Unit]\nRestart=no\n", want: []string{"2 wrong-section", "4 wrong-section"}},
		"a directive that is too young":   {unit: "[Service]\nProtectClock=yes\n", version: 239, want: []string{"2 directive-version"}},
		"a directive that is old enough":  {unit: "[Service]\nProtectClock=yes\n", version: 245},
		"a directive that was taken away": {unit: "[Service]\nManagedOOMMemoryPressureLimitPercent=1\n", version: 257, want: []string{"2 directive-version"}},
		"a directive behind a backslash": {
			unit: "[Service]\nEnvironment=A=1 \\\nUser=a\n[Install]\nAlias=b \\\n[Unit]\n",
			want: []string{"3 swallowed-line", "6 swallowed-line"},
		},
		"arguments behind a backslash": {unit: "[Service]\nType=exec\nExecStart=/a \\\n  b=c \\\n  --user=d\n"},
		"comments behind values": {
			unit: "[Unit]\nDescription=a # b\nAfter=a.service # b\n[Service]\nUser=a # b\nRestart=no ; b\nWorkingDirectory=/a # b\nEnvironment=A=1 # b\n" +
				"EnvironmentFile=/a # b\nType=exec # b\nExecStart=/a # b\n[Install]\nWantedBy=a.target # b\n",
			want: []string{
				"3 trailing-comment", "5 trailing-comment", "6 trailing-comment", "7 trailing-comment", "8 trailing-comment", "9 trailing-comment",
				"10 trailing-comment", "11 trailing-comment", "13 trailing-comment",
			},
		},
		"marks that begin no comment": {
			unit: "[Unit]\nDocumentation=https://a/#b\n[Service]\nType=exec\nExecStart=/a '# b' \"a # b\" a#b \\# ; /c\nEnvironment=\"A= # b\" B=#1\nSyslogIdentifier=a # b\n",
			want: []string{"5 unknown-escape"},
		},
		"a comment between continued lines": {unit: "[Service]\nType=exec\nExecStart=/a \\\n# b\n c\n"},
		"quotes without end": {
			unit: "[Service]\nExecStart=/a \"b\nEnvironment=A='1\n", want: []string{"2 unbalanced-quoting", "3 unbalanced-quoting"},
		},
		"blanks behind a backslash": {
			unit: "[Service]\nType=exec\nExecStart=/a \\ \n --b=c\nExecStart=/a \\\t# b\n", want: []string{"3 broken-continuation", "4 unknown-directive", "5 broken-continuation"},
		},
		"a CRLF file": {unit: "[Service]\r\nType=exec\r\nExecStart=/a\r\n"},
	}
}

func valueCases() map[string]lintCase {
	return map[string]lintCase{
		"nobody":                {unit: "[Service]\nUser=nobody\n", want: []string{"2 user-nobody"}},
		"nobody with a comment": {unit: "[Service]\nUser=nobody # x\n", want: []string{"2 trailing-comment", "2 user-nobody"}},
		"nobody, overridden":    {unit: "[Service]\nUser=nobody\nUser=a\n"},
		"secrets in the environment": {
			unit: "[Service]\nEnvironment=DB_PASSWORD=x \"REDIS_URL=redis://u:p@h/\"\nEnvironment=DATA_SOURCE_NAME=u:p@(h:1)/\nEnvironment='DSN=host=h password=p'\n" +
				"Environment=API_TOKEN=x AWS_SECRET_ACCESS_KEY=y\n",
			want: []string{
				"2 secret-in-environment", "2 secret-in-environment", "3 secret-in-environment", "4 secret-in-environment", "5 secret-in-environment",
				"5 secret-in-environment",
			},
		},
		"no secrets": {
			unit: "[Service]\nType=exec\nEnvironment=PASSWORD_FILE=/run/secret TOKEN= PASSWORD=/etc/p SSH_ASKPASS=/bin/x TOKEN_TTL=5 URL=http://h/ PASSWORD=%d/p\n" +
				"Environment=PGPASSFILE=/a KEYBOARD=us\nExecStart=/a --password-file=/x --token ${TOKEN} --tokens=5 --pass-env=X http://h:1/@x --bypass=yes\nEnvironmentFile=/x\n",
		},
		"secrets among the arguments": {
			unit: "[Service]\nType=exec\nExecStart=/a --redis.password=x\nExecStart=/a --password x\nExecStart=/a postgresql://u:p@h/d\nExecStart=/a --dsn=u:p@tcp(h:1)/\n",
			want: []string{"3 secret-in-arguments", "4 secret-in-arguments", "5 secret-in-arguments", "6 secret-in-arguments"},
		},
		"variables with blanks": {
			unit: "[Service]\nEnvironment=ARGS=--a --b\nEnvironment=\"ARGS=--a --b\" A%i=1\n", want: []string{"2 environment-word"},
		},
		"percent signs": {
			unit: "[Service]\nType=exec\nExecStart=/a 50% a%20b +%H:%M\nExecStart=/a %i %% %H/%t\n",
			want: []string{"3 percent-unescaped", "3 percent-unescaped", "3 percent-unescaped"},
		},
		"dollar signs": {
			unit: "[Service]\nType=exec\nEnvironment=SET=1\nExecStart=/a ${SET} ${MAINPID} $${X} '${LOST}' $WORD\nExecStart=:/a ${LOST}\n",
			want: []string{"4 dollar-expansion"},
		},
		"dollar signs with a file of variables": {unit: "[Service]\nType=exec\nEnvironmentFile=-/x\nExecStart=/a ${LOST}\n"},
	}
}

func programCases() map[string]lintCase {
	const timex = "[Service]\nType=exec\nRestart=always\nExecStart=/opt/node_exporter-1.5.0/node_exporter\n"
	return map[string]lintCase{
		"a relative path": {unit: "[Service]\nType=exec\nExecStart=bin/a\n", want: []string{"3 exec-not-absolute"}},
		"a bare name":     {unit: "[Service]\nType=exec\nExecStart=a\n", version: 250},
		"a bare name on CentOS 7": {
			unit: "[Service]\nExecStart=a\n", version: 219, want: []string{"2 exec-not-absolute"},
		},
		"another component's folder": {
			unit: "[Service]\nType=exec\nRestart=always\nExecStart=/opt/node_exporter/mysqld_exporter\n", want: []string{"4 other-component-folder"},
		},
		"another component's folder above": {unit: "[Service]\nType=exec\nRestart=always\nExecStart=/opt/prometheus/node_exporter-1.5.0/node_exporter\n"},
		"words of a shell":                 {unit: "[Service]\nType=exec\nExecStart=/a > /dev/null\n", want: []string{"3 shell-syntax"}},
		"a shell":                          {unit: "[Service]\nType=exec\nExecStart=/bin/sh -c 'a > b' > x\n"},
		"daemon-reload with one ampersand": {
			unit: "[Service]\nType=exec\nExecStart=/bin/sh -c 'systemctl daemon-reload & systemctl restart a'\nExecStart=/bin/sh -c 'systemctl daemon-reload && systemctl restart a'\n",
			want: []string{"3 daemon-reload-race"},
		},
		"the type simple":                 {unit: "[Service]\nExecStart=/a\n", want: []string{"2 type-simple"}},
		"the type simple, written":        {unit: "[Service]\nType=simple\nExecStart=/a\n", want: []string{"2 type-simple"}},
		"the type simple on CentOS 7":     {unit: "[Service]\nExecStart=/a\n", version: 219},
		"a restart that never gives up":   {unit: "[Service]\nType=exec\nExecStart=/a\nRestart=always\nRestartSec=5\n", want: []string{"4 restart-forever"}},
		"a restart that gives up":         {unit: "[Unit]\nStartLimitIntervalSec=60\n[Service]\nType=exec\nExecStart=/a\nRestart=always\nRestartSec=5s\n"},
		"a clock that is protected":       {unit: timex + "ProtectClock=yes\n", want: []string{"5 protect-clock"}},
		"a clock that is not":             {unit: timex + "ProtectClock=yes\nProtectClock=no\nProtectHome=read-only\n"},
		"no netlink":                      {unit: timex + "RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=AF_UNIX\n", want: []string{"6 address-families"}},
		"netlink":                         {unit: timex + "RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=AF_NETLINK\n"},
		"netlink denied":                  {unit: timex + "RestrictAddressFamilies=~AF_PACKET AF_NETLINK\n", want: []string{"5 address-families"}},
		"folders hidden from an exporter": {unit: timex + "ProtectHome=tmpfs\nPrivateTmp=yes\nDynamicUser=yes\n", want: []string{"5 protect-home", "6 private-tmp", "7 private-tmp"}},
		"processes hidden": {
			unit: "[Service]\nType=exec\nRestart=always\nExecStart=/usr/bin/prometheus-process-exporter\nProtectProc=invisible\nPrivateUsers=yes\n",
			want: []string{"5 process-visibility", "6 process-visibility"},
		},
		"the data source of a new mysqld_exporter": {
			unit: "[Service]\nType=exec\nRestart=always\nEnvironment=DATA_SOURCE_NAME=x\nExecStart=/opt/mysqld_exporter-0.15.1/mysqld_exporter\n",
			want: []string{"4 data-source-name", "4 secret-in-environment"},
		},
		"the data source of an old one": {
			unit: "[Service]\nType=exec\nRestart=always\nEnvironment=DATA_SOURCE_NAME=x\nExecStart=/opt/mysqld_exporter/0.14.0/mysqld_exporter\n",
			want: []string{"4 secret-in-environment"},
		},
		"Prometheus 3 with consoles": {
			unit: "[Service]\nType=exec\nRestart=always\nExecStart=/opt/prometheus/3.1.0/prometheus --web.console.libraries=/x\n", want: []string{"4 consoles"},
		},
		"Prometheus 2 with consoles": {unit: "[Service]\nType=exec\nRestart=always\nExecStart=/opt/prometheus/2.45.0/prometheus --web.console.libraries=/x\n"},
		"a lifecycle API for all": {
			unit: "[Service]\nType=exec\nRestart=always\nEnvironment=\"ARGS=--web.enable-lifecycle --a\"\nExecStart=/usr/bin/prometheus $ARGS\nExecReload=/bin/kill -HUP $MAINPID\n",
			want: []string{"5 lifecycle", "6 reload-unchecked"},
		},
		"a lifecycle API on loopback": {
			unit: "[Service]\nType=exec\nRestart=always\nExecStart=/usr/bin/prometheus --web.enable-lifecycle --web.listen-address=127.0.0.1:9090\nExecStart=\n" +
				"ExecStart=/usr/bin/prometheus --web.enable-lifecycle --web.listen-address [::1]:9090\n",
		},
		"no restart": {unit: "[Service]\nType=exec\nExecStart=/usr/bin/alertmanager\n", want: []string{"3 no-restart"}},
	}
}

func TestLint(t *testing.T) {
	seen := map[string]bool{}
	for _, cases := range []map[string]lintCase{syntaxCases(), valueCases(), programCases()} {
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				if test.name == "" {
					test.name = "a.service"
				}
				compareFindings(t, seen, test.want, Lint(test.name, Parse(test.name, []byte(test.unit)), LintOptions{Version: test.version}))
			})
		}
	}
	// Those that need files are in TestLintPrograms, the exposure in test/.
	elsewhere := []string{"missing-binary", "symlink-to-archive", "link-inside-folder", "unversioned-binary", "exposure"}
	for _, r := range Rules() {
		if !seen[r.ID] && !slices.Contains(elsewhere, r.ID) {
			t.Errorf("no case finds %s", r.ID)
		}
	}
}

func compareFindings(t *testing.T, seen map[string]bool, want []string, found []Finding) {
	t.Helper()
	var got []string
	for _, f := range found {
		got, seen[f.ID] = append(got, fmt.Sprintf("%d %s", f.Line, f.ID)), true
		if f.Message == "" || f.Fix == "" || !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.ID == f.ID && r.Severity == f.Severity }) {
			t.Errorf("%+v", f)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%+v", diff, found)
	}
}

func TestLintPrograms(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"opt/node_exporter", "opt/real/node_exporter-1.5.0", "opt/prometheus", "usr/bin", "usr/local/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{
		"opt/real/node_exporter-1.5.0/node_exporter": 0o755, "opt/node_exporter-1.5.0.linux-amd64.tar.gz": 0o644, "usr/local/bin/node_exporter": 0o755,
		"usr/bin/plain": 0o644, "usr/bin/ok": 0o755,
	} {
		if err := os.WriteFile(filepath.Join(root, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"opt/node_exporter/node_exporter-1.5.0": "/opt/real/node_exporter-1.5.0", "opt/broken": "node_exporter-1.5.0.linux-amd64.tar.gz",
		"opt/current": "real/node_exporter-1.5.0",
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Root(root)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for exec, want := range map[string][]string{
		"ExecStart=/opt/broken/node_exporter":                                {"4 symlink-to-archive"},
		"ExecStart=/opt/node_exporter/node_exporter":                         {"4 link-inside-folder"},
		"ExecStart=/opt/current/node_exporter":                               nil,
		"ExecStart=/usr/local/bin/node_exporter":                             {"4 unversioned-binary"},
		"ExecStart=/usr/bin/gone":                                            {"4 missing-binary"},
		"ExecStart=-/usr/bin/gone":                                           nil,
		"ExecStart=/usr/lib/%p/gone":                                         nil,
		"ExecStart=/usr/bin/plain":                                           {"4 missing-binary"},
		"ExecStart=/usr/bin":                                                 {"4 missing-binary"},
		"ExecStart=/usr/bin/ok\nExecStartPre=/usr/bin/gone":                  {"5 missing-binary"},
		"ExecStart=/usr/bin/gone\nRootDirectory=/srv":                        nil,
		"ExecStart=/usr/bin/gone\n[Unit]\nConditionPathExists=/usr/bin/gone": nil,
		"ExecStart=/usr/bin/gone\n[Unit]\nConditionPathExists=|/nowhere":     nil,
		"ExecStart=/usr/bin/gone\n[Unit]\nConditionPathExists=!/nowhere":     {"4 missing-binary"},
		"ExecStart=/usr/bin/gone\n[Unit]\nConditionFileNotEmpty=/usr/bin/ok": {"4 missing-binary"},
	} {
		unit := "[Service]\nType=exec\nRestart=always\n" + exec + "\n"
		compareFindings(t, seen, want, Lint("a.service", Parse("a.service", []byte(unit)), LintOptions{Host: h}))
	}
}
