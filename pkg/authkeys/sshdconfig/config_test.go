package sshdconfig

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/host"
)

// load writes files below a folder and loads /etc/ssh/sshd_config from there.
func load(t *testing.T, version Version, files map[string]string) *File {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, "etc/ssh", name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Root(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Load(h, "/etc/ssh/sshd_config", Env{
		Version: version,
		Groups:  func(user string) []string { return map[string][]string{"alice": {"staff"}}[user] },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestProblemsAreThoseOfSshd(t *testing.T) {
	f := load(t, Newest(), map[string]string{
		"sshd_config": "Nonsense yes\nUsePrivilegeSeparation yes\nPort\nInclude more.conf\nPermitRootLogin perhaps\n" +
			"Match User x\nPort 22\nAuthorizedKeysFile \"open\nMatch\n",
		"more.conf": "\n\nMatch Address 10.0.0.1/8\nGSSAPIUseSessionCredCache no\n",
	})
	var got []string
	for _, p := range f.Problems() {
		got = append(got, strings.Join([]string{filepath.Base(p.File), string(rune('0' + p.Line)), string(p.Kind), p.Message}, " "))
	}
	want := []string{
		"sshd_config 1 unknown-directive Bad configuration option: Nonsense",
		"sshd_config 2 deprecated-directive Deprecated option UsePrivilegeSeparation",
		`sshd_config 3 bad-config no argument after keyword "Port"`,
		`more.conf 3 bad-config bad Match condition: invalid Match address argument "10.0.0.1/8"`,
		`more.conf 4 bad-config directive "GSSAPIUseSessionCredCache" is not allowed within a Match block`,
		`sshd_config 5 bad-config permitrootlogin: unsupported option "perhaps"`,
		`sshd_config 7 bad-config directive "Port" is not allowed within a Match block`,
		"sshd_config 8 bad-config invalid quotes",
		`sshd_config 9 bad-config no argument after keyword "Match"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMatchReplacesAndFirstValueWins(t *testing.T) {
	f := load(t, Newest(), map[string]string{
		"sshd_config": "AllowUsers a b\nAllowUsers c\nPermitRootLogin no\nPermitRootLogin yes\nRevokedKeys none\n" +
			"Match Group staff\nAllowUsers d\nRevokedKeys none\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\nAllowUsers e\n",
	})
	if c := f.Global(); !slices.Equal(c.AllowUsers, []string{"a", "b", "c"}) || c.PermitRootLogin != "no" || c.RevokedKeys != "" {
		t.Errorf("%+v", c)
	}
	c, one, err := f.For(Connection{User: "alice", Address: "10.1.1.1"})
	if err != nil || !slices.Equal(c.AllowUsers, []string{"d", "e"}) || c.PermitRootLogin != "yes" || c.RevokedKeys != "none" {
		t.Errorf("%+v, %v", c, err)
	}
	c, two, _ := f.For(Connection{User: "bob"})
	if !slices.Equal(c.AllowUsers, []string{"a", "b", "c"}) || one == two {
		t.Errorf("%+v, paths %s and %s", c, one, two)
	}
	if !f.HasMatch() || !f.ByAddress() {
		t.Error("the file has blocks, by address too")
	}
	if c, _, _ := f.For(Connection{User: "bob", AnyAddress: true}); c.PermitRootLogin != "yes" {
		t.Errorf("any address: %+v", c)
	}
}

// sshd lets a directive of the main section pass in "Match all", where it counts only if it is the first of its kind.
func TestMatchAllDoesNotReplaceWhatIsGlobal(t *testing.T) {
	for config, want := range map[string]bool{
		"StrictModes no\nMatch all\nStrictModes yes\n": false,
		"Match all\nStrictModes no\n":                  false,
		"StrictModes yes\nMatch all\nStrictModes no\n": true,
	} {
		c, _, err := load(t, Newest(), map[string]string{"sshd_config": config}).For(Connection{User: "alice", Address: "10.0.0.1"})
		if err != nil || c.StrictModes != want {
			t.Errorf("%q: StrictModes %v, %v", config, c.StrictModes, err)
		}
	}
}

func TestIncludeDoesNotNestForEver(t *testing.T) {
	f := load(t, Newest(), map[string]string{"sshd_config": "Include sshd_config\n"})
	if p := f.Problems(); len(p) != 1 || !strings.Contains(p[0].Message, "too many recursive") {
		t.Errorf("%+v", p)
	}
	f = load(t, Newest(), map[string]string{"sshd_config": "Include sshd_config sshd_config\n"})
	if p := f.Problems(); len(p) != 1 {
		t.Errorf("%d problems", len(p))
	}
}

func TestReleasesDiffer(t *testing.T) {
	text := map[string]string{"sshd_config": "AuthorizedKeysCommand /a\nAuthorizedKeysCommandUser u\nAuthorizedPrincipalsCommand /b\n" +
		"AuthorizedPrincipalsCommandUser u\nMatch user=alice\nPermitRootLogin yes\n"}
	older := load(t, Version{Major: 9, Minor: 2}, text)
	if c := older.Global(); c.AuthorizedPrincipalsCmd != "" {
		t.Errorf("9.2 ignores the second command: %+v", c)
	}
	newer := load(t, Newest(), text)
	if c := newer.Global(); c.AuthorizedPrincipalsCmd != "/b" {
		t.Errorf("10.0 does not: %+v", c)
	}
	for _, f := range []*File{older, newer} {
		if c, _, err := f.For(Connection{User: "alice"}); err != nil || c.PermitRootLogin != "yes" || len(f.Problems()) != 0 {
			t.Errorf("%v: user=alice is read by both: %+v, %v, %v", f.version, c, err, f.Problems())
		}
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"junk OpenSSH_9.2p1 Debian-2+deb12u10 junk":     {9, 2, true},
		"OpenSSH_10.0p2 Ubuntu-1":                       {10, 0, true},
		"OpenSSH_8.7p1, OpenSSL 3.0.7":                  {8, 7, false},
		"OpenSSH_10.0 x OpenSSH_6.6.1* x OpenSSH_7.0*":  {10, 0, false},
		"unknown option -- V\nOpenSSH_9.2p1, OpenSSL 3": {9, 2, false},
	} {
		if got, ok := ParseVersion([]byte(text)); !ok || got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if _, ok := ParseVersion([]byte("OpenSSH_for_Windows")); ok {
		t.Error("no version there")
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		`a "b c" 'd e'f \" \  # x`: `a|b c|d ef|"| `, `a#b #c`: "a#b", `"" x`: "|x", `a\b`: `a\b`, `"a\"b"`: `a"b`, "": "",
	} {
		if got, err := Split(text, true); err != nil || strings.Join(got, "|") != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := Split(`a "b`, true); err == nil {
		t.Error("no end quote")
	}
	for text, want := range map[string]int64{"90": 90, "1h30m": 5400, "2W": 1209600, "10s5": 15, "x": -1, "": -1, "1y": -1, "-1": -1, "99999999999": -1} {
		got, ok := seconds(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func FuzzConfig(f *testing.F) {
	h, err := host.Root(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Match User a Address 10.0.0.0/8\nAuthorizedKeysFile %h/x \"b c\"\nInclude *\nPubkeyAcceptedAlgorithms +ssh-*\n")
	f.Add("Include /etc/ssh/sshd_config\nMatch all\nMatch invalid-user user=x\n")
	f.Fuzz(func(t *testing.T, content string) {
		for _, version := range []Version{{Major: 9, Minor: 2}, Newest()} {
			file := &File{
				host: h, name: "/f", version: version, env: Env{Version: version}, keywords: keywords(),
				texts: map[string]text{"/f": {lines: splitLines(content)}}, globs: map[string][]string{"/etc/ssh/f": {"/f"}},
			}
			file.global = file.evaluate(nil).values
			conn := Connection{User: "a", Address: "10.0.0.1", Host: "h", LocalPort: 22}
			c, one, _ := file.For(conn)
			d, two, _ := file.For(conn)
			if one != two || c.PermitRootLogin != d.PermitRootLogin || len(c.AuthorizedKeysFiles) == 0 {
				t.Errorf("%q: not the same twice", content)
			}
			FromDump([]byte(content), version, c)
		}
	})
}
