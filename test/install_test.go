package test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// installRig is a booted systemd, opsctl inside it, and releases made of Debian's programs.
type installRig struct {
	*testpeers.Machine
	dir, program string
	debian       string // the tree with Debian's programs
}

func newInstallRig(t *testing.T) *installRig {
	t.Helper()
	return newInstallRigOf(t, testpeers.BookwormMachine())
}

// newInstallRigOf boots that recipe; bind is what else of this machine appears in it.
func newInstallRigOf(t *testing.T, recipe testpeers.Recipe, bind ...string) *installRig {
	t.Helper()
	dir := t.TempDir()
	r := &installRig{dir: dir, program: buildOpsctl(t, dir)}
	exporters, err := testpeers.ExporterPackages().Get(t.Context())
	if err == nil {
		bind = append(bind, exporters.Dir)
	}
	r.Machine = testpeers.RequireMachine(t, recipe, append(bind, dir)...)
	if err != nil {
		t.Fatal(err)
	}
	r.debian = exporters.Dir
	// Debian's alertmanager reads its templates from here; a released one holds them.
	const templates = "/usr/share/prometheus/alertmanager"
	if err := os.CopyFS(r.Path(templates), os.DirFS(r.debian+templates)); err != nil {
		t.Fatal(err)
	}
	return r
}

// buildOpsctl builds the program as it is released.
func buildOpsctl(t *testing.T, dir string) string {
	t.Helper()
	return buildTagged(t, filepath.Join(dir, "opsctl"), "")
}

func buildTagged(t *testing.T, program, tags string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", tags, "-o", program, "../cmd/opsctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// pack makes a release of a component from a program, by default Debian's.
func (r *installRig) pack(t *testing.T, name, version, program string) []string {
	t.Helper()
	if program == "" {
		program = filepath.Join(r.debian, "usr/bin", map[string]string{
			"node_exporter": "prometheus-node-exporter", "prometheus": "prometheus", "alertmanager": "prometheus-alertmanager",
			"pushgateway": "prometheus-pushgateway", "blackbox_exporter": "prometheus-blackbox-exporter", "mysqld_exporter": "prometheus-mysqld-exporter",
		}[name])
	}
	return r.packWith(t, name, version, map[string]string{name: program})
}

// packWith makes a release of files: names in it, and where each comes from.
func (r *installRig) packWith(t *testing.T, name, version string, files map[string]string) []string {
	t.Helper()
	release, err := testpeers.Pack(r.dir, name+"-"+version+".linux-amd64", files)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"install", name + "@" + version, "--archive", release.Path, "--sha256", release.Sum, "--yes", "--settle", "300ms"}
}

