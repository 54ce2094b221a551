package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// notebook makes the host that the usual recipes lead to: releases in /opt with links to them, units in /usr/lib with
// comments behind values, nobody's account, a password in the environment, one program in another's folder.
const notebook = `set -e
debian=$1
mkdir -p /opt/prometheus-2.42.0.linux-amd64/data /opt/node_exporter
cp $debian/usr/bin/prometheus $debian/usr/bin/promtool /opt/prometheus-2.42.0.linux-amd64/
cat >/opt/prometheus-2.42.0.linux-amd64/prometheus.yml <<'EOF'
# mine
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: prometheus   # itself
    static_configs: [{targets: ['localhost:9090']}]
EOF
ln -snf /opt/prometheus-2.42.0.linux-amd64 /opt/prometheus
cp $debian/usr/bin/prometheus-node-exporter /opt/node_exporter/node_exporter
cp $debian/usr/bin/prometheus-mysqld-exporter /opt/node_exporter/mysqld_exporter
chown -R nobody /opt/prometheus-2.42.0.linux-amd64/data
cat >/usr/lib/systemd/system/prometheus.service <<'EOF'
[Unit]
Description=Prometheus

[Service]
User=nobody
Type=simple
WorkingDirectory=/opt/prometheus
ExecStart=/opt/prometheus/prometheus --config.file=/opt/prometheus/prometheus.yml --storage.tsdb.path=/opt/prometheus/data --storage.tsdb.retention.time=90d --web.enable-lifecycle
Restart=on-failure # keep it up

[Install]
WantedBy=multi-user.target
EOF
cat >/usr/lib/systemd/system/node_exporter.service <<'EOF'
[Service]
User=nobody
Type=simple
ExecStart=/opt/node_exporter/node_exporter --web.listen-address 127.0.0.1:9100 --no-collector.wifi
Restart=always # keep it up
LimitNOFILE=65536 # plenty

[Install]
WantedBy=multi-user.target
EOF
cat >/usr/lib/systemd/system/mysqld_exporter.service <<'EOF'
[Service]
User=nobody # an account without rights
Environment=DATA_SOURCE_NAME=exporter:s3c#ret@(localhost:3306)/
ExecStart=/opt/node_exporter/mysqld_exporter
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
EOF
systemctl daemon-reload
systemctl enable --now prometheus node_exporter mysqld_exporter || :
`

// query asks the Prometheus in the machine for up at a time: values by job.
func (r *installRig) query(t *testing.T, at time.Time) map[string]string {
	t.Helper()
	out := r.ask(t, "curl", "-sfG", "--retry", "30", "--retry-max-time", "30", "--retry-connrefused", "http://127.0.0.1:9090/api/v1/query", "--data-urlencode", "query=up", "--data-urlencode", fmt.Sprintf("time=%.3f", float64(at.UnixMilli())/1000))
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	values := map[string]string{}
	for _, each := range answer.Data.Result {
		values[each.Metric["job"]] = fmt.Sprint(each.Value[1])
	}
	return values
}

// until asks again and again until a question is answered with yes, for a minute at most.
func (r *installRig) until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if yes() {
			return
		}
		r.ask(t, "sh", "-c", "read -t 0.1 x </dev/zero || :") // a short pause in the machine
	}
	t.Fatalf("not within a minute: %s", what)
}

// host is all that an adoption may touch.
func (r *installRig) host(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, top := range []string{"/opt", "/etc/prometheus", "/etc/node_exporter", "/etc/mysqld_exporter", "/etc/systemd/system", "/etc/passwd"} {
		for line := range strings.Lines(r.below(t, top)) {
			if !strings.Contains(line, "/opt/prometheus-2.42.0.linux-amd64/data/") { // it goes on being written
				out.WriteString(line)
			}
		}
	}
	out.WriteString(r.ask(t, "sh", "-c", "find /opt -printf '%p %u %g %m\n' | grep -v /data/ | sort; find /opt/prometheus-2.42.0.linux-amd64/data -printf '%u\n' | sort -u"))
	out.WriteString(r.ask(t, "sh", "-c", "for u in prometheus node_exporter mysqld_exporter; do systemctl show -p FragmentPath,UnitFileState,User $u; done; systemctl is-active prometheus node_exporter || :"))
	return out.String()
}

