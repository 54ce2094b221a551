package test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// TestExporters installs every component that Debian has in one machine, and looks at them from all sides.
func TestExporters(t *testing.T) {
	for version, recipe := range testpeers.Machines() {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			if version != 252 && numberOfCases(0, 1, 1) == 0 {
				t.Skip("booted under OPSCTL_TORTURE")
			}
			f := newFleet(t, version, recipe)
			f.install(t)
			t.Run("Prometheus sees them up", f.areUp)
			t.Run("they reach their servers", f.seeServers)
			t.Run("a second run does nothing", f.secondRun)
			t.Run("nothing to do is quick", f.isQuick)
			t.Run("their units are closed", f.areClosed)
			t.Run("they see what root sees", f.seeAll)
			t.Run("a newer one does too", f.newNodeSeesAll)
			t.Run("they keep the secret", f.keepsSecret)
			t.Run("data may lie elsewhere", f.movesData)
		})
	}
}

// areUp asks the Prometheus that opsctl configured by itself.
func (f *fleet) areUp(t *testing.T) {
	type sample struct {
		Metric map[string]string
		Value  []any
	}
	poll(t, "up", func() string {
		var data struct{ Result []sample }
		if !f.query(t, "/api/v1/query?query=up", &data) {
			return "no answer"
		}
		up := map[string]string{}
		for _, s := range data.Result {
			up[s.Metric["job"]] = fmt.Sprint(s.Value[1])
		}
		for name := range ports() {
			if up[name] != "1" {
				return fmt.Sprintf("%s: %v", name, up)
			}
		}
		if len(up) != len(ports()) {
			return fmt.Sprintf("others too: %v", up)
		}
		return ""
	})
	poll(t, "alertmanagers", func() string {
		var data struct{ ActiveAlertmanagers []struct{ URL string } }
		if !f.query(t, "/api/v1/alertmanagers", &data) {
			return "no answer"
		}
		if len(data.ActiveAlertmanagers) != 1 || data.ActiveAlertmanagers[0].URL != "http://127.0.0.1:9093/api/v2/alerts" {
			return fmt.Sprint(data)
		}
		return ""
	})
	// What a job pushed says itself whose it is.
	if problem := f.push(t, ports()["pushgateway"]); problem != "" {
		t.Fatal(problem)
	}
	poll(t, "a pushed metric", func() string {
		var data struct{ Result []sample }
		if !f.query(t, "/api/v1/query?query=pushed", &data) || len(data.Result) != 1 {
			return fmt.Sprint(data)
		}
		if labels := data.Result[0].Metric; labels["job"] != "backup" || labels["instance"] != "there" {
			return fmt.Sprint(labels)
		}
		return ""
	})
}

// push pushes a metric as a job does.
func (f *fleet) push(t *testing.T, port int) (problem string) {
	t.Helper()
	url := "http://127.0.0.1:" + strconv.Itoa(port) + "/metrics/job/backup"
	if _, err := f.Run(t.Context(), "sh", "-c", `echo 'pushed{instance="there"} 1' | curl -sf --data-binary @- `+url); err != nil {
		return err.Error()
	}
	return ""
}

// seeServers looks whether those exporters that need a server reach theirs.
func (f *fleet) seeServers(t *testing.T) {
	f.mysqlIsUp(t)
	for name, want := range map[string]string{"redis_exporter": "\nredis_up 1\n", "nginx-prometheus-exporter": "\nnginx_up 1\n"} {
		if metrics, _ := f.get(t, ports()[name], "/metrics"); !strings.Contains(metrics, want) {
			t.Errorf("%s: no %q", name, want)
		}
	}
}

func (f *fleet) mysqlIsUp(t *testing.T) {
	t.Helper()
	metrics, _ := f.get(t, ports()["mysqld_exporter"], "/metrics")
	for _, want := range []string{"\nmysql_up 1\n", "\nmysql_global_status_uptime "} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q", want)
		}
	}
}

// runs tells which runs of all services these are.
func (f *fleet) runs(t *testing.T) string {
	t.Helper()
	return f.ask(t, "systemctl", slices.Concat([]string{"show", "-p", "Id,ActiveState,MainPID,NRestarts,InvocationID"}, slices.Sorted(maps.Keys(ports())))...)
}

