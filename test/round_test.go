package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// round is one sshd configuration with its accounts and files, made from random numbers alone.
type round struct {
	*rand.Rand
	pool   *pool
	modern bool // sshd 10.0
	calm   bool // little is out of the ordinary, so that most logins get past the configuration to the lines

	config   []string
	accounts []testpeers.Account
	group    string // etc/group
	files    []testpeers.File
	after    []change           // of folders, once all files stand
	revoke   string             // what ssh-keygen -k shall put into the KRL; "" is no KRL
	keysOf   map[string][]named // what a user's files are about
	patterns []string           // AuthorizedKeysFile as sshd will use it
}

// change sets mode and owner of a path, or replaces it by a symbolic link.
type change struct {
	path string
	mode os.FileMode // 0 leaves it
	uid  int
	link string // "" none
}

// krlFile is where a round's key revocation list lies.
const krlFile = "/etc/ssh/revoked.krl"

func newRound(rng *rand.Rand, p *pool, modern bool) *round {
	r := &round{Rand: rng, pool: p, modern: modern, calm: rng.IntN(5) < 3, keysOf: map[string][]named{}}
	r.makeAccounts()
	r.makeConfig()
	for _, a := range r.accounts {
		r.makeKeyFiles(a)
	}
	r.makeCAs()
	return r
}

// anyKey is mostly one of a type that every sshd takes.
func (r *round) anyKey() named {
	if r.maybe(75) {
		return pick(r.Rand, r.pool.plain[:r.pool.ordinary])
	}
	return pick(r.Rand, r.pool.plain)
}

// maybe is true in percent of the cases.
func (r *round) maybe(percent int) bool { return r.IntN(100) < percent }

