package accounts

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/host"
)

func read(t *testing.T, files map[string]string) (*Database, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.Root(dir)
	if err != nil {
		t.Fatal(err)
	}
	return Read(t.Context(), h)
}

func TestRead(t *testing.T) {
	db, err := read(t, map[string]string{
		"passwd": "# comment\nroot:x:0:0:root:/root:/bin/bash\n\n  alice:x:1000:1000:Alice,,,:/home/alice:\n+nis\nbroken:x:a:b\n" +
			"bob:!:1001:50\nalice:x:2000:2000::/other:/bin/sh\n",
		"group":  "root:x:0:\nalice:x:1000:\nstaff:x:50:alice,bob,\nwheel:x:10:alice\nagain:x:1000:bob\nbad:x:y:\n",
		"shadow": "root:*:1::::::\nalice:!$6$x:1:0:99999:7:::\nbob:$6$y:1:0:99999:7::19000:\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	alice, ok := db.Lookup(t.Context(), "alice")
	if !ok || alice.UID != 1000 || alice.Home != "/home/alice" || alice.Shell != "" || !alice.Locked || !alice.Expires.IsZero() {
		t.Errorf("alice: %+v", alice)
	}
	bob, ok := db.Lookup(t.Context(), "bob")
	if !ok || bob.Locked || !bob.Expires.Equal(time.Date(2022, 1, 9, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("bob: %+v", bob)
	}
	if _, ok := db.Lookup(t.Context(), "broken"); ok {
		t.Error("an entry without numbers is none")
	}
	if names := db.GroupNames(alice); !slices.Equal(names, []string{"alice", "staff", "wheel"}) {
		t.Errorf("alice's groups %v", names)
	}
	if names := db.GroupNames(bob); !slices.Equal(names, []string{"staff", "alice"}) {
		t.Errorf("bob's groups %v: the first group with an id gives its name", names)
	}
	if home, ok := db.Home(""); !ok || home != "/root" {
		t.Errorf("root's home %q", home)
	}
}

func TestOwnGroup(t *testing.T) {
	db, err := read(t, map[string]string{
		"passwd": "a:x:1:1::/a:\nb:x:2:2::/b:\nc:x:3:3::/c:\nd:x:4:3::/d:\ne:x:5:99::/e:\n",
		"group":  "a:x:1:\nb:x:2:b\nc:x:3:\nempty:x:6:\nother:x:7:a\ntwo:x:8:a,b\n",
		"shadow": "",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		gid, owner, uid uint32
		want            bool
		why             string
	}{
		{1, 1, 1, true, "the private group"},
		{2, 2, 2, true, "listed in it, too"},
		{3, 3, 3, false, "another user's primary group"},
		{6, 1, 1, false, "a group without members"},
		{7, 1, 1, true, "listed alone"},
		{8, 1, 1, false, "listed with another"},
		{99, 5, 5, false, "a group without a name"},
		{1, 0, 1, false, "an owner without a name"},
		{1, 2, 1, true, "another's file, which the owner check refuses"},
	} {
		if got := db.OwnGroup(c.gid, c.owner, c.uid); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	if _, err := read(t, nil); err == nil {
		t.Error("without users nothing works")
	}
	db, err := read(t, map[string]string{"passwd": "a:x:1:1::/a:\n"})
	if err == nil || db == nil {
		t.Errorf("without groups: %+v, %v", db, err)
	}
	db, err = read(t, map[string]string{"passwd": "a:x:1:1::/a:\n", "group": ""})
	if err != nil || db.ShadowRead {
		t.Errorf("without shadow: %+v, %v", db, err)
	}
}
