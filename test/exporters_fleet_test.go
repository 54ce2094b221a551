package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// fleet is a booted machine in which opsctl installs every component that Debian has, from a mirror on its own loopback,
// beside the servers that they look at.
type fleet struct {
	*installRig
	systemd int    // its version
	mirror  string // its address
	mariadb *testpeers.Database
}

// Passwords of the MariaDB user that mysqld_exporter logs in as, the first and a later one, and of those that redis_exporter
// and postgres_exporter use. Their first words occur nowhere else; the rest is what systemd and shells expand.
const (
	exporterWord, laterWord         = "xQ7bD0kP2w", "yR8cE1lQ3v"
	redisWord, postgresWord         = "zS9dF2mR4u", "wP6aC9jN5t"
	exporterPassword, laterPassword = exporterWord + " %n$HOME", laterWord + " %i$PATH"
)

func newFleet(t *testing.T, systemd int, recipe testpeers.Recipe) *fleet {
	t.Helper()
	mirror := testpeers.RequireDebianMirror(t)
	backends, mariadb := testpeers.RequireTree(t, testpeers.BackendPackages()), testpeers.RequireTree(t, testpeers.MariaDBPackages())
	f := &fleet{systemd: systemd, installRig: newInstallRigOf(t, recipe, backends.Dir, mariadb.Dir)}
	if err := f.StartBackends(t.Context(), backends, redisWord); err != nil {
		t.Fatal(err)
	}
	f.mariadb = testpeers.RequireMariaDB(t, f.Machine)
	if _, err := f.mariadb.SQL(t.Context(), fmt.Sprintf("create user exporter@localhost identified by '%s'; "+
		"grant process, replication client, select on *.* to exporter@localhost", exporterPassword)); err != nil {
		t.Fatal(err)
	}
	f.mirror = f.serve(t, mirror)
	return f
}

// serve makes a mirror of a folder, on the machine's loopback, as a plain web server does. Of one project it also tells the
// latest release as GitHub does.
func (f *fleet) serve(t *testing.T, dir string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	// A pre-release that is newer, and an older release.
	mux.HandleFunc("/prometheus/pushgateway/releases/download/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<a href="v1.4.3/">v1.4.3/</a> <a href="v1.5.1/">v1.5.1/</a> <a href="v1.6.0-rc.0/">v1.6.0-rc.0/</a>`))
	})
	mux.Handle("/prometheus/alertmanager/releases/latest", http.RedirectHandler("/prometheus/alertmanager/releases/tag/v0.25.0", http.StatusFound))
	listener, err := f.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// secret writes a file with a secret: its name in the machine, which only root may read.
func (f *fleet) secret(t *testing.T, text string) string {
	t.Helper()
	const file = "/root/secret"
	if err := os.WriteFile(f.Path(file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func optionFile(password string) string {
	return "[client]\nuser=exporter\npassword=\"" + password + "\"\nhost=127.0.0.1\n"
}

// ports are where the components listen.
func ports() map[string]int {
	return map[string]int{
		"prometheus": 9090, "pushgateway": 9091, "alertmanager": 9093, "node_exporter": 9100, "mysqld_exporter": 9104, "nginx-prometheus-exporter": 9113,
		"blackbox_exporter": 9115, "redis_exporter": 9121, "postgres_exporter": 9187, "process-exporter": 9256,
	}
}

// all names every component of the fleet, each with its version.
func (f *fleet) all() (names []string) {
	for _, r := range testpeers.DebianReleases() {
		names = append(names, r.Component+"@"+r.Version)
	}
	return names
}

// install installs all: those without a secret in one call.
func (f *fleet) install(t *testing.T) {
	t.Helper()
	one := slices.DeleteFunc(f.all(), func(name string) bool { return strings.HasPrefix(name, "mysqld_exporter@") })
	for i, name := range one {
		for _, latest := range []string{"pushgateway", "alertmanager", "node_exporter"} {
			if strings.HasPrefix(name, latest+"@") {
				one[i] = latest + "@latest"
			}
		}
	}
	t.Log(f.opsctl(t, slices.Concat([]string{"install"}, one, []string{"--mirror", f.mirror, "--yes", "--settle", "100ms"})...))
	f.installSecret(t, "mysqld_exporter@0.14.0", "my.cnf", optionFile(exporterPassword))
	f.installSecret(t, "redis_exporter", "passwords.json", `{"redis://127.0.0.1:6379": "`+redisWord+`"}`)
	f.installSecret(t, "postgres_exporter", "password", postgresWord+"\n")
	// A hand that finds a quarter of a minute long. postgres_exporter takes a second to find no server.
	file := f.Path("/etc/prometheus/prometheus.yml")
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(config, []byte("scrape_interval: 15s"), []byte("scrape_interval: 3s"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log(f.opsctl(t, "service", "reload", "prometheus", "--yes"))
}

// installSecret installs a component with a secret, or gives it one.
func (f *fleet) installSecret(t *testing.T, name, secret, text string) {
	t.Helper()
	t.Log(f.opsctl(t, "install", name, "--secret", secret+"="+f.secret(t, text), "--mirror", f.mirror, "--yes", "--settle", "100ms"))
}

// poll asks until the answer is good, for half a minute.
func poll(t *testing.T, what string, ask func() (problem string)) {
	t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	problem := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-ticks.C {
		if problem = ask(); problem == "" {
			return
		}
	}
	t.Fatalf("%s: %s", what, problem)
}

// get asks a web server of the machine.
func (f *fleet) get(t *testing.T, port int, path string) (body string, ok bool) {
	t.Helper()
	out, err := f.Run(t.Context(), "curl", "-sfg", "http://127.0.0.1:"+strconv.Itoa(port)+path)
	return string(out), err == nil
}

// query is the data that Prometheus' HTTP API answers with.
func (f *fleet) query(t *testing.T, path string, data any) bool {
	t.Helper()
	body, ok := f.get(t, ports()["prometheus"], path)
	answer := struct {
		Status string
		Data   any
	}{Data: data}
	return ok && json.Unmarshal([]byte(body), &answer) == nil && answer.Status == "success"
}