// odd is maybe for what is out of the ordinary.
func (r *round) odd(percent int) bool { return r.maybe(percent) && (!r.calm || r.maybe(25)) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (r *round) makeAccounts() {
	r.accounts = []testpeers.Account{
		{Name: "root"},
		{Name: "alice", UID: 1001},
		{Name: "bob", UID: 1002, Shell: "/bin/busybox"},
		{Name: "carol", UID: 1003, Home: "/srv/homes/carol"},
		{Name: "dave", UID: 1004, Home: "/home/dave/"},
		{Name: "svc-web", UID: 1005, Shell: "/bin/dash"},
	}
	if r.odd(20) {
		r.accounts[4].Locked = true
	}
	if r.odd(15) {
		r.accounts[5].Shell = pick(r.Rand, []string{"/usr/sbin/gone", "/etc/passwd", "/etc"})
	}
	if r.odd(15) {
		r.accounts[3].Home = pick(r.Rand, []string{"/nonexistent", "/tmp"})
	}
	r.group = "root:x:0:\nstaff:x:50:alice,bob\nwheel:x:51:carol\nempty:x:52:\n"
	for _, a := range r.accounts[1:] {
		r.group += fmt.Sprintf("%s:x:%d:\n", a.Name, a.UID)
	}
}

// fileSets are values of AuthorizedKeysFile.
var fileSets = []string{
	"", "", "", // the default
	".ssh/authorized_keys",
	"%h/.ssh/authorized_keys /etc/ssh/keys/%u",
	"/etc/ssh/keys/%u.pub",
	".ssh/keys_%U .ssh/authorized_keys2",
	"/etc/ssh/100%%/%u .ssh/authorized_keys",
	`"/etc/ssh/with space/%u" .ssh/authorized_keys`,
	"%h/.ssh/../.ssh/authorized_keys",
}

// expand is what a pattern means for an account (sshd_config(5), TOKENS).
func expand(pattern string, a testpeers.Account) string {
	home := homeOf(a)
	name := strings.NewReplacer("%%", "%", "%h", home, "%u", a.Name, "%U", fmt.Sprint(a.UID)).Replace(strings.Trim(pattern, `"`))
	if !path.IsAbs(name) {
		name = home + "/" + name
	}
	return name
}

func homeOf(a testpeers.Account) string {
	switch {
	case a.Home != "":
		return a.Home
	case a.UID == 0:
		return "/root"
	}
	return "/home/" + a.Name
}

func splitPatterns(set string) []string {
	if set == "" {
		return []string{".ssh/authorized_keys", ".ssh/authorized_keys2"}
	}
	if rest, ok := strings.CutPrefix(set, `"`); ok {
		quoted, rest, _ := strings.Cut(rest, `"`)
		return append([]string{quoted}, strings.Fields(rest)...)
	}
	return strings.Fields(set)
}

func (r *round) makeKeyFiles(a testpeers.Account) {
	own := make([]named, 3)
	for i := range own {
		own[i] = r.anyKey()
	}
	r.keysOf[a.Name] = own
	for i, pattern := range r.patterns {
		if i > 0 && r.maybe(50) || homeOf(a) == "/nonexistent" && !path.IsAbs(pattern) {
			continue
		}
		r.makeKeyFile(a, expand(pattern, a), own)
	}
	if homeOf(a) != "/tmp" && r.odd(12) {
		r.after = append(r.after, change{
			path: homeOf(a), mode: pick(r.Rand, []os.FileMode{0o775, 0o777, 0o757, 0o701, 0o700}), uid: pick(r.Rand, []int{a.UID, a.UID, 0, 1002}),
		})
	}
}

func (r *round) makeKeyFile(a testpeers.Account, name string, own []named) {
	lines := make([]string, 2+r.IntN(6))
	for i := range lines {
		lines[i] = r.line(own)
	}
	f := testpeers.File{Name: name, Text: r.joinLines(lines), UID: a.UID, Mode: 0o600}
	if r.odd(25) {
		f.Mode = pick(r.Rand, []os.FileMode{0o644, 0o664, 0o666, 0o646, 0o400, 0o000, 0o700})
	}
	if r.odd(10) {
		f.UID = pick(r.Rand, []int{0, 0, 1001, 1003})
	}
	if slices.ContainsFunc(r.files, func(g testpeers.File) bool { return g.Name == f.Name }) {
		return
	}
	r.files = append(r.files, f)
	dir := path.Dir(name)
	if path.Base(dir) == ".ssh" && r.odd(15) {
		r.after = append(r.after, change{path: dir, mode: pick(r.Rand, []os.FileMode{0o755, 0o775, 0o777, 0o722, 0o500}), uid: pick(r.Rand, []int{a.UID, a.UID, 0, 1004})})
	}
	if r.odd(6) {
		// The real file lies elsewhere; its folders count for StrictModes.
		target := pick(r.Rand, []string{"/srv/keys/", "/tmp/keys/"}) + a.Name + "_" + path.Base(name)
		r.files[len(r.files)-1].Name = target
		r.after = append(r.after, change{path: name, link: target, uid: a.UID})
	}
}

// joinLines ends lines as editors do, rightly or wrongly.
func (r *round) joinLines(lines []string) string {
	text := strings.Join(lines, "\n") + "\n"
	kind := r.IntN(100)
	if r.calm {
		kind = r.IntN(400)
	}
	switch {
	case kind < 8:
		return strings.Join(lines, "\r\n") + "\r\n"
	case kind < 14:
		return "\ufeff" + text
	case kind < 20:
		return strings.TrimSuffix(text, "\n")
	case kind < 22:
		return strings.Join(lines, "\r") + "\n"
	}
	return text
}

// install puts the round into a box.
func (r *round) install(t *testing.T, box *testpeers.Box) {
	t.Helper()
	if err := box.WriteAccounts(t.Context(), r.accounts); err != nil {
		t.Fatal(err)
	}
	r.files = append(r.files, testpeers.File{Name: "/etc/group", Text: r.group, Mode: 0o644},
		testpeers.File{Name: "/etc/pam.d/sshd", Text: "auth required pam_deny.so\naccount required pam_unix.so\nsession required pam_permit.so\n", Mode: 0o644},
		testpeers.File{Name: "/etc/pam.d/other", Text: "auth required pam_deny.so\n", Mode: 0o644})
	if err := box.WriteFiles(r.files...); err != nil {
		t.Fatal(err)
	}
	if r.revoke != "" {
		if err := box.WriteFiles(testpeers.File{Name: "/etc/ssh/revoke.spec", Text: r.revoke, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := box.Run(t.Context(), "/usr/bin/ssh-keygen", "-q", "-k", "-f", krlFile, "-s", "/etc/ssh/ca0.pub", "/etc/ssh/revoke.spec"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range r.after {
		if err := c.apply(box); err != nil {
			t.Fatal(err)
		}
	}
}

func (c change) apply(box *testpeers.Box) error {
	name := box.Path(c.path)
	if c.link != "" {
		if err := box.WriteFiles(testpeers.File{Name: path.Dir(c.path) + "/.keep", Mode: 0o600, UID: c.uid}); err != nil {
			return err
		}
		if err := os.Symlink(c.link, name); err != nil {
			return err
		}
		return os.Lchown(name, c.uid, c.uid)
	}
	if _, err := os.Stat(name); os.IsNotExist(err) {
		return nil
	}
	if err := os.Chown(name, c.uid, c.uid); err != nil {
		return err
	}
	return os.Chmod(name, c.mode)
}
