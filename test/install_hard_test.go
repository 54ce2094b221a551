package test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// mutating are the calls that change a host; at each of them a run may be killed.
const mutating = "fsync,renameat,renameat2,rename,symlinkat,mkdirat,unlinkat,fchmodat,fchmod,ftruncate,sendmsg,sendto"

// killedAt runs opsctl and kills it at the call of that number; it tells whether it got so far.
func (r *installRig) killedAt(t *testing.T, n int, args ...string) bool {
	t.Helper()
	trace := []string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + mutating, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", mutating, n), r.program}
	cmd := r.Command(t.Context(), "strace", append(trace, args...)...)
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	return cmd.Run() != nil
}

// undoable tells whether there is a run to take back. A run that was killed before it changed anything is none, nor is one of
// which useradd was killed: that took itself back.
func (r *installRig) undoable(t *testing.T) bool {
	t.Helper()
	return strings.Contains(r.opsctl(t, "service", "history", "-o", "json"), `"undoable": true`)
}

// write makes a file of the machine.
func (r *installRig) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(r.Path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// foreignNode is a node_exporter whose command line only a look at the process tells.
const foreignNode = `set -e
mkdir -p /srv/x
cp $1/usr/bin/prometheus-node-exporter /srv/x/node_exporter
printf 'ARGS=--no-collector.wifi\n' >/srv/x/env
printf '[Service]\nEnvironmentFile=/srv/x/env\nExecStart=/srv/x/node_exporter $ARGS\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/node_exporter.service
systemctl daemon-reload
systemctl enable --now node_exporter`

const forgetNode = `systemctl disable --now node_exporter; rm -rf /opt/node_exporter /etc/node_exporter /etc/systemd/system/node_exporter.service /var/lib/opsctl /srv/x
userdel node_exporter 2>/dev/null; systemctl daemon-reload; systemctl reset-failed`

// An adoption that was killed is not begun anew over the ruins: the run is named, and undoing brings back what ran.
func TestAKilledAdoptionIsTakenBack(t *testing.T) {
	r := newInstallRig(t)
	args := append(r.pack(t, "node_exporter", "1.5.0", ""), "--adopt")
	state := func() string {
		return r.below(t, "/opt") + r.below(t, "/etc/node_exporter") + r.below(t, "/etc/systemd/system") +
			r.ask(t, "sh", "-c", "id node_exporter 2>&1; systemctl is-enabled node_exporter; tr '\\0' ' ' </proc/$(systemctl show -P MainPID node_exporter)/cmdline")
	}
	r.ask(t, "mkdir", "-p", "/opt") // as every host has it, but for this small one
	half := 0
	for n := 7; n < 30; n += numberOfCases(3, 2, 1) {
		r.ask(t, "sh", "-c", foreignNode, "foreign", r.debian)
		before := state()
		if r.killedAt(t, n, args...) {
			out, err := r.Command(t.Context(), r.program, args...).CombinedOutput()
			if err != nil {
				half++
				if !strings.Contains(string(out), "was killed while it took over node_exporter") || !strings.Contains(string(out), "opsctl service undo") {
					t.Errorf("killed at call %d: %s", n, out)
				}
			}
			if r.undoable(t) {
				r.opsctl(t, "service", "undo", "--yes", "--settle", "0s")
			}
			if after := state(); after != before {
				t.Errorf("killed at call %d: it was\n%s\nand is\n%s", n, before, after)
			}
			r.opsctl(t, args...)
			r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")
		}
		r.ask(t, "sh", "-c", forgetNode)
	}
	if half == 0 {
		t.Error("no run was killed half way")
	}
}

// A first installation that was killed is made good by the next, and leaves nothing when it is taken back instead.
func TestAKilledFirstInstallationConverges(t *testing.T) {
	r := newInstallRig(t)
	args := r.pack(t, "node_exporter", "1.5.0", "")
	for n := 10; n < 24; n += numberOfCases(3, 2, 1) {
		for _, again := range [][]string{args, {"service", "undo", "--yes", "--settle", "0s"}} {
			if r.killedAt(t, n, args...) {
				if again[0] == "install" || r.undoable(t) {
					r.opsctl(t, again...)
				}
				if left := r.below(t, "/opt/node_exporter") + r.below(t, "/etc/node_exporter"); again[0] != "install" && left != "" {
					t.Errorf("killed at call %d and taken back: left\n%s", n, left)
				}
			}
			r.ask(t, "sh", "-c", forgetNode)
		}
	}
}

// An undoing that was killed is made good by the next: a service that ran runs.
func TestAKilledUndoingConverges(t *testing.T) {
	r := newInstallRig(t)
	install := r.pack(t, "node_exporter", "1.5.0", "")
	for n := 7; n < 25; n += numberOfCases(3, 2, 1) {
		r.opsctl(t, install...)
		before := r.tree(t)
		r.opsctl(t, "install", "node_exporter", "--listen", "127.0.0.1:9101", "--yes", "--settle", "0s")
		id := strings.Fields(r.opsctl(t, "service", "history", "-o", "name"))[0]
		undo := []string{"service", "undo", id, "--yes", "--settle", "0s"}
		if r.killedAt(t, n, undo...) {
			if out, err := r.Command(t.Context(), r.program, undo...).CombinedOutput(); err != nil && !strings.Contains(string(out), "is undone and cannot be undone") {
				t.Fatalf("killed at call %d: %s", n, out)
			}
		}
		if after := r.tree(t); after != before {
			t.Errorf("killed at call %d: it was\n%s\nand is\n%s", n, before, after)
		}
		if state := r.service(t, "node_exporter"); !strings.Contains(state, "ActiveState=active") {
			t.Errorf("killed at call %d: %s", n, state)
		}
		r.ask(t, "sh", "-c", forgetNode)
	}
}

// Files that somebody keeps elsewhere, with links in their places, are edited there, and nothing else of them is lost.
func TestLinkedFilesKeepWhatTheyHold(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.prometheus(t, "2.42.0")...)
	r.ask(t, "sh", "-c", `set -e
mkdir -p /srv/git /srv/x
cd /etc/prometheus
cat prometheus.yml >/srv/git/prometheus.yml
echo '# precious' >>/srv/git/prometheus.yml
chown 1:1 /srv/git/prometheus.yml
chmod 0644 /srv/git/prometheus.yml
ln -sf /srv/git/prometheus.yml prometheus.yml
cp $1/usr/bin/prometheus-node-exporter /srv/x/node_exporter
printf '[Service]\nExecStart=/srv/x/node_exporter\n' >/srv/x/node_exporter.service
systemctl link /srv/x/node_exporter.service
systemctl start node_exporter`, "linked", r.debian)
	r.opsctl(t, append(r.pack(t, "node_exporter", "1.5.0", ""), "--adopt")...)
	config := r.ask(t, "sh", "-c", "cd /etc/prometheus; readlink prometheus.yml; cat /srv/git/prometheus.yml; stat -c %u:%g:%a /srv/git/prometheus.yml")
	for _, part := range []string{"/srv/git/prometheus.yml\n", "# precious\n", "job_name: prometheus\n", "job_name: node_exporter\n", "1:1:644\n"} {
		if !strings.Contains(config, part) {
			t.Errorf("%q is not in %s", part, config)
		}
	}
	if unit := r.ask(t, "cat", "/srv/x/node_exporter.service"); !strings.Contains(unit, "ExecStart=/srv/x/node_exporter\n") {
		t.Errorf("the file that the unit led to was overwritten: %s", unit)
	}
	r.opsctl(t, "service", "undo", "--yes", "--settle", "0s")
	if was := r.ask(t, "sh", "-c", "readlink /etc/systemd/system/node_exporter.service; systemctl is-active node_exporter; systemctl is-enabled node_exporter || :"); was != "/srv/x/node_exporter.service\nactive\nlinked\n" {
		t.Error(was)
	}
	// The Prometheus that ran on has read what was put back.
	if loaded := r.ask(t, "curl", "-sf", "http://127.0.0.1:9090/api/v1/status/config"); strings.Contains(loaded, "node_exporter") {
		t.Error("it goes on with the job that was taken out")
	}
	r.opsctl(t, "service", "status", "prometheus")
}

