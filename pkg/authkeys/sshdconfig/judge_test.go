package sshdconfig_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
	"github.com/opsctl/opsctl/pkg/host"
)

const mainFile = "/etc/ssh/sshd_config"

// generator writes configurations out of the directives that matter, mostly valid ones.
type generator struct {
	*rand.Rand
	version sshdconfig.Version
}

func (g generator) pick(words ...string) string { return words[g.IntN(len(words))] }

func (g generator) directive() string {
	values := map[string][]string{
		"PubkeyAuthentication":            {"yes", "no", "YES"},
		"PasswordAuthentication":          {"yes", "no"},
		"ChallengeResponseAuthentication": {"yes", "no"},
		"AuthorizedKeysFile":              {".ssh/a", ".ssh/a .ssh/b", "/k/%u", "none", `"/with blank/%u" x`, "~/x", "%h/k # comment", `a\ b`, "a'b c'd"},
		"AuthorizedKeysCommand":           {"/bin/keys %u", "none", "/bin/other"},
		"AuthorizedKeysCommandUser":       {"nobody", "alice"},
		"AuthorizedPrincipalsFile":        {"/p/%u", "none", "~/p", ".p"},
		"AuthorizedPrincipalsCommand":     {"/bin/principals %u", "none"},
		"AuthorizedPrincipalsCommandUser": {"nobody"},
		"TrustedUserCAKeys":               {"/etc/ssh/ca", "none", "rel", "NONE"},
		"RevokedKeys":                     {"/etc/ssh/krl", "none"},
		"AllowUsers":                      {"alice", "bob@10.*", "a* b*", "*@192.168.0.0/16"},
		"DenyUsers":                       {"carol", "x@y@10.0.0.0/8"},
		"AllowGroups":                     {"staff wheel", "*"},
		"DenyGroups":                      {"evil"},
		"AuthenticationMethods":           {"any", "publickey", "publickey,password publickey,keyboard-interactive:pam"},
		"PermitRootLogin":                 {"yes", "no", "prohibit-password", "without-password", "forced-commands-only"},
		"RequiredRSASize":                 {"2048", "0", " 3072"},
		"PubkeyAcceptedAlgorithms":        {"+ssh-rsa", "-ssh-rsa*,rsa-*", "^rsa-sha2-256", "ssh-ed25519,rsa-*", "ecdsa-*", "-*nistp*"},
		"PubkeyAcceptedKeyTypes":          {"+ssh-rsa-cert-v01@openssh.com", "ssh-ed25519"},
		"CASignatureAlgorithms":           {"-rsa-sha2-256", "ssh-ed25519", "+ssh-rsa"},
		"ForceCommand":                    {"/bin/true a  b", "none", `"x y" # z`},
		"ChrootDirectory":                 {"/jail/%u", "none"},
		"LogLevel":                        {"VERBOSE", "debug", "DEBUG1", "quiet"},
		"PubkeyAuthOptions":               {"touch-required", "none", "verify-required touch-required"},
		"ExposeAuthInfo":                  {"yes"},
		"MaxAuthTries":                    {"3", "10"},
	}
	global := map[string][]string{
		"UsePAM": {"yes", "no"}, "UseDNS": {"yes", "no"}, "StrictModes": {"yes", "no"}, "LoginGraceTime": {"30", "1m30s", "0"},
		"SyslogFacility": {"AUTHPRIV", "local3"}, "FingerprintHash": {"md5", "sha256"}, "Port": {"22", "2222"},
		"Protocol": {"2"}, "KeyRegenerationInterval": {"1h"}, "X11Forwarding": {"yes"}, "DSAAuthentication": {"no"},
	}
	table := values
	if g.IntN(8) == 0 {
		table = global
	}
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	name := names[g.IntN(len(names))]
	value := table[name][g.IntN(len(table[name]))]
	if g.IntN(3) == 0 {
		name = strings.ToLower(name)
	}
	return g.pick("", "\t", "  ") + name + g.pick(" ", "=", " = ", "\t") + value + g.pick("", " ", "\r")
}

func (g generator) match() string {
	criteria := []string{
		"User " + g.pick("alice", "bob,alice", "*,!alice", "a*", `"alice"`), "Group " + g.pick("staff", "*,!wheel", "wheel"),
		"Host " + g.pick("*.example", "web.example", "!web.*,*"), "Address " + g.pick("10.0.0.0/8", "!10.1.0.0/16,10.*", "192.168.1.1"),
		"LocalPort " + g.pick("22", "2222"), "LocalAddress 10.9.9.9",
	}
	if g.version.AtLeast(9, 9) {
		criteria = append(criteria, "user=alice", "Invalid-User", "Address=10.0.0.0/8")
	}
	switch g.IntN(8) {
	case 0:
		return "Match all"
	case 1:
		return "Match " + criteria[g.IntN(len(criteria))] + " " + criteria[g.IntN(len(criteria))] + g.pick("", " # why")
	}
	return g.pick("Match ", "match\t") + criteria[g.IntN(len(criteria))]
}

func (g generator) text(depth int, includes []string) string {
	var out strings.Builder
	for range 2 + g.IntN(8) {
		switch n := g.IntN(40); {
		case n == 0:
			out.WriteString("# a comment\n\n")
		case n < 3 && len(includes) > 0:
			out.WriteString("Include " + includes[g.IntN(len(includes))] + "\n")
		case n < 9 && depth < 2:
			out.WriteString(g.match() + "\n")
		case n == 9 && g.IntN(4) == 0:
			out.WriteString(g.pick("NoSuchThing yes", "PermitRootLogin maybe", `AuthorizedKeysFile "open`, "Port 0", "Match", "Match all user x", "Include") + "\n")
		default:
			out.WriteString(g.directive() + "\n")
		}
	}
	return out.String()
}

