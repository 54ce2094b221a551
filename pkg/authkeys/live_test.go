package authkeys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
	"github.com/opsctl/opsctl/pkg/host"
)

// needRoot skips tests that look at this machine as root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

func liveBuilder(t *testing.T, opts Options) *builder {
	t.Helper()
	opts.Host = host.Local()
	s, err := newSite(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return &builder{site: s, set: &Set{site: s}, seen: map[string]bool{}}
}

func TestKeysCommandRunsAsItsUser(t *testing.T) {
	needRoot(t)
	b := liveBuilder(t, Options{ConfigFile: "/nonexistent"})
	user := accounts.User{Name: "alice", UID: 1000, Home: "/home/alice"}
	for _, c := range []struct{ command, as, want, fails string }{
		{"/usr/bin/printf '%%s|' %u %h %U \"a b\"", "nobody", "alice|/home/alice|1000|a b|", ""},
		{"/usr/bin/printf", "nobody", "alice", ""}, // the user's name stands in for no arguments
		{"/usr/bin/id -un", "nobody", "nobody\n", ""},
		{"/usr/bin/env /usr/bin/env", "nobody", "PATH=/usr/bin:/bin:/usr/sbin:/sbin\nUSER=nobody\nLOGNAME=nobody\nHOME=/nonexistent\n", ""},
		{"printf x", "nobody", "", "not absolute"},
		{"/usr/bin/none", "nobody", "", "no such file"},
		{"/usr/bin/printf %k", "nobody", "", errNeedsKey.Error()},
		{"/usr/bin/printf %q", "nobody", "", "unknown key %q"},
		{"/usr/bin/false x", "nobody", "", "exit status 1"},
		{"/usr/bin/printf x", "nosuch", "", "not found"},
	} {
		out, err := b.runKeysCommand(t.Context(), user, &Config{AuthorizedKeysCommand: c.command, AuthorizedKeysCommandUser: c.as})
		if c.fails == "" && (err != nil || string(out) != c.want) || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %q, %v", c.command, out, err)
		}
	}
}

func TestKeysCommandMustBeSafe(t *testing.T) {
	needRoot(t)
	program := filepath.Join(t.TempDir(), "keys") // below a folder that everybody may write
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho x\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	b := liveBuilder(t, Options{ConfigFile: "/nonexistent"})
	_, err := b.runKeysCommand(t.Context(), accounts.User{Name: "a"}, &Config{AuthorizedKeysCommand: program, AuthorizedKeysCommandUser: "root"})
	if err == nil || !strings.Contains(err.Error(), "bad ownership or modes") {
		t.Errorf("got %v", err)
	}
}

func TestLiveSettingsComeFromSshd(t *testing.T) {
	needRoot(t)
	const sshd = "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); errors.Is(err, os.ErrNotExist) {
		t.Skip("needs sshd")
	}
	config := filepath.Join(t.TempDir(), "sshd_config")
	if err := os.WriteFile(config, []byte("MaxAuthTries 3\nAuthorizedKeysFile /none/%u\nMatch User nobody\nPermitRootLogin no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := Read(t.Context(), Options{Host: host.Local(), ConfigFile: config})
	if err != nil {
		t.Fatal(err)
	}
	if set.Source != "sshd -T" {
		t.Skipf("sshd -T does not work here, the settings come from %s", set.Source)
	}
	if set.Config.MaxAuthTries != 3 || set.Config.PermitRootLogin != "without-password" || len(set.site.dumps) != 2 {
		t.Errorf("%+v, asked %d times", set.Config, len(set.site.dumps))
	}
}