// opsctl runs opsctl in the machine, which must succeed.
func (r *installRig) opsctl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := r.Run(t.Context(), r.program, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// ask runs a program of the machine, which must succeed.
func (r *installRig) ask(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := r.Run(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// service tells which run of a service this is: its process, and systemd's id of the run.
func (r *installRig) service(t *testing.T, name string) string {
	t.Helper()
	return r.ask(t, "systemctl", "show", "-p", "ActiveState,MainPID,NRestarts,InvocationID", name)
}

func TestInstallOnARealSystemd(t *testing.T) { eachMachine(t, installOnARealSystemd) }

func installOnARealSystemd(t *testing.T, r *installRig) {
	t.Helper()
	for _, c := range []struct{ name, version, build string }{
		{"node_exporter", "1.5.0", "http://127.0.0.1:9100/metrics"},
		{"prometheus", "2.42.0", "http://127.0.0.1:9090/metrics"},
		{"alertmanager", "0.25.0", "http://127.0.0.1:9093/metrics"},
		{"pushgateway", "1.5.1", "http://127.0.0.1:9091/metrics"},
		{"blackbox_exporter", "0.23.0", "http://127.0.0.1:9115/metrics"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := r.pack(t, c.name, c.version, "")
			t.Log(r.opsctl(t, args...))
			if metrics := r.ask(t, "curl", "-sf", c.build); !strings.Contains(metrics, c.name+"_build_info{") {
				t.Errorf("%.500s", metrics)
			}
			before := r.service(t, c.name)
			if again := r.opsctl(t, args...); !strings.Contains(again, "nothing to do") {
				t.Errorf("a second run:\n%s", again)
			}
			if after := r.service(t, c.name); after != before || !strings.Contains(after, "ActiveState=active") {
				t.Errorf("a second run restarted it: %s, then %s", before, after)
			}
			if said, err := r.Command(t.Context(), "systemd-analyze", "verify", "/etc/systemd/system/"+c.name+".service").CombinedOutput(); err != nil || len(said) > 0 {
				t.Errorf("systemd-analyze verify: %v: %s", err, said)
			}
		})
	}
}

// A release that does not work leaves all as it was, and what ran before runs again.
func TestAFailedUpgradeRestoresItself(t *testing.T) { eachMachine(t, aFailedUpgradeRestoresItself) }

func aFailedUpgradeRestoresItself(t *testing.T, r *installRig) {
	t.Helper()
	r.opsctl(t, r.pack(t, "node_exporter", "1.5.0", "")...)
	before := r.tree(t)
	wrong, err := os.ReadFile(filepath.Join(r.debian, "usr/bin/prometheus-pushgateway"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(filepath.Join(r.debian, "usr/bin/prometheus-node-exporter"))
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"another program":    string(wrong),
		"another version":    string(old),
		"no program":         "\x7fELF nothing",
		"ends at once":       "#!/bin/sh\nexit 3\n",
		"ends after a while": "#!/bin/sh\nsleep 0.2\nexit 1\n",
		"says nothing":       "#!/bin/sh\nexec sleep 1000\n",
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			args := append(r.pack(t, "node_exporter", "9.9.9", program), "--wait", "1s")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := r.Command(ctx, r.program, args...)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Fatalf("%v: %s", err, out)
			}
			t.Logf("%s", out)
			if after := r.tree(t); after != before {
				t.Errorf("it was\n%s\nand is\n%s", before, after)
			}
			if state := r.service(t, "node_exporter"); !strings.Contains(state, "ActiveState=active") || !strings.Contains(state, "NRestarts=0") {
				t.Error(state)
			}
			r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")
			if again := r.opsctl(t, "install", "node_exporter", "--dry-run"); !strings.Contains(again, "nothing to do") {
				t.Errorf("what is there is not as it was:\n%s", again)
			}
		})
	}
}

// tree is all that an installation of node_exporter writes, but for the journal.
func (r *installRig) tree(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, top := range []string{"/opt", "/etc/node_exporter", "/etc/systemd/system", "/var/lib/opsctl/downloads"} {
		out.WriteString(r.below(t, top))
	}
	if !strings.Contains(out.String(), "/opt/node_exporter/current L") {
		t.Fatalf("no installation was seen:\n%s", &out)
	}
	return out.String() + r.ask(t, "id", "node_exporter")
}

// below lists a folder of the machine with all that is in it: modes, links, and the files' sums.
func (r *installRig) below(t *testing.T, top string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(r.Path(top), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s %v", strings.TrimPrefix(path, r.Root()), info.Mode())
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %x", sha256.Sum256(data))
		case info.Mode().Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " -> %s", target)
		}
		out.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Killed at any call that changes something, an upgrade leaves a service that answers, and the next run ends where one that
