package quarantine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/quarantine"
)

// noon is when sets begin, unless a test says otherwise.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// yard is a quarantine over files, given as a path each; one that ends with a slash is a folder.
func yard(t *testing.T, files ...string) (*quarantine.Yard, string) {
	t.Helper()
	dir := t.TempDir()
	lay(t, dir, files...)
	y, err := quarantine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = y.Close() })
	lock, err := y.Lock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Release() })
	return y, dir
}

// lay makes files that hold their own path.
func lay(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, file := range files {
		name := filepath.Join(dir, file)
		folder := strings.HasSuffix(file, "/")
		parent := name
		if !folder {
			parent = filepath.Dir(name)
		}
		if err := os.MkdirAll(parent, 0o755); err != nil {
			t.Fatal(err)
		}
		if folder {
			continue
		}
		if err := os.WriteFile(name, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(t *testing.T, y *quarantine.Yard) *quarantine.Set {
	t.Helper()
	s, err := y.Begin(noon(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// take puts names of a folder away and returns those that went.
func take(t *testing.T, s *quarantine.Set, dir string, names ...string) (taken []string) {
	t.Helper()
	if err := s.Take(dir, names, func(name string) { taken = append(taken, name) }); err != nil {
		t.Fatal(err)
	}
	return taken
}

// files are the base's, but for the quarantine, with mode, owner and content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		if entry.Name() == quarantine.Folder {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return errors.New("no stat")
		}
		content := ""
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			content = string(data)
		}
		all[strings.TrimPrefix(name, dir+"/")] = fmt.Sprintf("%v %d:%d %s", info.Mode(), stat.Uid, stat.Gid, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func exists(t *testing.T, name string) bool {
	t.Helper()
	_, err := os.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestWhatIsTakenIsAwayAndComesBack(t *testing.T) {
	y, dir := yard(t, "a/b/one/data", "a/b/two/data", "a/b/three", "a/other")
	before := files(t, dir)
	s := begin(t, y)
	same(t, "taken", take(t, s, "a/b", "one", "missing", "three"), []string{"one", "three"})
	same(t, "left", slices.Sorted(maps.Keys(files(t, dir))), []string{"a", "a/b", "a/b/two", "a/b/two/data", "a/other"})
	if empty, err := s.Empty(); empty || err != nil {
		t.Errorf("a set that holds something is empty: %v", err)
	}
	done, err := s.RestoreAll(t.Context())
	if err != nil || done.Kept != 0 || done.Restored == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	same(t, "restored", files(t, dir), before)
	if exists(t, s.Path("")) {
		t.Error("a set of which all went back is still there")
	}
}

// A name that the set has is not taken again: the first copy is what undoing is about.
func TestNothingIsOverwrittenByTaking(t *testing.T) {
	y, dir := yard(t, "a/one/data", "a/file")
	s := begin(t, y)
	take(t, s, "a", "one", "file")
	lay(t, dir, "a/one/newer", "a/file")
	if again := take(t, s, "a", "one", "file"); again != nil || !exists(t, filepath.Join(dir, "a/one/newer")) || !exists(t, filepath.Join(dir, "a/file")) {
		t.Errorf("took %v", again)
	}
}

// What has come to a place since stays, and the old copy stays for whoever wants it.
func TestTheNewerWins(t *testing.T) {
	y, dir := yard(t, "a/tag/current/link", "a/tag/index/1", "a/file")
	s := begin(t, y)
	take(t, s, "a", "tag", "file")
	lay(t, dir, "a/tag/current/", "a/file/now/a/folder")
	if err := os.WriteFile(filepath.Join(dir, "a/tag/current/link"), []byte("newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	done, err := s.RestoreAll(t.Context())
	if err != nil || done.Kept != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	now := files(t, dir)
	if !strings.HasSuffix(now["a/tag/current/link"], "newer") || !strings.HasSuffix(now["a/tag/index/1"], "a/tag/index/1") || now["a/file/now/a/folder"] == "" {
		t.Errorf("%v", now)
	}
	old, err := os.ReadFile(s.Path("tree/a/tag/current/link"))
	if err != nil || string(old) != "a/tag/current/link" || !exists(t, s.Path("tree/a/file")) {
		t.Errorf("the old copy is %q, %v", old, err)
	}
}

// A deletion through a registry's API leaves empty folders, which must not stand in the way.
func TestAnEmptyFolderIsReplaced(t *testing.T) {
	y, dir := yard(t, "a/link/file")
	s := begin(t, y)
	take(t, s, "a", "link")
	lay(t, dir, "a/link/")
	done, err := s.Restore(t.Context(), "a/link")
	if err != nil || done != (quarantine.Outcome{Restored: 1}) || !exists(t, filepath.Join(dir, "a/link/file")) {
		t.Errorf("%+v, %v", done, err)
	}
	if done, err := s.Restore(t.Context(), "a/link"); err != nil || done != (quarantine.Outcome{}) {
		t.Errorf("nothing is left to restore: %+v, %v", done, err)
	}
}

func TestParentsAreMadeAgainAsTheyWere(t *testing.T) {
	y, dir := yard(t, "top/a/b/c/file", "top/stays")
	for name, mode := range map[string]os.FileMode{"top/a": 0o2775 | os.ModeSetgid, "top/a/b": 0o700, "top/a/b/c": 0o751} {
		if err := os.Chmod(filepath.Join(dir, name), mode&^0o2000); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Lchown(filepath.Join(dir, "top/a/b"), 1234, 4321), os.Chmod(filepath.Join(dir, "top/a/b"), 0o750|os.ModeSetgid)); err != nil {
			t.Fatal(err)
		}
	}
	before := files(t, dir)
	s := begin(t, y)
	take(t, s, "top/a/b/c", "file")
	if err := y.RemoveEmpty("top/a/b/c", "top"); err != nil {
		t.Fatal(err)
	}
	same(t, "left", slices.Sorted(maps.Keys(files(t, dir))), []string{"top", "top/stays"})
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	if _, err := s.RestoreAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "restored", files(t, dir), before)
}

// Several repositories want the same blob back at once.
func TestRestoringAtTheSameTime(t *testing.T) {
	for range 30 {
		y, dir := yard(t, "a/b/one/data", "a/b/two/data")
		before := files(t, dir)
		s := begin(t, y)
		take(t, s, "a/b", "one", "two")
		if err := y.RemoveEmpty("a/b", "."); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		errs := make([]error, 8)
		counts := make([]int, 8)
		for i := range errs {
			all.Go(func() {
				for _, name := range []string{"a/b/one", "a/b/two"} {
					done, err := s.Restore(t.Context(), name)
					errs[i] = errors.Join(errs[i], err)
					counts[i] += done.Restored
				}
			})
		}
		all.Wait()
		sum := 0
		for _, n := range counts {
			sum += n
		}
		if err := errors.Join(errs...); err != nil || sum != 2 {
			t.Fatalf("%d restored: %v", sum, err)
		}
		same(t, "restored", files(t, dir), before)
	}
}

func TestSetsAreListedAsTheyBegan(t *testing.T) {
	y, _ := yard(t, "a/file")
	var want []string
	for _, at := range []time.Duration{0, 0, time.Hour, 0} { // two at the same moment
		s, err := y.Begin(noon().Add(at), "test")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, s.ID)
	}
	slices.Sort(want)
	// What was killed while it began or was deleted is no set, and neither is what somebody else has put there.
	lay(t, y.Dir(), "purge-20261122T120000.000009Z/tree/x", "notes/", "20261122T120000.000000Z.txt")
	sets, err := y.Sets()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sets {
		got = append(got, s.ID)
		if s.Kind != "test" || s.Begun.Format("20060102T150405.000000Z") != s.ID {
			t.Errorf("%+v", *s)
		}
	}
	same(t, "sets", got, want)
	if err := y.FinishPurges(); err != nil || exists(t, filepath.Join(y.Dir(), "purge-20261122T120000.000009Z")) || !exists(t, filepath.Join(y.Dir(), "notes")) {
		t.Errorf("a purge that was stopped is not finished, or too much went: %v", err)
	}
	if s, err := y.Set(want[0]); err != nil || s.ID != want[0] {
		t.Errorf("%v", err)
	}
	for _, id := range []string{"", "..", "lock", "20261122T120000.000099Z"} {
		if _, err := y.Set(id); !errors.Is(err, quarantine.ErrNoSet) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestAPurgedSetIsGone(t *testing.T) {
	y, dir := yard(t, "a/one/data", "a/two/data")
	first, second := begin(t, y), begin(t, y)
	take(t, first, "a", "one")
	take(t, second, "a", "two")
	if err := first.Purge(); err != nil {
		t.Fatal(err)
	}
	if sets, err := y.Sets(); err != nil || len(sets) != 1 || sets[0].ID != second.ID {
		t.Errorf("%v, %v", sets, err)
	}
	if _, err := second.RestoreAll(t.Context()); err != nil || !exists(t, filepath.Join(dir, "a/two/data")) || exists(t, filepath.Join(dir, "a/one")) {
		t.Errorf("%v", err)
	}
}

func TestOneAtATime(t *testing.T) {
	y, dir := yard(t, "a/file")
	other, err := quarantine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.Lock(); err == nil {
		t.Error("two hold the lock")
	} else if _, held := errors.AsType[*lockfile.HeldError](err); !held || !strings.Contains(err.Error(), y.Dir()) {
		t.Errorf("%v", err)
	}
}

// Renaming cannot leave a file system: the error says so, and what lies on the base's own can still go.
func TestAnotherFileSystemIsNamed(t *testing.T) {
	y, dir := yard(t, "a/one", "mounted/")
	mounted := filepath.Join(dir, "mounted")
	if err := syscall.Mount("none", mounted, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("cannot mount a file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(mounted, 0) })
	lay(t, dir, "mounted/file")
	s := begin(t, y)
	err := s.Take("mounted", []string{"file"}, func(string) { t.Error("it was taken") })
	if !errors.Is(err, quarantine.ErrFileSystem) || !strings.Contains(err.Error(), filepath.Join(mounted, "file")) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if !exists(t, filepath.Join(mounted, "file")) || len(take(t, s, "a", "one")) != 1 {
		t.Error("something else went wrong with it")
	}
}

func TestAStoppedRestoreGoesOn(t *testing.T) {
	y, dir := yard(t, "a/one/data", "a/two/data", "a/stays")
	before := files(t, dir)
	s := begin(t, y)
	take(t, s, "a", "one", "two")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.RestoreAll(ctx); !errors.Is(err, context.Canceled) || !exists(t, s.Path("")) {
		t.Errorf("%v", err)
	}
	if _, err := s.RestoreAll(t.Context()); err != nil {
		t.Error(err)
	}
	same(t, "restored", files(t, dir), before)
}

// A set that has only made folders to put things into is empty.
func TestASetThatTookNothingIsEmpty(t *testing.T) {
	y, dir := yard(t, "a/b/file")
	s := begin(t, y)
	take(t, s, "a/b", "missing")
	if empty, err := s.Empty(); !empty || err != nil {
		t.Errorf("%v, %v", empty, err)
	}
	// The folder has gone meanwhile, but for its mirror: that is something.
	if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if empty, err := s.Empty(); empty || err != nil {
		t.Errorf("%v, %v", empty, err)
	}
}

// Links that lead out of the base are not followed.
func TestLinksAreNotFollowedOutside(t *testing.T) {
	outside := t.TempDir()
	lay(t, outside, "victim")
	y, dir := yard(t, "a/file")
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s := begin(t, y)
	if err := s.Take("link", []string{"victim"}, func(string) {}); err == nil || !exists(t, filepath.Join(outside, "victim")) {
		t.Errorf("%v", err)
	}
	same(t, "the link itself", take(t, s, ".", "link"), []string{"link"})
	if _, err := s.RestoreAll(t.Context()); err != nil {
		t.Error(err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "link")); err != nil || target != outside {
		t.Errorf("%q, %v", target, err)
	}
}