func judge(t *testing.T, recipe testpeers.Recipe, rounds int) {
	t.Helper()
	box := testpeers.Require(t, recipe)
	ctx := t.Context()
	prepare(ctx, t, box)
	text, err := box.Version(ctx)
	if err != nil {
		t.Fatal(err)
	}
	version, ok := sshdconfig.ParseVersion([]byte(text))
	if !ok {
		t.Fatalf("version of %q", text)
	}
	seed := rand.Uint64()
	t.Logf("%s, seed %d", text, seed)
	g := generator{rand.New(rand.NewPCG(seed, 2)), version}
	root, err := host.Root(box.Dir)
	if err != nil {
		t.Fatal(err)
	}
	valid := 0
	for range rounds {
		files := map[string]string{
			"/etc/ssh/sshd_config.d/10-a.conf": g.text(0, nil), "/etc/ssh/sshd_config.d/20-b.conf": g.text(1, []string{"sub/*"}),
			"/etc/ssh/sub/c": g.text(1, nil),
		}
		files[mainFile] = g.text(0, []string{"sshd_config.d/*.conf", "/etc/ssh/sub/c", "none/*", "sshd_config.d/20-b.conf sub/c"})
		var all strings.Builder
		for name, content := range files {
			if err := box.WriteFiles(testpeers.File{Name: name, Text: content, Mode: 0o644}); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "--- %s\n%s", name, content)
		}
		if compareOne(ctx, t, g, box, root, all.String()) {
			valid++
		}
		if t.Failed() {
			return
		}
	}
	if valid < rounds/4 {
		t.Errorf("only %d of %d configurations were valid", valid, rounds)
	}
}

func prepare(ctx context.Context, t *testing.T, box *testpeers.Box) {
	t.Helper()
	if err := box.WriteAccounts(ctx, []testpeers.Account{{Name: "alice", UID: 1000}, {Name: "bob", UID: 1001}}); err != nil {
		t.Fatal(err)
	}
	sshd, err := testpeers.StartSshd(ctx, box, "") // makes the host key
	if err != nil {
		t.Fatal(err)
	}
	if err := sshd.Stop(); err != nil {
		t.Fatal(err)
	}
}

// compareOne asks sshd about a connection and compares; it says whether the configuration is valid.
func compareOne(ctx context.Context, t *testing.T, g generator, box *testpeers.Box, root *host.Host, text string) bool {
	t.Helper()
	conn := sshdconfig.Connection{
		User: g.pick("alice", "bob", "nosuch"), Host: g.pick("web.example", "10.1.2.3"), Address: g.pick("10.1.2.3", "10.2.2.2", "192.168.1.1"),
		LocalAddr: g.pick("10.9.9.9", "10.8.8.8"), LocalPort: 22,
	}
	spec := fmt.Sprintf("user=%s,host=%s,addr=%s,laddr=%s,lport=%d", conn.User, conn.Host, conn.Address, conn.LocalAddr, conn.LocalPort)
	out, sshdErr := box.Run(ctx, "/usr/sbin/sshd", "-T", "-f", mainFile, "-h", testpeers.HostKey, "-C", spec)
	file, err := sshdconfig.Load(root, mainFile, sshdconfig.Env{
		Version: g.version,
		Groups:  func(user string) []string { return map[string][]string{"alice": {"alice"}, "bob": {"bob"}}[user] },
		Home:    func(user string) (string, bool) { return map[string]string{"": "/root"}[user], user == "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	fatal := slices.ContainsFunc(file.Problems(), func(p sshdconfig.Problem) bool { return p.Kind != sshdconfig.Deprecated })
	ours, _, connErr := file.For(conn)
	fatal = fatal || connErr != nil
	if (sshdErr != nil) != fatal {
		t.Errorf("sshd says %v %s\nproblems %+v\n%s", sshdErr, out, file.Problems(), text)
		return false
	}
	if fatal {
		return false
	}
	theirs := sshdconfig.FromDump(out, g.version, nil)
	normalize(ours)
	normalize(theirs)
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("%s\n-sshd +ours\n%s\n%s", spec, diff, text)
	}
	return true
}

// normalize takes out what sshd -T cannot tell apart.
func normalize(c *sshdconfig.Config) {
	for _, s := range []*string{
		&c.TrustedUserCAKeys, &c.RevokedKeys, &c.AuthorizedPrincipalsFile, &c.AuthorizedPrincipalsCmd, &c.AuthorizedKeysCommand,
	} {
		if strings.EqualFold(*s, "none") {
			*s = ""
		}
	}
	c.AuthorizedKeysFiles = strings.Fields(strings.Join(c.AuthorizedKeysFiles, " "))
}

// rounds chooses by OPSCTL_TORTURE.
func rounds() int {
	switch os.Getenv("OPSCTL_TORTURE") {
	case "", "0":
		return 150
	case "short":
		return 400
	}
	return 3000
}

func TestAgreesWithSshd92(t *testing.T)  { judge(t, testpeers.Bookworm(), rounds()) }
func TestAgreesWithSshd100(t *testing.T) { judge(t, testpeers.Trixie(), rounds()) }