func TestTheNotebooksHostIsAdopted(t *testing.T) {
	r := newInstallRig(t)
	r.ask(t, "sh", "-c", notebook, "notebook", r.debian)
	r.until(t, "samples are recorded", func() bool { return r.query(t, time.Now())["prometheus"] == "1" })
	recorded := time.Now()
	before := r.host(t)

	// A release that does not work is not taken over to: what ran goes on.
	broken := filepath.Join(t.TempDir(), "prometheus")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := r.Run(t.Context(), r.program, append(r.pack(t, "prometheus", "9.9.9", broken), "--adopt", "--wait", "3s")...); err == nil {
		t.Errorf("a broken release took over: %s", out)
	}
	if diff := cmp.Diff(strings.Split(before, "\n"), strings.Split(r.host(t), "\n")); diff != "" {
		t.Errorf("it is not as it was:\n%s", diff)
	}
	if values := r.query(t, recorded); values["prometheus"] != "1" {
		t.Errorf("what was recorded is gone: %v", values)
	}

	for _, name := range []string{"prometheus", "node_exporter", "mysqld_exporter"} {
		version := map[string]string{"prometheus": "2.42.0", "node_exporter": "1.5.0", "mysqld_exporter": "0.14.0"}[name]
		args := r.pack(t, name, version, "")
		cmd := r.Command(t.Context(), r.program, args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 6 || !strings.Contains(string(out), "/lib/systemd/system/"+name+".service") || !strings.Contains(string(out), "--adopt") {
			t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), out)
		}
		shown := r.opsctl(t, append(withoutYes(args), "--adopt", "--dry-run")...)
		if after := r.host(t); name == "prometheus" && after != before {
			t.Errorf("looking changed it: was\n%s\nis\n%s", before, after)
		}
		if strings.Contains(shown, "s3c#ret") {
			t.Errorf("the plan shows the password:\n%s", shown)
		}
		r.opsctl(t, append(args, "--adopt")...)
	}
	r.adopted(t, recorded)

	// Back, one by one.
	for range 3 {
		r.opsctl(t, "service", "undo", "--yes", "--settle", "300ms")
	}
	r.until(t, "the former Prometheus answers", func() bool {
		_, err := r.Run(t.Context(), "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9090/-/ready")
		return err == nil
	})
	if diff := cmp.Diff(strings.Split(before, "\n"), strings.Split(r.host(t), "\n")); diff != "" {
		t.Errorf("it is not as it was:\n%s", diff)
	}
	if values := r.query(t, recorded); values["prometheus"] != "1" {
		t.Errorf("what was recorded is gone: %v", values)
	}
}

// adopted looks at the host that was taken over.
func (r *installRig) adopted(t *testing.T, recorded time.Time) {
	t.Helper()
	if values := r.query(t, recorded); values["prometheus"] != "1" {
		t.Errorf("what was recorded before is not found: %v", values)
	}
	r.until(t, "it goes on recording", func() bool { return r.query(t, time.Now())["prometheus"] == "1" })
	status := r.ask(t, "curl", "-sf", "http://127.0.0.1:9090/api/v1/status/flags")
	for _, flag := range []string{`"storage.tsdb.retention.time":"90d"`, `"web.enable-lifecycle":"true"`, `"storage.tsdb.path":"/opt/prometheus-2.42.0.linux-amd64/data"`, `"config.file":"/opt/prometheus-2.42.0.linux-amd64/prometheus.yml"`} {
		if !strings.Contains(strings.ReplaceAll(status, " ", ""), flag) {
			t.Errorf("%s is not in %s", flag, status)
		}
	}
	config, err := os.ReadFile(r.Path("/opt/prometheus-2.42.0.linux-amd64/prometheus.yml"))
	if err != nil || !strings.HasPrefix(string(config), "# mine\nglobal: {scrape_interval: 1s}\n") || !strings.Contains(string(config), "job_name: node_exporter") {
		t.Errorf("%v: %s", err, config)
	}
	r.until(t, "the node_exporter is scraped", func() bool { return r.query(t, time.Now())["node_exporter"] == "1" })
	if line := r.ask(t, "sh", "-c", "tr '\\0' ' ' </proc/$(systemctl show -P MainPID node_exporter)/cmdline"); !strings.Contains(line, "/opt/node_exporter/current/node_exporter --web.listen-address=127.0.0.1:9100 --no-collector.wifi") {
		t.Error(line)
	}
	if cnf, err := os.ReadFile(r.Path("/etc/mysqld_exporter/secrets/my.cnf")); err != nil || string(cnf) != "[client]\nuser=exporter\npassword=\"s3c#ret\"\nhost=localhost\nport=3306\n" {
		t.Errorf("%v: %s", err, cnf)
	}
	for _, name := range []string{"prometheus", "node_exporter", "mysqld_exporter"} {
		shown := r.ask(t, "systemctl", "show", "-p", "User,ActiveState,FragmentPath,Environment", name)
		if strings.Contains(shown, "User=nobody") || strings.Contains(shown, "s3c") || !strings.Contains(shown, "ActiveState=active") || !strings.Contains(shown, "FragmentPath=/etc/systemd/system/") {
			t.Error(shown)
		}
		if again := r.opsctl(t, "install", name, "--dry-run"); !strings.Contains(again, "nothing to do") {
			t.Error(again)
		}
	}
}