// nobody killed ends.
func TestAKilledUpgradeConverges(t *testing.T) {
	r := newInstallRig(t)
	newer, err := testpeers.NodeExporter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from, to := r.pack(t, "node_exporter", "1.5.0", ""), r.pack(t, "node_exporter", "1.12.1", newer)
	to = append(to, "--listen", "127.0.0.1:9100")
	reset := func() {
		r.ask(t, "systemctl", "stop", "node_exporter")
		r.ask(t, "sh", "-c", "rm -rf /opt/node_exporter /etc/node_exporter /etc/systemd/system/node_exporter.service /var/lib/opsctl; systemctl daemon-reload")
		r.opsctl(t, from...)
	}
	r.opsctl(t, from...)
	r.opsctl(t, to...)
	want := r.tree(t)
	one := buildTagged(t, filepath.Join(r.dir, "onethread"), "onethread")
	every := 6
	if os.Getenv("OPSCTL_TORTURE") != "" && os.Getenv("OPSCTL_TORTURE") != "short" {
		every = 1
	}
	killed, places := 0, killPlaces{n: 1, every: every}
	for places.next() {
		name, n := places.at()
		reset()
		args := append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + name, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", name, n), one}, to...)
		cmd := r.Command(t.Context(), "strace", args...)
		if cmd.Run() == nil {
			places.enough()
			continue
		}
		killed++
		r.ask(t, "curl", "-sf", "--retry", "20", "--retry-connrefused", "--retry-delay", "0", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")
		r.opsctl(t, to...)
		if got := r.tree(t); got != want {
			t.Fatalf("killed at %s %d: wanted\n%s\ngot\n%s", name, n, want, got)
		}
		if state := r.service(t, "node_exporter"); !strings.Contains(state, "ActiveState=active") {
			t.Fatalf("killed at %s %d: %s", name, n, state)
		}
		if reload := r.ask(t, "systemctl", "show", "-P", "NeedDaemonReload", "node_exporter"); strings.TrimSpace(reload) != "no" {
			t.Fatalf("killed at %s %d: systemd has not read the unit", name, n)
		}
		exe := strings.TrimSpace(r.ask(t, "sh", "-c", "readlink /proc/$(systemctl show -P MainPID node_exporter)/exe"))
		if exe != "/opt/node_exporter/1.12.1/node_exporter" {
			t.Fatalf("killed at %s %d: %s runs", name, n, exe)
		}
	}
	t.Logf("killed at %d places", killed)
	if killed < 50/every {
		t.Error("too few places to mean anything")
	}
}

// changingCalls are the system calls with which opsctl changes something; sendmsg is a word to systemd.
func changingCalls() []string {
	return []string{"fsync", "renameat", "symlinkat", "mkdirat", "unlinkat", "fchmodat", "fchmod", "fchown", "ftruncate", "sendmsg", "sendto"}
}

// killPlaces goes through the calls: strace counts each of them by itself.
type killPlaces struct {
	call, n, every int
	begun          bool
}

// next goes on, and tells whether there is another place.
func (k *killPlaces) next() bool {
	if k.begun {
		k.n += k.every
	}
	k.begun = true
	return k.call < len(changingCalls())
}

func (k *killPlaces) at() (name string, n int) { return changingCalls()[k.call], k.n }

// enough says that a run had fewer calls of that name: the next one is to come.
func (k *killPlaces) enough() { k.call, k.n, k.begun = k.call+1, 1, false }

// What others made stands in the way: it is named, nothing is changed, exit 6.
func TestForeignThingsAreNamed(t *testing.T) {
	r := newInstallRig(t)
	args := r.pack(t, "node_exporter", "1.5.0", "")
	for name, c := range map[string]struct{ make, clean, names string }{
		"a unit":      {"echo '[Service]' >/etc/systemd/system/node_exporter.service; systemctl daemon-reload", "rm /etc/systemd/system/node_exporter.service; systemctl daemon-reload", "/etc/systemd/system/node_exporter.service"},
		"a package's": {"echo '[Service]' >/usr/lib/systemd/system/node_exporter.service", "rm /usr/lib/systemd/system/node_exporter.service", "/usr/lib/systemd/system/node_exporter.service"},
		"a folder":    {"mkdir -p /opt/node_exporter", "rmdir /opt/node_exporter", "/opt/node_exporter"},
		"the port":    {"systemd-run --no-ask-password --unit other -p Type=exec /opt/other --web.listen-address=127.0.0.1:9100; for i in 1 2 3 4 5 6 7 8 9; do curl -sf -o /dev/null --retry 9 --retry-connrefused --retry-delay 0 http://127.0.0.1:9100/ && break; done", "systemctl stop other", "/opt/other"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "the port" {
				data, err := os.ReadFile(filepath.Join(r.debian, "usr/bin/prometheus-node-exporter"))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(r.Path("/opt"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(r.Path("/opt/other"), data, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			r.ask(t, "sh", "-c", c.make)
			defer r.ask(t, "sh", "-c", c.clean)
			cmd := r.Command(t.Context(), r.program, args...)
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 6 || !strings.Contains(string(out), c.names) {
				t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), out)
			}
			if _, err := os.Stat(r.Path("/var/lib/opsctl")); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestUpgradeRollbackAndRemove(t *testing.T) { eachMachine(t, upgradeRollbackAndRemove) }

func upgradeRollbackAndRemove(t *testing.T, r *installRig) {
	t.Helper()
	newer, err := testpeers.NodeExporter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.opsctl(t, append(r.pack(t, "node_exporter", "1.5.0", ""), "--listen", "127.0.0.1:9100")...)
	runs := func(version string) {
		t.Helper()
		if metrics := r.ask(t, "curl", "-sf", "http://127.0.0.1:9100/metrics"); !strings.Contains(metrics, `version="`+version+`"`) {
			t.Errorf("another version than %s answers", version)
		}
	}
	runs("1.5.0")
	r.opsctl(t, r.pack(t, "node_exporter", "1.12.1", newer)...)
	runs("1.12.1")
	if list := r.opsctl(t, "service", "ls", "-o", "json"); !strings.Contains(list, `"version": "1.12.1"`) || !strings.Contains(list, `"healthy": true`) || !strings.Contains(list, `"pending": 0`) {
		t.Error(list)
	}
	r.opsctl(t, "service", "rollback", "node_exporter", "--yes", "--settle", "300ms")
	runs("1.5.0")
	if out, err := r.Run(t.Context(), r.program, "service", "rollback", "node_exporter", "--yes"); err == nil {
		t.Errorf("there is nothing older: %s", out)
	}
	r.opsctl(t, "service", "rollback", "node_exporter", "--to", "1.12.1", "--yes", "--settle", "300ms")
	runs("1.12.1")
	// A hand that edits the unit is seen.
	r.ask(t, "sh", "-c", "echo '# edited' >>/etc/systemd/system/node_exporter.service")
	if list := r.opsctl(t, "service", "ls", "-o", "json"); strings.Contains(list, `"pending": 0`) {
		t.Error(list)
	}
	r.opsctl(t, "service", "remove", "node_exporter", "--yes")
	gone := r.ask(t, "sh", "-c", "ls -d /opt/node_exporter /etc/systemd/system/node_exporter.service /opt/.removed-* /etc/systemd/system/.removed-* 2>/dev/null; systemctl show -P LoadState node_exporter")
	if strings.TrimSpace(gone) != "not-found" {
		t.Errorf("left: %s", gone)
	}
	if list := r.opsctl(t, "service", "ls", "-o", "json"); !strings.Contains(list, `"items": []`) {
		t.Error(list)
	}
}

// Data and configuration outlive their component, and end with --purge.
func TestRemoveKeepsDataUnlessPurged(t *testing.T) {
	r := newInstallRig(t)
	args := r.pack(t, "pushgateway", "1.5.1", "")
	r.opsctl(t, args...)
	const metrics = "http://127.0.0.1:9091/metrics"
	r.ask(t, "sh", "-c", "echo kept 1 | curl -sf --data-binary @- "+metrics+"/job/j")
	r.ask(t, "systemctl", "stop", "pushgateway") // it writes its data when it ends
	r.opsctl(t, "service", "remove", "pushgateway", "--yes")
	r.opsctl(t, args...)
	if out := r.ask(t, "curl", "-sf", metrics); !strings.Contains(out, "kept{") {
		t.Error("the data are gone")
	}
	r.opsctl(t, "service", "remove", "pushgateway", "--purge", "--yes")
	for _, top := range []string{"/opt", "/etc", "/var/lib", "/var/cache"} {
		for line := range strings.Lines(r.below(t, top)) {
			if strings.Contains(line, "pushgateway") {
				t.Errorf("left: %s", line)
			}
		}
	}
}

// A bundle from a mirror installs on a host without a network.
func TestABundleInstallsWithoutANetwork(t *testing.T) {
	r := newInstallRig(t)
	r.pack(t, "node_exporter", "1.5.0", "")
	const name = "node_exporter-1.5.0.linux-amd64.tar.gz"
	const at = "/prometheus/node_exporter/releases/download/v1.5.0/"
	sums, err := exec.CommandContext(t.Context(), "sha256sum", filepath.Join(r.dir, name)).Output()
	if err != nil {
		t.Fatal(err)
	}
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case at + "sha256sums.txt":
			fmt.Fprintf(w, "%s  %s\n", sums[:64], name)
		case at + name:
			http.ServeFile(w, req, filepath.Join(r.dir, name))
		default:
			http.NotFound(w, req)
		}
	}))
	defer mirror.Close()
	bundle := filepath.Join(r.dir, "node.bundle")
	out, err := exec.CommandContext(t.Context(), r.program, "service", "bundle", "node_exporter@1.5.0", "--mirror", mirror.URL, "--out", bundle, "-o", "json").CombinedOutput()
	if err != nil || !bytes.Contains(out, sums[:64]) {
		t.Fatalf("%v: %s", err, out)
	}
	r.opsctl(t, "install", "node_exporter@1.5.0", "--bundle", bundle, "--yes", "--settle", "300ms")
	r.ask(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:9100/metrics")
	if out, err := exec.CommandContext(t.Context(), r.program, "service", "bundle", "node_exporter@1.5.1", "--mirror", mirror.URL, "--out", bundle+"2").CombinedOutput(); err == nil {
		t.Errorf("a release that is not there: %s", out)
	}
	if left, err := filepath.Glob(filepath.Join(r.dir, ".bundle-*")); err != nil || len(left) > 0 {
		t.Errorf("left %q, %v", left, err)
	}
}
