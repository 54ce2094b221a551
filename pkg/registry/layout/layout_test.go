package layout

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// write lays files down below docker/registry/v2; a name that ends in a slash is a folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(dir, v2, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(at, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(at, []byte(files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// gather sorts what a walk yields: the texts of the things and of the problems.
func gather[T any](walk func(func(T, *Problem) bool), text func(T) string) (things, problems []string) {
	for thing, trouble := range walk {
		if trouble != nil {
			problems = append(problems, strings.TrimPrefix(trouble.Error(), v2+"/"))
		}
		if s := text(thing); s != "" {
			things = append(things, s)
		}
	}
	slices.Sort(things)
	slices.Sort(problems)
	return things, problems
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var (
	one = digest.Of([]byte("one"))
	two = digest.Of([]byte("two"))
)

func TestOpenSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	if !errors.Is(err, ErrNotRegistry) || !strings.Contains(err.Error(), "docker/registry/v2") {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotRegistry) {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "docker"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrNotRegistry) {
		t.Error(err)
	}
}

func TestRepositoriesAreNestedAndTheRootMayBeALink(t *testing.T) {
	dir := write(t, map[string]string{
		"repositories/a/_manifests/":       "",
		"repositories/a/_layers/":          "",
		"repositories/a/b/_uploads/":       "",
		"repositories/a/b/c/d/_layers/":    "",
		"repositories/empty/folder/":       "",
		"repositories/file":                "",
		"repositories/a/_other/x/_layers/": "",
		"repositories/_manifests/tags/":    "",
	})
	outside := write(t, map[string]string{"repositories/secret/_manifests/": ""})
	if err := os.Symlink(filepath.Join(outside, v2, "repositories"), filepath.Join(dir, v2, "repositories/out")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	names, problems := gather(open(t, link).Repositories(), func(s string) string { return s })
	same(t, "names", names, []string{"a", "a/b", "a/b/c/d"})
	same(t, "problems", problems, []string{
		"repositories/file: does not belong here", "repositories/out: neither a folder nor a regular file",
	})
}

func TestBadLinksAreProblemsThatNameTheFile(t *testing.T) {
	tags := "repositories/r/_manifests/tags/"
	s := open(t, write(t, map[string]string{
		tags + "good/current/link":    one.String(),
		tags + "zero/current/link":    "",
		tags + "garbage/current/link": "sha256:zz",
		tags + "long/current/link":    strings.Repeat("x", 300),
		tags + "folder/current/link/": "",
		tags + "none/":                "",
		tags + "stray":                "",
	}))
	now := time.Now()
	names, problems := gather(s.Tags("r"), func(tag Tag) string {
		if !tag.Digest.IsZero() && now.Sub(tag.Modified).Abs() > time.Hour {
			t.Errorf("%s was set %v", tag.Name, tag.Modified)
		}
		return strings.TrimSpace(tag.Name + " " + tag.Digest.String())
	})
	same(t, "tags", names, []string{"folder", "garbage", "good " + one.String(), "long", "none", "zero"})
	same(t, "problems", problems, []string{
		tags + "folder/current/link: not a regular file",
		tags + "garbage/current/link: \"sha256:zz\": invalid checksum digest length",
		tags + "long/current/link: 300 bytes: too large",
		tags + "none/current/link: no such file or directory",
		tags + "stray: does not belong here",
		tags + "zero/current/link: the file is empty",
	})
	if names, problems := gather(s.Tags("none"), func(tag Tag) string { return tag.Name }); names != nil || problems != nil {
		t.Errorf("a repository without tags: %v, %v", names, problems)
	}
}

func TestLinksKeepTheDigestThatTheirFolderSpells(t *testing.T) {
	long := "sha512:" + one.Hex() + two.Hex()
	revisions := "repositories/r/_manifests/revisions/"
	s := open(t, write(t, map[string]string{
		revisions + "sha256/" + one.Hex() + "/link":               one.String(),
		revisions + "sha512/" + one.Hex() + two.Hex() + "/link":   long,
		revisions + "sha256/" + two.Hex() + "/link":               "",
		revisions + "sha256/" + digest.Of(nil).Hex() + "/":        "",
		revisions + "sha256/abc/":                                 "",
		"repositories/r/_layers/sha256/" + one.Hex() + "/link":    two.String(),
		"repositories/r/_layers/tarsum/v1/" + one.Hex() + "/link": "",
	}))
	text := func(l Link) string { return l.Digest.String() }
	names, problems := gather(s.Revisions("r"), text)
	want := []string{one.String(), two.String(), long}
	slices.Sort(want)
	same(t, "revisions", names, want)
	same(t, "problems", problems, []string{
		revisions + "sha256/" + two.Hex() + "/link: the file is empty", revisions + "sha256/abc: does not belong here",
	})
	names, problems = gather(s.Layers("r"), text)
	same(t, "layers", names, []string{one.String()})
	same(t, "problems", problems, []string{
		"repositories/r/_layers/sha256/" + one.Hex() + "/link: it holds " + two.String(),
		"repositories/r/_layers/tarsum/v1: does not belong here",
	})
	for d, want := range map[digest.Digest]bool{one: true, two: false} {
		if got, trouble := s.HasLayer("r", d); got != want || trouble != nil {
			t.Errorf("%v: %v, %v", d, got, trouble)
		}
	}
}

func TestBlobsAndUploads(t *testing.T) {
	blob := func(d digest.Digest) string { return "blobs/" + d.Algorithm() + "/" + d.Hex()[:2] + "/" + d.Hex() }
	s := open(t, write(t, map[string]string{
		blob(one) + "/data":                   "one",
		blob(two) + "/data/":                  "",
		"blobs/sha256/00/" + one.Hex() + "/":  "",
		"blobs/stray/":                        "",
		"blobs/sha256/lost+found/":            "",
		"repositories/r/_uploads/1/startedat": "2026-01-02T03:04:05Z",
		"repositories/r/_uploads/1/data":      "12345",
		"repositories/r/_uploads/2/data":      "",
	}))
	names, problems := gather(s.Blobs(), func(b Blob) string {
		if b.Bytes == 0 {
			return ""
		}
		return b.Digest.String()
	})
	same(t, "blobs", names, []string{one.String()})
	same(t, "problems", problems, []string{
		"blobs/sha256/00/" + one.Hex() + ": does not belong here", blob(two) + "/data: the blob has no data",
	})
	if data, trouble := s.Manifest("a", one, 3); trouble != nil || string(data) != "one" {
		t.Error(string(data), trouble)
	}
	if _, trouble := s.Manifest("a", one, 2); !errors.Is(trouble, ErrTooLarge) {
		t.Error(trouble)
	}
	if _, trouble := s.Blob(digest.Of(nil)); !errors.Is(trouble, fs.ErrNotExist) {
		t.Error(trouble)
	}
	ids, problems := gather(s.Uploads("r"), func(u Upload) string {
		return u.ID + " " + u.Started.Format(time.RFC3339) + " " + string(rune('0'+u.Bytes))
	})
	same(t, "uploads", ids, []string{"1 2026-01-02T03:04:05Z 5", "2 0001-01-01T00:00:00Z 0"})
	same(t, "problems", problems, []string{"repositories/r/_uploads/2/startedat: no such file or directory"})
}

func TestWalksEndWhenTheCallerWantsNoMore(t *testing.T) {
	s := open(t, write(t, map[string]string{
		"repositories/a/_layers/": "", "repositories/a/b/_layers/": "", "repositories/c/_layers/": "", "repositories/d/e/_layers/": "",
	}))
	for range s.Repositories() {
		break
	}
}

// A collector removes what is empty while the folder above is still being read.
func TestAFolderThatGoesWhileItIsReadIsNoProblem(t *testing.T) {
	dir := write(t, map[string]string{"repositories/gone/_layers/": "", "repositories/gone/_uploads/": ""})
	names, problems := gather(func(yield func(string, *Problem) bool) {
		for name, trouble := range open(t, dir).Repositories() {
			if err := os.RemoveAll(filepath.Join(dir, v2, "repositories", name)); name != "" && err != nil {
				t.Fatal(err)
			}
			if !yield(name, trouble) {
				return
			}
		}
	}, func(name string) string { return name })
	same(t, "names", names, []string{"gone"})
	same(t, "problems", problems, nil)
}