func withoutYes(args []string) []string {
	var out []string
	for _, a := range args {
		if a != "--yes" {
			out = append(out, a)
		}
	}
	return out
}

// Debian's own package is adopted too: its service stops, its account and its data stay.
func TestADebianPackageIsAdopted(t *testing.T) {
	r := newInstallRig(t)
	unit, err := os.ReadFile(filepath.Join(r.debian, "usr/lib/systemd/system/prometheus.service"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.Path("/usr/lib/systemd/system/prometheus.service"), unit, 0o644); err != nil {
		t.Fatal(err)
	}
	r.ask(t, "sh", "-c", `set -e
useradd --system --home-dir /var/lib/prometheus --no-create-home --shell /usr/sbin/nologin prometheus
cp `+r.debian+`/usr/bin/prometheus /usr/bin/
mkdir -p /etc/prometheus /etc/default /var/lib/prometheus/metrics2 /var/lib/dpkg/info
chown -R prometheus:prometheus /var/lib/prometheus
printf 'scrape_configs:\n  - job_name: prometheus\n    scrape_interval: 1s\n    static_configs:\n      - targets: ["localhost:9090"]\n' >/etc/prometheus/prometheus.yml
printf 'ARGS="--log.level=warn"\n' >/etc/default/prometheus
printf '/.\n/lib/systemd/system/prometheus.service\n/usr/bin/prometheus\n' >/var/lib/dpkg/info/prometheus.list
systemctl daemon-reload
systemctl enable --now prometheus`)
	r.until(t, "samples are recorded", func() bool { return r.query(t, time.Now())["prometheus"] == "1" })
	recorded := time.Now()
	args := r.pack(t, "prometheus", "2.42.0", "")
	out, err := r.Command(t.Context(), r.program, args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it belongs to the Debian package prometheus") {
		t.Errorf("%s", out)
	}
	r.opsctl(t, append(args, "--adopt")...)
	if values := r.query(t, recorded); values["prometheus"] != "1" {
		t.Errorf("what was recorded before is not found: %v", values)
	}
	line := r.ask(t, "sh", "-c", "p=$(systemctl show -P MainPID prometheus); ps -o user= -p $p; tr '\\0' ' ' </proc/$p/cmdline")
	for _, part := range []string{"prometheus\n", "/opt/prometheus/current/prometheus", "--storage.tsdb.path=/var/lib/prometheus/metrics2/", "--log.level=warn"} {
		if !strings.Contains(line, strings.TrimSuffix(part, "/")) {
			t.Errorf("%q is not in %s", part, line)
		}
	}
	r.opsctl(t, "service", "undo", "--yes", "--settle", "300ms")
	if line := r.ask(t, "sh", "-c", "tr '\\0' ' ' </proc/$(systemctl show -P MainPID prometheus)/cmdline"); !strings.HasPrefix(line, "/usr/bin/prometheus ") {
		t.Error(line)
	}
}
