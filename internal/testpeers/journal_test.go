package testpeers

import (
	"strings"
	"testing"
)

func TestJournaldRecordsWhatSshdLogs(t *testing.T) {
	box := Require(t, Bookworm())
	if err := box.WriteAccounts(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	journal, err := box.StartJournald(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sshd, err := StartSshd(t.Context(), box, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := sshd.Stop(); err != nil {
		t.Fatal(err)
	}
	out, err := journal.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Stop(); err != nil {
		t.Fatal(err)
	}
	if want := `"MESSAGE":"Server listening on 0.0.0.0 port 22."`; !strings.Contains(string(out), want) {
		t.Errorf("no %s in %s", want, out)
	}
}
