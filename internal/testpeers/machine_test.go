package testpeers

import (
	"os"
	"strings"
	"testing"
)

func TestMachineBootsSystemd(t *testing.T) {
	m := RequireMachine(t, BookwormMachine())
	out, err := m.Run(t.Context(), "systemctl", "--version")
	if err != nil || !strings.HasPrefix(string(out), "systemd 252 ") {
		t.Errorf("%v: %s", err, out)
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