func (f *fleet) secondRun(t *testing.T) {
	files := func() string { return f.ask(t, "ls", "-lAiR", "--full-time", "/etc", "/opt", "/var/lib/opsctl") }
	before, filesBefore := f.runs(t), files()
	out := f.opsctl(t, slices.Concat([]string{"install"}, f.all(), []string{"--mirror", "http://127.0.0.1:1", "--yes"})...)
	if !strings.HasSuffix(out, ": nothing to do\n") {
		t.Errorf("a second run:\n%s", out)
	}
	for name := range ports() {
		if out := f.opsctl(t, "install", name, "--dry-run", "--exit-code"); !strings.Contains(out, "nothing to do") {
			t.Errorf("%s: %s", name, out)
		}
	}
	if after := f.runs(t); after != before || strings.Count(after, "ActiveState=active") != len(ports()) || strings.Count(after, "NRestarts=0") != len(ports()) {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if after := files(); after != filesBefore {
		t.Errorf("before\n%s\nafter\n%s", filesBefore, after)
	}
}

// isQuick measures a run with nothing to do in the machine itself: the best of five.
func (f *fleet) isQuick(t *testing.T) {
	const limit = 0.1 // seconds
	for _, name := range []string{"node_exporter", "prometheus", "mysqld_exporter"} {
		out := f.ask(t, "bash", "-c", `TIMEFORMAT=%3R; for i in 1 2 3 4 5; do time "$@" >/dev/null || exit; done 2>&1`, "bash", f.program, "install", name, "--yes")
		best := 9.0
		for text := range strings.FieldsSeq(out) {
			seconds, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(out)
			}
			best = min(best, seconds)
		}
		t.Logf("%s: %.3f s (%s)", name, best, strings.Join(strings.Fields(out), " "))
		if best > limit {
			t.Errorf("%s: nothing to do takes %.3f s", name, best)
		}
	}
}

// movesData gives a component that runs as a dynamic user a folder of data, and an account with it; then takes both back.
func (f *fleet) movesData(t *testing.T) {
	runs := func(user, argument string) {
		t.Helper()
		pid := strings.TrimSpace(f.ask(t, "systemctl", "show", "-P", "MainPID", "pushgateway"))
		if args := f.strings(t, "/proc/"+pid+"/cmdline"); !slices.Contains(args, argument) {
			t.Errorf("%q, not %s", args, argument)
		}
		if got := f.ask(t, "systemctl", "show", "-p", "DynamicUser,NRestarts,ActiveState", "pushgateway"); !strings.Contains(got, "DynamicUser="+user+"\n") ||
			!strings.Contains(got, "NRestarts=0\n") || !strings.Contains(got, "ActiveState=active\n") {
			t.Error(got)
		}
	}
	runs("yes", "--persistence.file=/var/lib/pushgateway/metrics")
	t.Log(f.opsctl(t, "install", "pushgateway", "--data-dir", "/srv/push/", "--yes", "--settle", "100ms"))
	runs("no", "--persistence.file=/srv/push/metrics")
	if got := f.ask(t, "stat", "--format=%a %U", "/srv/push"); got != "750 pushgateway\n" {
		t.Error(got)
	}
	if out := f.opsctl(t, "install", "pushgateway", "--yes"); !strings.HasSuffix(out, ": nothing to do\n") {
		t.Error(out)
	}
	t.Log(f.opsctl(t, "service", "undo", "--yes", "--settle", "100ms"))
	runs("yes", "--persistence.file=/var/lib/pushgateway/metrics")
}

// areClosed lets systemd judge the units that were installed.
func (f *fleet) areClosed(t *testing.T) {
	tenths := map[string]int{
		"prometheus": 13, "mysqld_exporter": 13, "pushgateway": 13, "alertmanager": 13, "redis_exporter": 13, "postgres_exporter": 13,
		"nginx-prometheus-exporter": 13, "blackbox_exporter": 16, "node_exporter": 21, "process-exporter": 21,
	}
	files := []string{"verify"}
	for name := range ports() {
		file := "/etc/systemd/system/" + name + ".service"
		files = append(files, file)
		if f.systemd < 250 {
			continue // security knows no --offline
		}
		out, err := f.Run(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+strconv.Itoa(tenths[name]), file)
		level := regexp.MustCompile(`level for [^:]*: [0-9.]*`).FindString(string(out))
		t.Log(level)
		if err != nil || level == "" {
			t.Errorf("%s is over %d tenths: %v: %s", name, tenths[name], err, level)
		}
	}
	if said, err := f.Command(t.Context(), "systemd-analyze", files...).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("systemd-analyze verify: %v: %s", err, said)
	}
}
