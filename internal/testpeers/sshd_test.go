package testpeers

import (
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestLoginIsAcceptedAndLoggedWithItsFileAndLine(t *testing.T) {
	box := Require(t, Bookworm())
	key, err := NewEd25519()
	if err != nil {
		t.Fatal(err)
	}
	if err := box.WriteAccounts(t.Context(), []Account{{Name: "alice", UID: 1000}}); err != nil {
		t.Fatal(err)
	}
	file := File{Name: "/home/alice/.ssh/authorized_keys", Text: "# first\n" + key.Line("alice@laptop") + "\n", Mode: 0o600, UID: 1000}
	if err := box.WriteFiles(file); err != nil {
		t.Fatal(err)
	}
	logs, err := box.ListenSyslog(Traditional, "web01")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = logs.Close() }()
	sshd, err := StartSshd(t.Context(), box, "LogLevel VERBOSE\nUsePAM no\n")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sshd.Stop() }()
	from := netip.MustParseAddr("192.0.2.7")
	got := box.Login(t.Context(), Login{User: "alice", From: from, Auth: []ssh.AuthMethod{ssh.PublicKeys(key.Signer)}})
	if got.Err != nil {
		t.Fatalf("%v\n%s", got.Err, strings.Join(logs.Lines(0), "\n"))
	}
	defer func() { _ = got.Client.Close() }()
	want := "found at /home/alice/.ssh/authorized_keys:2"
	if _, _, err := logs.Wait(t.Context(), 0, func(line string) bool { return strings.HasSuffix(line, want) }); err != nil {
		t.Errorf("%v\n%s", err, strings.Join(logs.Lines(0), "\n"))
	}
	if got.Local.Addr() != from {
		t.Errorf("source %v, want %v", got.Local, from)
	}
	t.Log(strings.Join(logs.Lines(0), "\n"))
}
