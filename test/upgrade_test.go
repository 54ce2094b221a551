package test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// prometheus is Debian's 2.42.0 with its tools, and with another version in its place: the same program, which says otherwise.
func (r *installRig) prometheus(t *testing.T, version string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.debian, "usr/bin/prometheus"))
	if err != nil {
		t.Fatal(err)
	}
	const is = "2.42.0+ds"
	says := version + is[len("2.42.0"):]
	says = says[:len(is)]
	if version != "2.42.0" && !bytes.Contains(data, []byte(is)) {
		t.Fatalf("the program does not hold its version %s", is)
	}
	program := filepath.Join(t.TempDir(), "prometheus")
	if err := os.WriteFile(program, bytes.ReplaceAll(data, []byte(is), []byte(says)), 0o755); err != nil {
		t.Fatal(err)
	}
	return r.packWith(t, "prometheus", version, map[string]string{"prometheus": program, "promtool": filepath.Join(r.debian, "usr/bin/promtool")})
}

// fails runs opsctl, which must fail with that code, and returns what it says.
func (r *installRig) fails(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := r.Command(t.Context(), r.program, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%q: exit %d, not %d: %v\n%s", args, cmd.ProcessState.ExitCode(), code, err, out)
	}
	return string(out)
}

// An edited configuration is judged, read and confirmed, over HTTP and by signal; a broken one stops before anything does.
func TestConfigurationsAreJudgedAndReloaded(t *testing.T) {
	for name, listen := range map[string]string{"over HTTP": "127.0.0.1:9090", "by signal": ":9090"} {
		t.Run(name, func(t *testing.T) {
			r := newInstallRig(t)
			r.opsctl(t, append(r.prometheus(t, "2.42.0"), "--listen", listen)...)
			const config = "/etc/prometheus/prometheus.yml"
			run := r.service(t, "prometheus")
			good, err := os.ReadFile(r.Path(config))
			if err != nil {
				t.Fatal(err)
			}
			edit := func(text string) {
				t.Helper()
				if err := os.WriteFile(r.Path(config), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			// What is edited and not yet read is seen; a touch is not an edit.
			edit(string(good))
			if list := r.opsctl(t, "service", "ls", "-o", "json"); !strings.Contains(list, `"pending": 0`) {
				t.Error(list)
			}
			edit(string(good) + "# more\n")
			if status := r.fails(t, 3, "service", "status", "prometheus"); !strings.Contains(status, "reload prometheus.service") {
				t.Error(status)
			}
			r.opsctl(t, "service", "reload", "prometheus", "--yes", "--settle", "100ms")
			if status := r.opsctl(t, "service", "status", "prometheus", "-o", "json"); !strings.Contains(status, `"drift": []`) {
				t.Error(status)
			}

			edit("scrape_configs: [{job_name: 1, nonsense: 2}]\n")
			if out := r.fails(t, 1, "service", "reload", "prometheus", "--yes"); !strings.Contains(out, "nonsense") || !strings.Contains(out, config) {
				t.Error(out)
			}
			// An upgrade does not touch a service that could not start again.
			if out := r.fails(t, 1, r.prometheus(t, "2.43.0")...); !strings.Contains(out, "nonsense") {
				t.Error(out)
			}
			if after := r.service(t, "prometheus"); after != run {
				t.Errorf("it was restarted: %s, then %s", run, after)
			}
			if _, err := os.Lstat(r.Path("/opt/prometheus/2.43.0")); err == nil {
				t.Error("the release stayed")
			}
			edit(string(good))

			// A scrape job that somebody else adds is read after a reload, and the metric says so.
			r.opsctl(t, "scrape", "add", "other", "127.0.0.1:9", "--yes")
			r.opsctl(t, "install", "prometheus", "--yes", "--settle", "100ms")
			if after := r.service(t, "prometheus"); after != run {
				t.Errorf("it was restarted: %s, then %s", run, after)
			}
			if loaded := r.ask(t, "curl", "-sf", "http://127.0.0.1:9090/api/v1/status/config"); !strings.Contains(loaded, "job_name: other") {
				t.Error(loaded)
			}
		})
	}
}

// Releases that cannot run here, and ports that are taken, leave what runs alone.
func TestUpgradesThatCannotWork(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.pack(t, "node_exporter", "1.5.0", "")...)
	before := r.tree(t)
	data, err := os.ReadFile(filepath.Join(r.debian, "usr/bin/prometheus-node-exporter"))
	if err != nil {
		t.Fatal(err)
	}
	data[18], data[19] = 0xb7, 0x00 // e_machine of elf(5): AArch64
	foreign := filepath.Join(t.TempDir(), "node_exporter")
	if err := os.WriteFile(foreign, data, 0o755); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	out := r.fails(t, 1, r.pack(t, "node_exporter", "1.6.0", foreign)...)
	t.Logf("another architecture: %v for all, %s", time.Since(began), out)

	r.ask(t, "sh", "-c", `systemd-run --no-ask-password --unit other -p Type=exec `+r.debian+`/usr/bin/prometheus-node-exporter --web.listen-address=127.0.0.1:9300
		curl -sf -o /dev/null --retry 30 --retry-max-time 30 --retry-connrefused http://127.0.0.1:9300/`)
	taken := append(r.pack(t, "node_exporter", "1.5.0", ""), "--listen", "127.0.0.1:9300")
	if out := r.fails(t, 6, taken...); !strings.Contains(out, "other.service") || !strings.Contains(out, "9300") {
		t.Error(out)
	}
	if after := r.tree(t); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")

	// Who has its port while it is down is told by its status.
	r.ask(t, "sh", "-c", `systemctl stop node_exporter other
		systemd-run --no-ask-password --unit third -p Type=exec `+r.debian+`/usr/bin/prometheus-node-exporter --web.listen-address=127.0.0.1:9100
		curl -sf -o /dev/null --retry 30 --retry-max-time 30 --retry-connrefused http://127.0.0.1:9100/`)
	if out := r.fails(t, 3, "service", "status", "node_exporter"); !strings.Contains(out, "third.service listens there") || !strings.Contains(out, "inactive") {
		t.Error(out)
	}
}

// Data are not handed to a version that cannot read them, unless a snapshot keeps them as they were.
func TestDataOfANewerFormatAreGuarded(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.prometheus(t, "2.42.0")...)
	r.opsctl(t, r.prometheus(t, "3.10.0")...)
	recorded := time.Now()
	r.until(t, "samples are recorded", func() bool { recorded = time.Now(); return r.query(t, recorded)["prometheus"] == "1" })
	run := r.service(t, "prometheus")
	for _, args := range [][]string{{"service", "rollback", "prometheus", "--yes"}, {"install", "prometheus@2.42.0", "--yes"}} {
		if out := r.fails(t, 6, args...); !strings.Contains(out, "3.10.0 has written to them") || !strings.Contains(out, "--snapshot") {
			t.Error(out)
		}
	}
	if after := r.service(t, "prometheus"); after != run {
		t.Errorf("it was restarted: %s, then %s", run, after)
	}
	r.opsctl(t, "service", "rollback", "prometheus", "--yes", "--snapshot", "--settle", "300ms")
	if kept := r.ask(t, "sh", "-c", "ls /var/lib/private/prometheus.before-2.42.0/"); !strings.Contains(kept, "wal") {
		t.Error(kept)
	}
	if r.query(t, recorded)["prometheus"] != "1" {
		t.Error("this Prometheus read its data, and they are gone")
	}
	// The newer version may come back; the older ones go on being refused by what was written.
	if settings := r.ask(t, "cat", "/etc/prometheus/opsctl.yaml"); !strings.Contains(settings, "written: 3.10.0") {
		t.Error(settings)
	}
	r.opsctl(t, "service", "undo", "--yes", "--settle", "300ms")
	if exe := r.ask(t, "sh", "-c", "readlink /proc/$(systemctl show -P MainPID prometheus)/exe"); !strings.Contains(exe, "/3.10.0/") {
		t.Error(exe)
	}
	if left := r.ask(t, "sh", "-c", "ls -d /var/lib/private/*prometheus* /opt/.removed* 2>/dev/null || :"); strings.TrimSpace(left) != "/var/lib/private/prometheus" {
		t.Errorf("left: %s", left)
	}
}

