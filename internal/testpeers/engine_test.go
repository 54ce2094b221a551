package testpeers

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEngine: a registry and what stands in for its user interface run, reach each other by name, answer where they are
// published, and leave nothing.
func TestEngine(t *testing.T) {
	e := RequireEngine(t)
	docker := func(args ...string) string {
		t.Helper()
		out, err := e.Docker(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if err := e.ImportRegistry(t.Context(), "registry:2"); err != nil {
		t.Fatal(err)
	}
	if err := e.ImportUI(t.Context(), "ui:1"); err != nil {
		t.Fatal(err)
	}
	docker("network", "create", "both")
	docker("run", "-d", "--name", "registry", "--network", "both", "-v", "data:/var/lib/registry", "registry:2")
	docker("run", "-d", "--name", "ui", "--network", "both", "-e", "NGINX_PROXY_PASS_URL=http://registry:5000", "-p", "127.0.0.1:8080:80", "ui:1")
	client := &http.Client{Transport: &http.Transport{DialContext: e.Dial, DisableKeepAlives: true}}
	for name, want := range map[string]string{"v2/_catalog": `{"repositories":[]}`, "env": "NGINX_PROXY_PASS_URL=http://registry:5000"} {
		if got := poll(t, client, "http://127.0.0.1:8080/"+name); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if volume := docker("volume", "inspect", "-f", "{{.Mountpoint}}", "data"); !exists(volume) {
		t.Errorf("the volume %s is not there on this machine", volume)
	}
	base := e.box.base
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || exists(base) || strings.Contains(string(mounts), base) {
		t.Errorf("%s is still there: %v", base, err)
	}
	if left, err := filepath.Glob("/sys/fs/cgroup/*/" + e.cgroup); err != nil || len(left) > 0 {
		t.Errorf("cgroups are left: %v, %v", left, err)
	}
	e.box, e.cgroup = &Box{}, "none" // closed
}

// poll waits for a server's good answer.
func poll(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	last := ""
	for end := time.Now().Add(30 * time.Second); ; pause() {
		resp, err := client.Get(url)
		if time.Now().After(end) {
			t.Fatal(url, err, last)
		}
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err == nil && resp.StatusCode == http.StatusOK {
				return string(body)
			}
			last = resp.Status + " " + string(body)
		}
	}
}
