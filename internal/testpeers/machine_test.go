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
	unit := "[Service]\nType=oneshot\nDynamicUser=yes\nExecStart=/bin/sh -c 'id -un; cat /proc/net/dev | wc -l'\n"
	if err := os.WriteFile(m.Path("/etc/systemd/system/try.service"), []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), "systemctl", "start", "try"); err != nil {
		t.Error(err)
	}
	out, err = m.Run(t.Context(), "journalctl", "-u", "try", "-o", "cat", "_COMM=sh", "+", "_COMM=id")
	if err != nil || !strings.Contains(string(out), "try\n") {
		t.Errorf("%v: %s", err, out)
	}
}
