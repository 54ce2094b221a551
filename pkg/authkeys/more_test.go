package authkeys

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/host"
)

func TestPermissionsAreThoseOfStrictModes(t *testing.T) {
	key := pub(t, "ed25519")
	for _, c := range []struct {
		name           string
		change         func(dir string) error
		dead, remedy   string
		strictModesOff bool
	}{
		{"untouched", func(string) error { return nil }, "", "", false},
		{"file for all", func(d string) error { return os.Chmod(d+aliceKeys, 0o666) }, "file /home/alice/.ssh/authorized_keys", "chmod go-w /home/alice/.ssh/authorized_keys", false},
		{"folder for the group", func(d string) error { return os.Chmod(d+"/home/alice/.ssh", 0o770) }, "directory /home/alice/.ssh", "chmod go-w /home/alice/.ssh", false},
		{"home for all", func(d string) error { return os.Chmod(d+"/home/alice", 0o777) }, "directory /home/alice", "chmod go-w /home/alice", false},
		{"above home", func(d string) error { return os.Chmod(d+"/home", 0o777) }, "", "", false},
		{"home for all, not strict", func(d string) error { return os.Chmod(d+"/home/alice", 0o777) }, "", "", true},
		{"another owner", func(d string) error { return os.Chown(d+aliceKeys, 1001, 1001) }, "cannot read", "chown alice /home/alice/.ssh/authorized_keys", false},
		{"root's and readable", func(d string) error { return errors.Join(os.Chown(d+aliceKeys, 0, 0), os.Chmod(d+aliceKeys, 0o644)) }, "", "", false},
		{"root's alone", func(d string) error { return errors.Join(os.Chown(d+aliceKeys, 0, 0), os.Chmod(d+aliceKeys, 0o600)) }, "cannot read", "chown alice", false},
		{"closed folder", func(d string) error {
			return errors.Join(os.Chown(d+"/home/alice/.ssh", 0, 0), os.Chmod(d+"/home/alice/.ssh", 0o700))
		}, "cannot enter folder /home/alice/.ssh", "chmod a+x", false},
		{"a folder", func(d string) error { return errors.Join(os.Remove(d+aliceKeys), os.Mkdir(d+aliceKeys, 0o700)) }, "", "", false},
	} {
		files := map[string]string{aliceKeys: key + "\n", "/etc/ssh/sshd_config": ""}
		if c.strictModesOff {
			files["/etc/ssh/sshd_config"] = "StrictModes no\n"
		}
		h := hostWith(t, files)
		if err := os.Chmod(h.Path(aliceKeys), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.change(strings.TrimSuffix(h.Path("/"), "/")); err != nil {
			t.Fatal(err)
		}
		set := readHost(t, h)
		verdict := set.WhoCan(Query{User: "alice"})
		if c.name == "a folder" {
			if len(set.Keys) != 0 || len(set.Problems) != 1 || !strings.Contains(set.Problems[0].Message, "not a regular file") {
				t.Errorf("%s: %+v", c.name, set.Problems)
			}
			continue
		}
		if len(set.Keys) != 1 || !strings.Contains(set.Keys[0].Dead, c.dead) || (c.dead == "") != verdict.Allowed || !strings.Contains(verdict.Reason, c.dead) {
			t.Errorf("%s: %+v, %+v", c.name, set.Keys, verdict)
			continue
		}
		if c.dead == "" {
			continue
		}
		if set.Keys[0].DeadKind != DeadPermissions || len(set.Problems) != 1 || set.Problems[0].Kind != ProblemPermissions || !strings.HasPrefix(set.Problems[0].Remedy, c.remedy) {
			t.Errorf("%s: %+v, %+v", c.name, set.Keys[0], set.Problems)
		}
	}
}

func TestDebianLetsAGroupOfOneWrite(t *testing.T) {
	h := hostWith(t, map[string]string{aliceKeys: pub(t, "ed25519"), "/usr/sbin/sshd": "x OpenSSH_9.2p1 Debian-2+deb12u10 x"})
	if err := os.Chmod(h.Path(aliceKeys), 0o664); err != nil {
		t.Fatal(err)
	}
	if v := readHost(t, h).WhoCan(Query{User: "alice"}); !v.Allowed {
		t.Errorf("%+v", v)
	}
}

func TestFilesAreFoundByTokensAndPatterns(t *testing.T) {
	key := pub(t, "ed25519")
	files := map[string]string{
		"/etc/ssh/sshd_config": "AuthorizedKeysFile /keys/%u.pub %h/.keys /ids/%U none .d/*.pub\n",
		"/keys/alice.pub":      key, "/home/alice/.keys": key, "/ids/1000": key, "/home/alice/.d/1.pub": key, "/home/alice/.d/2.pub": key,
	}
	newer := readHost(t, hostWith(t, files))
	files["/usr/sbin/sshd"] = "OpenSSH_9.2p1"
	older := readHost(t, hostWith(t, files))
	for _, c := range []struct {
		set  *Set
		want string
	}{
		{newer, "/keys/alice.pub /home/alice/.keys /ids/1000 /home/alice/.d/1.pub /home/alice/.d/2.pub"},
		{older, "/keys/alice.pub /home/alice/.keys /ids/1000"},
	} {
		for _, a := range c.set.Accounts {
			if a.Name == "alice" && strings.Join(a.Files, " ") != c.want {
				t.Errorf("got %v, want %s", a.Files, c.want)
			}
		}
	}
	v := newer.WhoCan(Query{User: "alice"})
	if v.File != "/keys/alice.pub" || len(v.Candidates) != 5 || !strings.Contains(v.Candidates[1].Reason, "not reached: sshd takes /keys/alice.pub:1") {
		t.Errorf("%+v", v)
	}
}

func TestUnknownTokenEndsTheConnection(t *testing.T) {
	set := readHost(t, hostWith(t, map[string]string{
		"/etc/ssh/sshd_config": "AuthorizedKeysFile .ssh/a %x\n", "/home/alice/.ssh/a": pub(t, "ed25519"),
	}))
	if v := set.WhoCan(Query{User: "alice", Key: pub(t, "ed25519")}); !v.Allowed {
		t.Errorf("the first file comes first: %+v", v)
	}
	if v := set.WhoCan(Query{User: "alice", Key: pub(t, "rsa2048")}); v.Allowed || !strings.Contains(v.Reason, "ends the connection") {
		t.Errorf("%+v", v)
	}
}

func TestCertificates(t *testing.T) {
	const config = "/etc/ssh/sshd_config"
	cert := pub(t, "ed25519-ca_ed25519-cert") // alice, bob; 10.0.0.0/8; forces /bin/true; 2020 to 2040
	ca := pub(t, "ca_ed25519")
	from := netip.MustParseAddr("10.1.1.1")
	for _, c := range []struct {
		name  string
		files map[string]string
		query Query
		want  string // file:line, or a part of the reason after "!"
	}{
		{"by a line", map[string]string{aliceKeys: "cert-authority " + ca}, Query{From: from}, aliceKeys + ":1"},
		{"by a principal of the line", map[string]string{aliceKeys: `cert-authority,principals="x,bob" ` + ca}, Query{From: from}, aliceKeys + ":1"},
		{"no principal of the line", map[string]string{aliceKeys: `cert-authority,principals="x,,bob" ` + ca}, Query{From: from}, "!authorized principal"},
		{"not marked", map[string]string{aliceKeys: ca}, Query{From: from}, "!not marked cert-authority"},
		{"the same command", map[string]string{aliceKeys: `cert-authority,command="/bin/true" ` + ca}, Query{From: from}, aliceKeys + ":1"},
		{"another command", map[string]string{aliceKeys: `cert-authority,command="/bin/false" ` + ca}, Query{From: from}, "!differ"},
		{"from elsewhere", map[string]string{aliceKeys: "cert-authority " + ca}, Query{From: netip.MustParseAddr("11.1.1.1")}, "!source-address"},
		{"too late", map[string]string{aliceKeys: "cert-authority " + ca}, Query{From: from, Now: time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC)}, "!expired"},
		{"trusted", map[string]string{config: "TrustedUserCAKeys /ca\n", "/ca": "# x\n" + ca + "\n"}, Query{From: from}, "/ca:2"},
		{"behind junk", map[string]string{config: "TrustedUserCAKeys /ca\n", "/ca": "junk\n" + ca + "\n"}, Query{From: from}, "!as far as sshd can read it"},
		{"revoked", map[string]string{config: "TrustedUserCAKeys /ca\nRevokedKeys /r\n", "/ca": ca, "/r": ca}, Query{From: from}, "!revoked by /r"},
		{"revocations missing", map[string]string{config: "TrustedUserCAKeys /ca\nRevokedKeys /r\n", "/ca": ca}, Query{From: from}, "!sshd refuses every key"},
		{"a principals file", map[string]string{config: "TrustedUserCAKeys /ca\nAuthorizedPrincipalsFile .p\n", "/ca": ca, "/home/alice/.p": "x\n# y\n\tno-pty  bob # z\n"}, Query{From: from}, "/ca:1"},
		{"no principals file", map[string]string{config: "TrustedUserCAKeys /ca\nAuthorizedPrincipalsFile .p\n", "/ca": ca}, Query{From: from}, "!does not contain an authorized principal; /home/alice/.p does not exist"},
		{"bad options of a principal", map[string]string{config: "TrustedUserCAKeys /ca\nAuthorizedPrincipalsFile .p\n", "/ca": ca, "/home/alice/.p": "bogus bob\n"}, Query{From: from}, "!authorized principal"},
		{"signature algorithm", map[string]string{config: "TrustedUserCAKeys /ca\nCASignatureAlgorithms ecdsa-*\n", "/ca": ca}, Query{From: from}, "!CASignatureAlgorithms"},
		{"forced for root", map[string]string{config: "PermitRootLogin forced-commands-only\n", "/root/.ssh/authorized_keys": "cert-authority,principals=\"bob\" " + ca}, Query{User: "root", From: from}, "/root/.ssh/authorized_keys:1"},
	} {
		set := readHost(t, hostWith(t, c.files))
		c.query.Key = cert
		if c.query.User == "" {
			c.query.User = "alice"
		}
		v := set.WhoCan(c.query)
		reason, refused := strings.CutPrefix(c.want, "!")
		if v.Allowed == refused || refused && !strings.Contains(v.Reason, reason) || !refused && v.File+":"+itoa(v.Line) != c.want {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

func TestFirstLineDecidesForRoot(t *testing.T) {
	key := pub(t, "ed25519")
	set := readHost(t, hostWith(t, map[string]string{
		"/etc/ssh/sshd_config":       "PermitRootLogin forced-commands-only\n",
		"/root/.ssh/authorized_keys": key + "\ncommand=\"x\" " + key + "\ncommand=\"x\" " + pub(t, "rsa2048") + "\ncert-authority " + pub(t, "ca_rsa") + "\n",
	}))
	v := set.WhoCan(Query{User: "root"})
	var got []string
	for _, c := range v.Candidates {
		got = append(got, c.Reason)
	}
	want := []string{
		"PermitRootLogin asks for a forced command, the line has none", "not reached: sshd takes /root/.ssh/authorized_keys:1 for the key",
		"allowed; only to run x", "allowed with a certificate of this authority that names root, or nobody and forces a command",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || v.Line != 3 {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestSecurityKeyMayHaveToVerifyItsUser(t *testing.T) {
	const key = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAQB4G97RBwUWRsZT7uvCgPg/xAURMCKOagsjgykxzV6AAAABHNzaDo="
	for _, line := range []string{key, "verify-required " + key, "verify-required " + pub(t, "ed25519")} {
		v := readHost(t, hostWith(t, map[string]string{aliceKeys: line})).WhoCan(Query{User: "alice"})
		if needs := strings.HasPrefix(line, "verify-required sk"); !v.Allowed || v.NeedsVerification != needs || v.Candidates[0].NeedsVerification != needs {
			t.Errorf("%.60s: %+v", line, v)
		}
	}
}

func TestSettingsThatRefuse(t *testing.T) {
	rsa := pub(t, "rsa2048")
	for config, reason := range map[string]string{
		"RequiredRSASize 3072":                        "RequiredRSASize is 3072",
		"PubkeyAcceptedAlgorithms -rsa-*":             "PubkeyAcceptedAlgorithms leaves ssh-rsa out",
		"PubkeyAcceptedKeyTypes -rsa-sha2-512":        "",
		"PubkeyAcceptedKeyTypes ssh-rsa":              "",
		"PubkeyAuthentication no":                     "PubkeyAuthentication is off",
		"AllowUsers bob":                              "AllowUsers does not list the user",
		"AllowUsers alice@11.*":                       "AllowUsers does not list the user from 10.1.1.1",
		"DenyUsers alice@10.1.1.1":                    "DenyUsers lists alice@10.1.1.1",
		"AllowGroups st*":                             "",
		"AllowGroups wheel":                           "AllowGroups lists none",
		"DenyGroups staff":                            "DenyGroups lists a group",
		"AuthenticationMethods password":              "AuthenticationMethods leaves public keys out",
		"Match Address 10.1.0.0/16\nRevokedKeys none": "sshd refuses every key",
		"Match User alice\nAuthorizedKeysFile none":   "no line holds the key",
	} {
		set := readHost(t, hostWith(t, map[string]string{aliceKeys: rsa, "/etc/ssh/sshd_config": config + "\n"}))
		v := set.WhoCan(Query{User: "alice", From: netip.MustParseAddr("10.1.1.1"), Key: rsa})
		if v.Allowed != (reason == "") || !strings.Contains(v.Reason, reason) {
			t.Errorf("%s: %+v", config, v)
		}
	}
	set := readHost(t, hostWith(t, map[string]string{aliceKeys: rsa, "/etc/ssh/sshd_config": "AuthenticationMethods publickey,password\n"}))
	if v := set.WhoCan(Query{User: "alice"}); !v.Allowed || !strings.Contains(v.Reason, "asks for password as well") {
		t.Errorf("%+v", v)
	}
}

func TestKeysCommandIsReportedAndRunOnlyWhenAsked(t *testing.T) {
	config := "AuthorizedKeysCommand /bin/keys %u\nAuthorizedKeysCommandUser root\n"
	set := readHost(t, hostWith(t, map[string]string{"/etc/ssh/sshd_config": config}))
	if !set.HasKeysCommand || len(set.Problems) != 1 || set.Problems[0].Kind != ProblemKeysCommand {
		t.Errorf("%+v", set.Problems)
	}
	if v := set.WhoCan(Query{User: "alice"}); !strings.Contains(v.Reason, "AuthorizedKeysCommand was not asked") {
		t.Errorf("%+v", v)
	}
}

func TestExplicitFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"home/alice/.ssh/authorized_keys": pub(t, "ed25519"), "keys/bob.pub": pub(t, "rsa2048"), "keys/carol": "junk\n" + pub(t, "ecdsa256"),
		"keys/id": "-----BEGIN OPENSSH PRIVATE KEY-----\n", "single": pub(t, "rsa3072"),
	} {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	set, err := Read(t.Context(), Options{
		Host: host.Local(), Now: testNow,
		Explicit: []string{filepath.Join(dir, "home"), filepath.Join(dir, "keys"), filepath.Join(dir, "single"), filepath.Join(dir, "none")},
	})
	if err == nil || set == nil {
		t.Fatalf("%+v, %v", set, err)
	}
	var got []string
	for _, k := range set.Keys {
		got = append(got, k.User+" "+k.Comment)
	}
	if want := "alice bob@test, bob alice smith@laptop, carol ecdsa256@test,  rsa3072@test"; strings.Join(got, ", ") != want {
		t.Errorf("got %s", strings.Join(got, ", "))
	}
	if set.Source != "explicit" || !set.Read || len(set.Problems) != 1 {
		t.Errorf("%s, %v, %+v", set.Source, set.Read, set.Problems)
	}
	if v := set.WhoCan(Query{User: "carol"}); !v.Allowed || len(v.Candidates) != 2 {
		t.Errorf("%+v", v)
	}
}

func TestFingerprintOf(t *testing.T) {
	key := pub(t, "ed25519")
	const sha, md = "SHA256:GP7DoNvYe2lv92cen48qWBPTnbLJ3+BcA8YG0AvBLlU", "MD5:"
	file := filepath.Join(t.TempDir(), "k.pub")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{key, file, strings.Fields(key)[1], "no-pty " + key} {
		forms, err := FingerprintOf(arg)
		if err != nil || len(forms) != 2 || forms[0] != sha || !strings.HasPrefix(forms[1], md) {
			t.Errorf("%.40q: %v, %v", arg, forms, err)
		}
	}
	for arg, want := range map[string]string{
		sha: sha, sha + "=": sha, "GP7DoNvYe2lv": "GP7DoNvYe2lv", "GP7Do...": "GP7Do", "SHA256:GP7Do": "GP7Do",
		"MD5:39:33:00:00:00:00:00:00:00:00:00:00:00:00:00:FF": "MD5:39:33:00:00:00:00:00:00:00:00:00:00:00:00:00:ff",
		"393300000000000000000000000000FF":                    "MD5:39:33:00:00:00:00:00:00:00:00:00:00:00:00:00:ff",
	} {
		if forms, err := FingerprintOf(arg); err != nil || len(forms) != 1 || forms[0] != want {
			t.Errorf("%q: %v, %v", arg, forms, err)
		}
	}
	for _, arg := range []string{"", "abc", "no key", "SHA256:!", "/none/such.pub x"} {
		if forms, err := FingerprintOf(arg); err == nil {
			t.Errorf("%q: %v", arg, forms)
		}
	}
}

func TestFind(t *testing.T) {
	set := readHost(t, hostWith(t, map[string]string{aliceKeys: pub(t, "ed25519") + "\n" + pub(t, "ecdsa256") + "\n" + pub(t, "ed25519")}))
	if found, err := set.Find("GP7Do"); err != nil || len(found) != 2 {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err := set.Find(pub(t, "rsa2048")); err != nil || len(found) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	_, err := set.Find("AAAA")
	if !errors.Is(err, ErrAmbiguous) || !strings.Contains(err.Error(), "bob@test") || !strings.Contains(err.Error(), "ecdsa256@test") {
		t.Errorf("%v", err)
	}
}

func TestExpiryIsReadInTheHostsZone(t *testing.T) {
	zone, err := os.ReadFile("/usr/share/zoneinfo/Asia/Shanghai")
	if err != nil {
		t.Skip("no time zone data")
	}
	set := readHost(t, hostWith(t, map[string]string{aliceKeys: `expiry-time="20260601" ` + pub(t, "ed25519"), "/etc/localtime": string(zone)}))
	if want := time.Date(2026, 5, 31, 16, 0, 0, 0, time.UTC); !set.Keys[0].Expiry.Equal(want) {
		t.Errorf("got %v", set.Keys[0].Expiry)
	}
}
