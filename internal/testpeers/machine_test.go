package testpeers

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMachineBootsSystemd(t *testing.T) {
	for version, recipe := range Machines() {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			if version != 252 && os.Getenv("OPSCTL_TORTURE") == "" {
				t.Skip("booted under OPSCTL_TORTURE")
			}
			boots(t, RequireMachine(t, recipe), fmt.Sprintf("systemd %d ", version))
		})
	}
}

func boots(t *testing.T, m *Machine, banner string) {
	t.Helper()
	out, err := m.Run(t.Context(), "systemctl", "--version")
	if err != nil || !strings.HasPrefix(string(out), banner) {
		t.Errorf("%v: %s", err, out)
	}
	if state, _ := m.Run(t.Context(), "systemctl", "is-system-running"); strings.TrimSpace(string(state)) != "running" {
		failed, err := m.Run(t.Context(), "systemctl", "--failed", "--no-legend")
		t.Errorf("it is %s%s%v", state, failed, err)
	}
	unit := "[Service]\nType=oneshot\nDynamicUser=yes\nStandardOutput=file:/run/said\nExecStart=/bin/sh -c 'id -un; cat /proc/net/dev | wc -l'\n"
	if err := os.WriteFile(m.Path("/etc/systemd/system/try.service"), []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), "systemctl", "start", "try"); err != nil {
		t.Error(err)
	}
	// Not from the journal, which may miss whose a line of so short a process is.
	out, err = os.ReadFile(m.Path("/run/said"))
	if err != nil || !strings.HasPrefix(string(out), "try\n") {
		t.Errorf("%v: %s", err, out)
	}
}

// A listener of the machine's is reached from inside, and making many ends no process of this one's.
func TestMachineListens(t *testing.T) {
	m := RequireMachine(t, BookwormMachine())
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	defer func() { _ = server.Close() }()
	for range 50 {
		l, err := m.Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = server.Serve(l) }()
		if out, err := m.Run(t.Context(), "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://"+l.Addr().String()); err != nil || string(out) != "404" {
			t.Fatalf("%q, %v", out, err)
		}
	}
}