// Taking an upgrade back does not hand data to a release that cannot read them.
func TestUndoingGuardsData(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.prometheus(t, "2.42.0")...)
	r.opsctl(t, r.prometheus(t, "3.10.0")...)
	run := r.service(t, "prometheus")
	if out := r.fails(t, 6, "service", "undo", "--yes"); !strings.Contains(out, "3.10.0 has written to them") || !strings.Contains(out, "rollback COMPONENT --snapshot") {
		t.Error(out)
	}
	if after := r.service(t, "prometheus"); after != run {
		t.Errorf("it was restarted: %s, then %s", run, after)
	}
}

// What a foreign unit says of passwords stands in no plan and no journal, and addresses by name are taken over.
func TestSecretsOfAForeignUnitAreNotShown(t *testing.T) {
	r := newInstallRig(t)
	r.ask(t, "sh", "-c", `set -e
mkdir -p /srv/x
cp $1/usr/bin/prometheus-mysqld-exporter /srv/x/mysqld_exporter
printf '[Service]\nEnvironment=DATA_SOURCE_NAME=exporter:s3cret@(localhost:3306)/\nExecStart=/srv/x/mysqld_exporter --web.listen-address=localhost:9104\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/mysqld_exporter.service
systemctl daemon-reload
systemctl enable --now mysqld_exporter`, "foreign", r.debian)
	args := append(r.pack(t, "mysqld_exporter", "0.14.0", ""), "--adopt")
	for _, more := range []string{"--output=table", "--output=json"} {
		if out := r.opsctl(t, append(withoutYes(args), "--dry-run", more)...); strings.Contains(out, "s3cret") || !strings.Contains(out, "[redacted]") {
			t.Errorf("%s: %s", more, out)
		}
	}
	r.opsctl(t, args...)
	if out := r.ask(t, "sh", "-c", "grep -c s3cret /var/lib/opsctl/journal || :; find /var/lib/opsctl /etc/mysqld_exporter/secrets -type f -perm /077 -exec grep -l s3cret {} +; grep listen: /etc/mysqld_exporter/opsctl.yaml"); out != "0\nlisten: 127.0.0.1:9104\n" {
		t.Error(out)
	}
	if out := r.opsctl(t, "service", "undo", "--dry-run"); strings.Contains(out, "s3cret") {
		t.Error(out)
	}
}

