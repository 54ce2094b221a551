package testpeers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
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
