package authkeys

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/host"
)

var testNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func pub(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/keys", name+".pub"))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// hostWith makes a host whose accounts are alice (uid 1000), bob (1001) and root. The files must be owned
// by their users, so that only root can run the tests that need it.
func hostWith(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give files to users")
	}
	dir := t.TempDir()
	all := map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n",
		"etc/group":  "root:x:0:\nalice:x:1000:\nbob:x:1001:\nstaff:x:50:alice\n", "etc/shadow": "root:*:::::::\nalice:*:::::::\nbob:!*:::::::\n",
		"bin/sh": "", "etc/hostname": "web1\n",
	}
	for name, text := range files {
		all[strings.TrimPrefix(name, "/")] = text
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range all {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for user, uid := range map[string]int{"alice": 1000, "bob": 1001} {
		home := filepath.Join(dir, "home", user)
		if err := os.MkdirAll(home, 0o755); err != nil {
			t.Fatal(err)
		}
		err := filepath.Walk(home, func(name string, _ os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(name, uid, uid)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Root(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func readHost(t *testing.T, h *host.Host) *Set {
	t.Helper()
	set, err := Read(t.Context(), Options{Host: h, Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const aliceKeys = "/home/alice/.ssh/authorized_keys"

func TestReadNamesEveryKeyAndWhyItIsDead(t *testing.T) {
	key := pub(t, "ed25519")
	lines := []string{
		"# comment", key, "restrict,pty,expiry-time=\"20260601Z\" " + pub(t, "rsa2048"), "unknown " + key, pub(t, "dsa"), pub(t, "rsa1024"), "junk",
		"principals=\"x\" " + key, `from="10.0.0.0/8" ` + pub(t, "ecdsa256"), "cert-authority " + pub(t, "ca_ed25519"), `from="10.0.0.1/8" ` + key,
		pub(t, "ed25519-ca_rsa-cert"),
	}
	set := readHost(t, hostWith(t, map[string]string{
		aliceKeys: strings.Join(lines, "\n"), "/home/bob/.ssh/authorized_keys": "\xef\xbb\xbf" + key + "\n" + key + "\n",
		"/etc/ssh/sshd_config": "RequiredRSASize 2048\nUsePAM no\n",
	}))
	want := []string{
		"alice 2 ssh-ed25519 256 ", "alice 3 ssh-rsa 2048 expired", "alice 4 ssh-ed25519 256 unknown-option", "alice 5 ssh-dss 1024 type-unsupported",
		"alice 6 ssh-rsa 1024 too-small", "alice 8 ssh-ed25519 256 invalid-option", "alice 9 ecdsa-sha2-nistp256 256 ", "alice 10 ssh-ed25519 256 ",
		"alice 11 ssh-ed25519 256 invalid-option", "alice 12 ssh-ed25519-cert-v01@openssh.com 256 type-unsupported",
		"bob 1 ssh-ed25519 256 bom", "bob 2 ssh-ed25519 256 user-denied",
	}
	var got []string
	for _, k := range set.Keys {
		got = append(got, strings.Join([]string{k.User, itoa(k.Line), k.Type, itoa(k.Bits), string(k.DeadKind)}, " "))
		if (k.Dead == "") != (k.DeadKind == "") || k.Host != "web1" || !strings.HasPrefix(k.SHA256, "SHA256:") {
			t.Errorf("%+v", k)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(set.CAs) != 1 || set.CAs[0].Line != 10 || len(set.Problems) != 1 || set.Problems[0].Line != 7 || set.Source != "sshd_config" || !set.Read {
		t.Errorf("%+v, %+v, %s", set.CAs, set.Problems, set.Source)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestWhoCan(t *testing.T) {
	key := pub(t, "ed25519")
	h := hostWith(t, map[string]string{
		aliceKeys:              `from="10.0.0.0/8,!10.9.9.9" ` + key + "\n" + key + "\n" + `from="192.168.*" ` + pub(t, "rsa2048") + "\n",
		"/etc/ssh/sshd_config": "DenyUsers *@10.66.0.0/16\n",
	})
	set := readHost(t, h)
	for _, c := range []struct {
		user, from, key string
		allowed         bool
		line            int
		reason          string
	}{
		{"alice", "10.1.1.1", key, true, 1, ""},
		{"alice", "10.9.9.9", key, true, 2, ""},
		{"alice", "11.1.1.1", key, true, 2, ""},
		{"alice", "::ffff:10.1.1.1", key, true, 1, ""},
		{"alice", "192.168.3.4", pub(t, "rsa2048"), true, 3, ""},
		{"alice", "10.1.1.1", pub(t, "rsa2048"), false, 0, `from="192.168.*" does not permit 10.1.1.1`},
		{"alice", "10.66.1.1", key, false, 0, "DenyUsers"},
		{"alice", "10.1.1.1", pub(t, "ecdsa256"), false, 0, "no line holds the key"},
		{"carol", "10.1.1.1", "", false, 0, "no such user"},
		{"bob", "10.1.1.1", "", false, 0, "locked"},
		{"alice", "", "", true, 1, ""},
	} {
		q := Query{User: c.user, Key: c.key}
		if c.from != "" {
			q.From = netip.MustParseAddr(c.from)
		}
		v := set.WhoCan(q)
		if v.Allowed != c.allowed || v.Line != c.line || !strings.Contains(v.Reason, c.reason) || c.allowed && v.File != aliceKeys {
			t.Errorf("%s from %s: %+v", c.user, c.from, v)
		}
	}
}