// Whether a service is well is asked where its own arguments put it; where a password would be needed nothing is begun.
func TestArgumentsThatMoveWhereItAnswers(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, append(r.prometheus(t, "2.42.0"), "--arg=--web.external-url=http://proxy.example.org/prom/")...)
	r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9090/prom/-/ready")
	node := r.pack(t, "node_exporter", "1.5.0", "")
	r.opsctl(t, append(node, "--arg=--web.telemetry-path=/elsewhere")...)
	if config := r.ask(t, "cat", "/etc/prometheus/prometheus.yml"); !strings.Contains(config, "metrics_path: /elsewhere") {
		t.Error(config)
	}
	r.opsctl(t, "service", "status", "node_exporter")
	run := r.service(t, "node_exporter")
	r.write(t, "/etc/web.yml", "basic_auth_users:\n  me: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n")
	if out := r.fails(t, 2, append(node, "--arg=--web.config.file=/etc/web.yml")...); !strings.Contains(out, "could not tell whether it is well") {
		t.Error(out)
	}
	if after := r.service(t, "node_exporter"); after != run {
		t.Errorf("it was restarted: %s, then %s", run, after)
	}
	for _, dir := range []string{"/etc", "/var/lib", "/srv", "/opt/prometheus"} {
		r.fails(t, 2, "install", "prometheus", "--data-dir", dir, "--dry-run")
	}
}

// What was started over and over before it was adopted is so again; that it is not well does not keep a run from being undone.
func TestAnAilingServiceComesBack(t *testing.T) {
	r := newInstallRig(t)
	r.ask(t, "sh", "-c", `set -e
mkdir -p /srv/x
cp $1/usr/bin/prometheus-node-exporter /srv/x/node_exporter
printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nUser=nosuch\nExecStart=/srv/x/node_exporter\nRestart=always\nRestartSec=1h\n' >/etc/systemd/system/node_exporter.service
systemctl daemon-reload
systemctl start node_exporter`, "ailing", r.debian)
	ailing := func() bool {
		return strings.TrimSpace(r.ask(t, "systemctl", "show", "-P", "SubState", "node_exporter")) == "auto-restart"
	}
	r.until(t, "it has failed", ailing)
	r.opsctl(t, append(r.pack(t, "node_exporter", "1.5.0", ""), "--adopt")...)
	r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")
	r.opsctl(t, "service", "undo", "--yes", "--settle", "300ms")
	r.until(t, "it is started over and over", ailing)
}

// A systemd that replaces itself while a service is being judged ends the connection, not the run.
func TestSystemdMayReplaceItselfMeanwhile(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.pack(t, "node_exporter", "1.5.0", "")...)
	cmd := r.Command(t.Context(), r.program, "install", "node_exporter", "--listen", "127.0.0.1:9101", "--yes", "--settle", "4s")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.until(t, "it answers", func() bool {
		_, err := r.Run(t.Context(), "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9101/")
		return err == nil
	})
	r.ask(t, "systemctl", "daemon-reexec")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &said)
	}
	r.opsctl(t, "service", "status", "node_exporter")
}

// A drop-in may start the program by way of a shell: who listens is the component itself, though its main process is another.
func TestAChildOfTheServiceIsNotForeign(t *testing.T) {
	r := newInstallRig(t)
	r.opsctl(t, r.pack(t, "node_exporter", "1.5.0", "")...)
	r.ask(t, "sh", "-c", `set -e
mkdir /etc/systemd/system/node_exporter.service.d
printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "/opt/node_exporter/current/node_exporter; :"\n' >/etc/systemd/system/node_exporter.service.d/shell.conf
systemctl daemon-reload
systemctl restart node_exporter`)
	r.until(t, "it answers", func() bool {
		_, err := r.Run(t.Context(), "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/")
		return err == nil
	})
	if out := r.opsctl(t, "install", "node_exporter", "--dry-run"); !strings.Contains(out, "restart  node_exporter.service") {
		t.Error(out)
	}
	r.ask(t, "sh", "-c", "rm -r /etc/systemd/system/node_exporter.service.d; systemctl daemon-reload")
	r.opsctl(t, "install", "node_exporter", "--yes", "--settle", "0s")
}