// Any of the last runs is taken back; one whose files were changed since is not.
func TestRunsAreUndone(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.prometheus(t, "2.42.0")...)
	scrapes := func(address string) {
		t.Helper()
		if loaded := r.ask(t, "curl", "-sf", "http://127.0.0.1:9090/api/v1/status/config"); !strings.Contains(loaded, address) {
			t.Errorf("Prometheus does not scrape %s: %s", address, loaded)
		}
		if status := r.opsctl(t, "service", "status", "prometheus"); !strings.Contains(status, "drift      none") {
			t.Error(status)
		}
	}
	r.opsctl(t, r.pack(t, "node_exporter", "1.5.0", "")...)
	first := r.tree(t)
	r.opsctl(t, "install", "node_exporter", "--listen", "127.0.0.1:9101", "--yes", "--settle", "100ms")
	second := r.tree(t)
	if first == second {
		t.Fatal("nothing changed")
	}
	scrapes("127.0.0.1:9101")
	var list struct {
		Items []struct {
			ID, Status, Command string
			Undoable            bool
		}
	}
	history := func() {
		t.Helper()
		if err := json.Unmarshal([]byte(r.opsctl(t, "service", "history", "-o", "json")), &list); err != nil {
			t.Fatal(err)
		}
	}
	history()
	if len(list.Items) != 3 || !list.Items[0].Undoable {
		t.Fatalf("%+v", list)
	}
	if out := r.fails(t, 6, "service", "undo", list.Items[1].ID, "--yes"); !strings.Contains(out, "has changed since") {
		t.Error(out)
	}
	r.ask(t, "sh", "-c", "echo '# a hand' >>/etc/systemd/system/node_exporter.service")
	if out := r.fails(t, 6, "service", "undo", "--yes"); !strings.Contains(out, "/etc/systemd/system/node_exporter.service") {
		t.Error(out)
	}
	r.ask(t, "sh", "-c", "cd /etc/systemd/system; head -n -1 node_exporter.service >u; cat u >node_exporter.service; rm u")
	r.opsctl(t, "service", "undo", "--yes", "--settle", "100ms")
	if after := r.tree(t); after != first {
		t.Errorf("it was\n%s\nand is\n%s", first, after)
	}
	r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")
	scrapes("127.0.0.1:9100")
	history()
	if list.Items[1].Status != "undone" || list.Items[1].Undoable {
		t.Errorf("%+v", list)
	}
	// Undoing is a run like others.
	r.opsctl(t, "service", "undo", list.Items[0].ID, "--yes", "--settle", "100ms")
	if after := r.tree(t); after != second {
		t.Errorf("it was\n%s\nand is\n%s", second, after)
	}
	r.opsctl(t, "service", "remove", "node_exporter", "--yes")
	history()
	if out := r.fails(t, 6, "service", "undo", list.Items[0].ID, "--yes"); !strings.Contains(out, "install it again") {
		t.Error(out)
	}
	r.fails(t, 1, "service", "undo", "20200101T000000.000000Z", "--yes")
}

