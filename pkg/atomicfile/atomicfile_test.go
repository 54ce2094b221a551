package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

func TestWriteReplacesWholeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	for _, text := range []string{strings.Repeat("long ", 1000), "short", ""} {
		if err := atomicfile.Write(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("holds %q, %v", got, err)
		}
	}
	alone(t, path)
}

func TestWriteSetsTheModeWhateverTheUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "state.json")
	if err := atomicfile.Write(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("x"), 0o644); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a folder was replaced, or the error does not name it: %v", err)
	}
	alone(t, path)
	missing := filepath.Join(dir, "no", "such")
	if err := atomicfile.Write(missing, nil, 0o644); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// alone fails when anything but path is in its folder.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("left behind %v, %v", entries, err)
	}
}

func TestDevicesAreNotReplacedAndLinksAreFollowed(t *testing.T) {
	if err := atomicfile.Write(os.DevNull, []byte("x"), 0o600); !errors.Is(err, atomicfile.ErrNotRegular) {
		t.Errorf("writing to %s: %v", os.DevNull, err)
	}
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "new" {
		t.Errorf("the link's target holds %q, %v", got, err)
	}
	if target, err := os.Readlink(link); err != nil || target != file {
		t.Errorf("the link is %q now, %v", target, err)
	}
}

// TestWritableSaysWhatWriteWould compares the two, for a user whom modes bind and for one whom they do not.
func TestWritableSaysWhatWriteWould(t *testing.T) {
	dir := t.TempDir()
	file, closed := filepath.Join(dir, "file"), filepath.Join(dir, "closed")
	if err := errors.Join(os.WriteFile(file, nil, 0o755), os.Mkdir(closed, 0o555), os.Symlink("nothing", filepath.Join(dir, "dangling"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "new", ".", "closed", "closed/new", "dangling", "no/such", "file/under", "new/"} {
		path := dir + "/" + name
		before := names(t, dir)
		early := atomicfile.Writable(path)
		if after := names(t, dir); after != before {
			t.Errorf("%s: %s became %s", name, before, after)
		}
		if late := atomicfile.Write(path, nil, 0o644); (early == nil) != (late == nil) {
			t.Errorf("%s: %v before, and %v then", name, early, late)
		}
	}
	for path, want := range map[string]error{dir: nil, dir + "/no": syscall.ENOENT, file: syscall.ENOTDIR} {
		if err := atomicfile.WritableDir(path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := atomicfile.WritableDir(closed); os.Geteuid() != 0 && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a closed folder: %v", err)
	}
}

// names are what is in a folder.
func names(t *testing.T, dir string) (all string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all += e.Name() + " "
	}
	return all
}