// Of several components one fails in the end: none is left, and what ran before runs on.
func TestOneOfSeveralFails(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.prometheus(t, "2.42.0")...)
	before := r.below(t, "/opt") + r.below(t, "/etc/prometheus") + r.below(t, "/etc/systemd/system")
	run := r.service(t, "prometheus")
	broken := filepath.Join(t.TempDir(), "pushgateway")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	mirror := &testpeers.Mirror{}
	for name, program := range map[string]string{"node_exporter": filepath.Join(r.debian, "usr/bin/prometheus-node-exporter"), "pushgateway": broken} {
		release, err := testpeers.Pack(r.dir, name+"-1.5.0.linux-amd64", map[string]string{name: program})
		if err != nil {
			t.Fatal(err)
		}
		mirror.Add("prometheus/"+name, "1.5.0", release)
	}
	l, err := r.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mirror, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	url := "http://" + l.Addr().String()
	out := r.fails(t, 1, "install", "node_exporter@1.5.0", "pushgateway@1.5.0", "--mirror", url, "--yes", "--settle", "200ms")
	if !strings.Contains(out, "pushgateway.service") {
		t.Error(out)
	}
	if after := r.below(t, "/opt") + r.below(t, "/etc/prometheus") + r.below(t, "/etc/systemd/system"); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if after := r.service(t, "prometheus"); after != run {
		t.Errorf("Prometheus was restarted: %s, then %s", run, after)
	}
	if state := r.ask(t, "systemctl", "show", "-P", "LoadState", "node_exporter", "pushgateway"); strings.Contains(state, "loaded") {
		t.Error(state)
	}
}
